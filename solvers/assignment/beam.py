"""Beam search over problems with one bucket (kernels/beam.c): whole plans at the values of requests.

In order of size, large requests first: small ones fill what those leave. Other orders, a little disturbed,
give other plans.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from solvers.arrays import Floats
from solvers.assignment.deadline import Deadline
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.instance import Instance, Small
from solvers.assignment.knapsack import Knapsacks
from solvers.assignment.search import Search
from solvers.kernels.layouts import BEAM, EXTENSION
from solvers.kernels.library import Struct, library

_WIDTH: Final = 500  #: plans in part that go on
_OPTIONS: Final = 12  #: candidates of a request
_SIZED_BY: Final = 3  #: a request is as large as its cheapest candidates are on average
_DISTURBED: Final = 0.03  #: sizes, by so much of themselves
_TURNS: Final = 3  #: beams in each thread
_ROOM: Final = 1 << 24  #: entries of the table, 64 MB, and of what is kept of all plans in part


class Beam:
    """Beams of one seed; the first goes by size exactly."""

    def __init__(self, knapsacks: Knapsacks, seed: int) -> None:
        instance = self.instance = knapsacks.instance
        unmatched = np.full(instance.requests, -1, np.int32)
        self.search = Search(knapsacks.prices, unmatched, 0, width=np.inf, most=_OPTIONS)
        self._rng, self._value, self._work = (
            np.random.default_rng(seed),
            knapsacks.best,
            np.zeros(1, np.int64),
        )
        self._size = _sizes(self.search)
        rows, requests = len(instance.capacity), instance.requests
        width = max(1, min(_WIDTH, _ROOM // (2 * max(rows, requests))))
        candidates, seen = (
            len(self.search.arrays["candidate"]),
            np.zeros(1 << (2 * width).bit_length(), np.uint64),
        )
        self._order = np.zeros(requests, np.int32)
        self._struct = Struct(
            BEAM,
            width=width,
            slots=len(seen),
            seen=seen,
            order=self._order,
            value=self._value,
            **{name: np.zeros(candidates, np.int64) for name in ("before", "after")},
            top=np.zeros(rows, np.int64),
            table=np.empty(_entries(self.search), np.float32),
            left=np.zeros(2 * width * rows, np.int32),
            bound=np.zeros(2 * width, np.float32),
            mark=np.zeros(2 * width, np.uint64),
            **{name: np.empty(requests * width, np.int32) for name in ("from", "at")},
            extension=np.empty(width * (_OPTIONS + 1), EXTENSION),
        )

    def plan(self, most: int, *, disturbed: bool) -> tuple[Small | None, int]:
        """R, kept columns or -1, of a plan below `most` cents, None where the beam meets none; work done."""
        noise = self._rng.standard_normal(len(self._size)) if disturbed else 0.0
        self._order[:] = np.argsort(-self._size * (1 + _DISTURBED * noise), kind="stable")
        choice, below = np.zeros(len(self._order), np.int32), float(most - self._value.sum())
        self._work[0] = 0
        here, plan = self.instance.struct.address, self.search.plan_address
        at = choice.ctypes.data, self._work.ctypes.data
        found = library().plan_beam(here, plan, self._struct.address, below, *at)
        return (self.search.columns_of(choice) if found else None), int(self._work[0])


def _sizes(search: Search) -> Floats:
    """R; units that a request takes, on average over its cheapest candidates."""
    first, units = search.arrays["first"], search.arrays["candidate"]["units"]
    before = np.concatenate([[0], np.cumsum(units)])
    end = np.minimum(first[:-1] + _SIZED_BY, first[1:])
    mean: Floats = (before[end] - before[first[:-1]]) / (end - first[:-1])
    return mean


def _entries(search: Search) -> int:
    """Of the table: a line for each row and candidate."""
    candidate, lengths = search.arrays["candidate"], search.instance.capacity[:, 0] + 1
    return int(lengths.sum() + lengths[candidate["row"][candidate["vendor"] >= 0]].sum())


def is_one_a_row(instance: Instance) -> bool:
    """Whether no request has two columns in a row, which the kernel does not know."""
    rows, stride = instance.capacity.shape
    request = np.repeat(np.arange(instance.requests), np.diff(instance.first))
    where = request * rows + instance.cell // stride
    return len(np.unique(where)) == len(where)


def beams(knapsacks: Knapsacks, deadline: Deadline, best: Incumbent, *, seeds: list[int]) -> None:
    """A few beams in each of some threads, one a seed; `best` is offered what they meet."""

    def one(seed: int, first: bool) -> None:
        beam = Beam(knapsacks, seed)
        for turn in range(_TURNS):
            if deadline.over:
                return
            found, work = beam.plan(best.cost, disturbed=turn > 0 or not first)
            deadline.work += work
            if found is not None:
                best.offer(knapsacks.instance.to_given(found))

    with ThreadPoolExecutor(len(seeds)) as pool:
        for done in [pool.submit(one, seed, k == 0) for k, seed in enumerate(seeds)]:
            done.result()
