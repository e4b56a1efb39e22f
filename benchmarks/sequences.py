"""Who follows whom on a generated day, and who is matched only together: oxygen, the bed, the ride."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from benchmarks.day import EQUIPMENT, Day
from benchmarks.demand import Demand, duration
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem

_ALONG = 4  # buckets by which equipment that travels along may start later
_NEAR = 6  # buckets around the first of a bundle in which the others are asked for
_FURTHER = 0.4  # share of groups that have a third


_LAGS = ("precedence_lag", "precedence_most", "precedence_from_start")


def draw_sequences(day: Day, demand: Demand, rng: np.random.Generator) -> dict[str, Ints]:
    """Sequences and bundles under the names of `AssignmentProblem`; what is asked for is moved to suit them.

    Nothing is drawn for a day without any.
    """
    requests = len(demand.level)
    if not (day.sequence_share or day.bundle_share):
        return {}
    free = rng.permutation(requests)
    free = free[np.argsort(demand.level[free] != EQUIPMENT, kind="stable")]  # equipment goes first
    sequenced = _groups(int(day.sequence_share * requests), rng)
    firsts, others = free[: len(sequenced)], rng.permutation(free[len(sequenced) :])
    edges, bundle = list[tuple[int, ...]](), np.full(requests, -1)
    bundled, names, taken = int(day.bundle_share * requests) // 2, 0, 0
    for first, size in zip(firsts.tolist(), sequenced, strict=True):
        group = [first, *others[taken : taken + size - 1].tolist()]
        taken += size - 1
        if not (tied := _edges(day, demand, group, rng)):
            continue
        edges += tied
        if bundled > 0:
            bundle[group], names, bundled = names, names + 1, bundled - size
    for size in _groups(int(day.bundle_share * requests) // 2, rng):
        group = others[taken : taken + size].tolist()
        taken += size
        near = demand.asked[group[0]] + rng.integers(-_NEAR, _NEAR + 1, size - 1)
        demand.asked[group[1:]] = np.clip(near, 0, _last(day))
        bundle[group], names = names, names + 1
    table = np.array(edges, np.int64).reshape(-1, 5)
    return {
        "precedence": table[:, :2].copy(),
        **{name: table[:, 2 + at].copy() for at, name in enumerate(_LAGS)},
        "bundle": bundle,
    }


def with_what_can_be_kept(problem: AssignmentProblem) -> AssignmentProblem:
    """The day without the pairs, and their bundles, that no vendors could keep though all of them were free.

    Nobody plans an episode of which a part cannot be had: what that costs is no business of a solver's.
    """
    begin, end = problem.work(np.arange(problem.columns))
    first = np.searchsorted(problem.column_request, np.arange(problem.requests + 1))
    left = [np.arange(first[r], first[r + 1]) for r in range(problem.requests)]
    for pair, (one, two) in enumerate(problem.precedence.tolist()):  # a group's pairs one after the other
        since = (begin if problem.precedence_from_start[pair] else end)[left[one]]
        after = begin[left[two]][None, :] - since[:, None]
        good = (problem.precedence_lag[pair] <= after) & (after <= problem.precedence_most[pair])
        left[two] = left[two][good.any(axis=0)]
    cannot = np.array([not len(columns) for columns in left])
    bundle = np.where(np.isin(problem.bundle, problem.bundle[cannot]), -1, problem.bundle)
    pairs = ~cannot[problem.precedence].any(axis=1)
    kept = {name: getattr(problem, name)[pairs] for name in ("precedence", *_LAGS)}
    return replace(problem, bundle=bundle, **kept)


def without(problem: AssignmentProblem) -> AssignmentProblem:
    """The same day with nobody in sequence and nobody bundled."""
    nothing = {name: getattr(problem, name)[:0] for name in ("precedence", *_LAGS)}
    return replace(problem, bundle=np.full(problem.requests, -1), **nothing)


def _groups(requests: int, rng: np.random.Generator) -> list[int]:
    """Sizes of two and three that come to so many requests."""
    sizes = list[int]()
    while sum(sizes) + 2 <= requests:
        sizes.append(3 if rng.random() < _FURTHER and sum(sizes) + 3 <= requests else 2)
    return sizes


def _edges(day: Day, demand: Demand, group: list[int], rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Each follows the one before it; of three the second may travel along with the first. None: too late."""
    found = list[tuple[int, ...]]()
    for at, (one, two) in enumerate(pairwise(group)):
        along = len(group) == 3 and at == 0
        least = 0 if along else int(rng.choice(day.sequence_lag_min)) // day.bucket_min
        play = _ALONG if along else int(rng.choice(day.sequence_play_min)) // day.bucket_min
        lasts = int(duration(day, demand, np.array([one]), np.array([3.0]))[0])
        asked = int(demand.asked[one]) + (0 if along else lasts) + least + int(demand.before[two])
        if asked > _last(day):
            return []
        demand.asked[two] = asked + int(rng.integers(0, 3))
        found.append((one, two, least, least + play if play else 2**62, int(along)))
    return found


def _last(day: Day) -> int:
    """The last bucket that is asked for: what begins then can still end on the day."""
    return 24 * 60 // day.bucket_min - 12
