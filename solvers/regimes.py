"""Since when somebody has been as it is now: how much of what it did before still tells of it.

Adams and MacKay, "Bayesian online changepoint detection" (2007), with shares as what changes: between any two
steps somebody may have become another, and then nothing of before tells of what it will do. A share is drawn
from a Beta distribution each time, so the evidence of each length of a regime has a closed form.
"""

from __future__ import annotations

from math import lgamma, log, log1p

import numpy as np

from solvers.arrays import Floats


def still_tells(yes: Floats, asked: Floats, *, change: float, mean: float, prior: float) -> Floats:
    """V x T; how likely each of V has been the same since step t, the oldest first, until now.

    `yes` of `asked` (V x T); `change`: how likely somebody is another one step later, above 0, below 1; a
    share is drawn about `mean`, as if `prior` answers were known of it.
    """
    vendors, steps = yes.shape
    since = np.full((vendors, steps), -np.inf)  # log of how likely the last change was before step t
    said_yes, said_no = np.full_like(since, mean * prior), np.full_like(since, (1.0 - mean) * prior)
    for now in range(steps):
        known = slice(0, now + 1)
        since[:, :now] += log1p(-change)
        since[:, now] = log(change) if now else 0.0
        before = _log_beta(said_yes[:, known], said_no[:, known])
        said_yes[:, known] += yes[:, now, None]
        said_no[:, known] += (asked - yes)[:, now, None]
        since[:, known] += _log_beta(said_yes[:, known], said_no[:, known]) - before
        since[:, known] -= since[:, known].max(axis=1, keepdims=True)
        since[:, known] -= np.log(np.exp(since[:, known]).sum(axis=1, keepdims=True))
    return np.asarray(np.cumsum(np.exp(since), axis=1))


def _log_beta(a: Floats, b: Floats) -> Floats:
    return np.asarray(_log_gamma(a) + _log_gamma(b) - _log_gamma(a + b), np.float64)


_log_gamma = np.vectorize(lgamma, otypes=[np.float64])
