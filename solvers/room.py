"""Room for requests whose vendors are full: one or two neighbours that have only been asked step aside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np

from solvers.arrays import Ints
from solvers.checker import check
from solvers.insertion import Columns, Entry, StandingPlan, insert
from solvers.planning import BatchPlan, digest, plan_of, within_caps
from solvers.posing import Posed, pose
from solvers.screening import Screening
from solvers.sequence import tied


def make_room(screening: Screening) -> Iterator[BatchPlan]:
    """For each request that stands nowhere and finds a place: a plan of the moves, then of its match.

    Each takes for granted what was planned before it, and moves nobody a second time. Where a place costs
    more than leaving the request out, with moves at their price, there is none. Nor for one in a sequence or
    a bundle, which a batch places with the others. Some milliseconds for tens of requests.
    """
    name = digest(screening)
    posed = pose(screening)
    standing = StandingPlan.of(posed.problem, posed.held, move_cents=posed.move_cents)
    choice = posed.held.copy()
    for request in np.flatnonzero((posed.held < 0) & ~tied(posed.problem)).tolist():
        changed = _changed(posed, standing, request)
        after = np.where(changed >= 0, changed, choice)
        check(posed.problem, after).require()
        if (within_caps(posed, after) != after).any():
            return  # above a day's cap of one pool, which a standing plan does not know
        if changed[request] >= 0:
            moves = np.delete(changed, request)
            columns = np.append(moves[moves >= 0], changed[request])
            yield plan_of(posed, columns, after, digest=name, solver="insertion")
        choice = after


def _changed(posed: Posed, standing: StandingPlan, request: int) -> Ints:
    """R; the new columns of the request and of those that step aside for it, else -1; kept in `standing`."""
    problem, changed = posed.problem, np.full(posed.screening.requests, -1, np.int64)
    entry = Entry(
        request, Columns.of_request(problem, request), int(problem.request_penalty[request]), movable=False
    )
    found = insert(standing, entry)
    if found is not None:
        standing.apply(found)
        for move in found.moves:
            changed[cast(int, move.key)] = move.after
            standing.settle(move.key)
        changed[request] = found.column
    changed += np.where(changed >= 0, np.searchsorted(problem.column_request, np.arange(len(changed))), 0)
    return changed
