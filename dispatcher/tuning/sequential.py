"""Whether a candidate is worse, judged again and again as days go by, and how long that may take.

The mixture sequential probability ratio test for a mean with normal noise (H. Robbins, Annals of
Mathematical Statistics 41, 1970; R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Always Valid Inference",
Operations Research 70, 2022): with n differences of mean D, of variance V, and effects of about `tau`,

    evidence = sqrt(V / (V + n tau^2)) * exp(n^2 tau^2 D^2 / (2 V (V + n tau^2)))

is reached above 1/alpha by chance, however often one looks, with probability alpha at the most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

ALPHA = 0.05  # of all guardrails together: by chance one ends a harmless canary this often
POWER = 0.8  # a harm as large as is tolerated is seen this often
MOST_PAIRS = 20_000
LARGEST = 700.0  # of what is given to exp
LEAST_SHARE = 0.25  # of the effect: no past is so calm that differences vary less


def evidence(mean: float, pairs: int, variance: float, tau: float) -> float:
    """How much more likely the differences are if there is an effect of about `tau`; 1.0: nothing known."""
    if not pairs:
        return 1.0
    whole = variance + pairs * tau**2
    exponent = (pairs * tau * mean) ** 2 / (2 * variance * whole)
    return math.sqrt(variance / whole) * math.exp(min(exponent, LARGEST))


def crossing(pairs: int, variance: float, tau: float, alpha: float) -> float:
    """The mean difference from which on the evidence suffices."""
    whole = variance + pairs * tau**2
    need = math.log(1 / alpha) + 0.5 * math.log(whole / variance)
    return math.sqrt(2 * variance * whole * need) / (pairs * tau)


def power(pairs: int, variance: float, effect: float, alpha: float) -> float:
    """How often an effect is seen by the look after so many pairs; those before only add to it."""
    beyond = (effect - crossing(pairs, variance, effect, alpha)) / math.sqrt(variance / pairs)
    return NormalDist().cdf(beyond)


def pairs_needed(variance: float, effect: float, alpha: float) -> int | None:
    """From how many pairs on an effect is seen with POWER; None: more than MOST_PAIRS."""
    low, high = 0, 1
    while power(high, variance, effect, alpha) < POWER:
        low, high = high, 2 * high
        if low > MOST_PAIRS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = power(middle, variance, effect, alpha) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def variance_of(differences: Sequence[float], effect: float) -> float:
    """Of differences whose mean is none (which of two comes first is drawn by lot), and at least a share."""
    found = sum(each**2 for each in differences) / len(differences) if differences else 0.0
    return max(found, (LEAST_SHARE * effect) ** 2)
