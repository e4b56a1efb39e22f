"""Since when somebody has been the same: as the sum over all ways in which it may have changed says."""

from __future__ import annotations

import itertools
from math import lgamma, log

import numpy as np
import pytest

from solvers.arrays import Floats
from solvers.regimes import still_tells

MEAN, PRIOR, CHANGE = 0.9, 10.0, 0.1


def by_all_ways(yes: list[int], asked: list[int]) -> list[float]:
    """Each way to cut the steps into regimes, by how likely it is and makes the answers."""
    steps, since = len(yes), np.zeros(len(yes))
    for cuts in itertools.product((False, True), repeat=steps - 1):
        starts = [0, *(step for step, cut in enumerate(cuts, start=1) if cut)]
        odds = sum(log(CHANGE if cut else 1 - CHANGE) for cut in cuts)
        for first, end in itertools.pairwise([*starts, steps]):
            odds += evidence(sum(yes[first:end]), sum(asked[first:end]))
        since[starts[-1]] += np.exp(odds)
    return [float(each) for each in np.cumsum(since) / since.sum()]


def evidence(yes: int, asked: int) -> float:
    a, b = MEAN * PRIOR, (1 - MEAN) * PRIOR
    return log_beta(a + yes, b + asked - yes) - log_beta(a, b)


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def told(*rows: tuple[list[int], list[int]]) -> Floats:
    yes, asked = (np.array(each, np.float64) for each in zip(*rows, strict=True))
    return still_tells(yes, asked, change=CHANGE, mean=MEAN, prior=PRIOR)


def test_it_is_what_all_ways_to_have_changed_say_together() -> None:
    rows = [([9, 2, 3, 0, 8, 9], [9, 9, 9, 0, 8, 10]), ([5, 5, 5, 5, 5, 5], [6, 6, 6, 6, 6, 6])]
    for found, row in zip(told(*rows).tolist(), rows, strict=True):
        assert found == pytest.approx(by_all_ways(*row))


def test_who_is_as_ever_is_believed_and_who_changed_only_since_then() -> None:
    steady, back, silent = told(
        ([8] * 8, [10] * 8),
        ([10, 10, 10, 4, 4, 10, 10, 10], [10] * 8),
        ([10, 5, 0, 0, 0, 0, 0, 0], [10, 10] + [0] * 6),
    )
    assert steady[0] > 0.5
    assert back[4] < 0.05 < 0.8 < back[5], "what was before its bad days ended tells nothing"
    assert silent[1] == pytest.approx(0.9**6, rel=0.1), "and where nothing is heard it may have changed"
    assert [each[-1] for each in (steady, back, silent)] == pytest.approx([1.0] * 3)
