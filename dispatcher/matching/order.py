"""In which order the matches of a plan are committed. Pure: of a large batch it is found in a thread."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from dispatcher.matching.modes import asks_one, several_last
from dispatcher.matching.sequence import waves
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import BatchPlan


class Order(NamedTuple):
    """In which order a plan is committed."""

    moves: Sequence[int]  #: rows of the plan
    rows: Mapping[int, int]  #: of offers: row of the plan by row of the snapshot
    turns: Sequence[Sequence[int]]  #: rows of the snapshot, each turn after all that its requests follow
    bundles: Mapping[str, Sequence[int]]  #: likewise, those that are matched all or none


def that_ask_one(snapshot: Snapshot, plan: BatchPlan) -> list[int]:
    """Rows of the plan whose request is put to one vendor at a time, the most pressing first."""
    chosen = plan.chosen.request.tolist()
    rows = [row for row, at in enumerate(chosen) if asks_one(snapshot, at)]
    return sorted(rows, key=partial(_pressing, snapshot, chosen))


def in_order(snapshot: Snapshot, plan: BatchPlan, already: Collection[str]) -> Order:
    """Moves first: they make room; then the most pressing. Of those in `already` it is known what became."""
    chosen = plan.chosen.request.tolist()
    moves = [row for row, at in enumerate(chosen) if at in snapshot.standing]
    offers = [row for row, at in enumerate(chosen) if at not in snapshot.standing]
    offers = [row for row in offers if snapshot.records[chosen[row]].id not in already]
    offers.sort(key=partial(_pressing, snapshot, chosen))
    rows = {chosen[row]: row for row in offers}
    alone = [each for each in rows if not snapshot.asked[each].bundle]
    turns = [several_last(snapshot, turn) for turn in waves(snapshot.asked, alone)]
    return Order(moves, rows, turns, _bundles(snapshot, rows))


def _pressing(snapshot: Snapshot, chosen: Sequence[int], row: int) -> tuple[int, float]:
    """The most pressing first, of one priority whose group lies farthest behind."""
    at = chosen[row]
    return -snapshot.records[at].priority.rank, -snapshot.asked[at].behind


def _bundles(snapshot: Snapshot, rows: Iterable[int]) -> dict[str, list[int]]:
    """Those that are matched all or none, by the name that they share."""
    bundles = dict[str, list[int]]()
    for each in rows:
        if name := snapshot.asked[each].bundle:
            bundles.setdefault(name, []).append(each)
    return bundles
