"""Which of the waiting requests are of a group that lies behind the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from contracts.tuning import Number
from dispatcher.domain.fairness import MOST, Groups, behind, group_of, with_waiting
from dispatcher.domain.requests import RequestRecord, waited_ms
from dispatcher.matching.horizon import ahead_ms
from solvers.screening import OpenRequest

Waiting = tuple[RequestRecord, OpenRequest]


def with_floor(
    waiting: Sequence[Waiting], counted: Groups, now_ms: int, values: Mapping[str, Number]
) -> list[Waiting]:
    """The same, each with how far its group lies behind; who waits now is counted with those that waited."""
    if not MOST.of(values):
        return list(waiting)
    groups = [group_of(asked.request) for _, asked in waiting]
    waits = dict[str, list[int]]()
    for group, (record, _) in zip(groups, waiting, strict=True):
        waits.setdefault(group, []).append(waited_ms(record, now_ms, ahead_ms(values)))
    found = behind(with_waiting(counted, waits), values, waits)
    if not found:
        return list(waiting)
    own = [found.get(group, 0.0) for group in groups]
    lifts = _lifts(zip((asked.request.priority.rank for _, asked in waiting), own, strict=True))
    return [
        (record, replace(asked, behind=times, lifted=lifts.get(asked.request.priority.rank, 0.0)))
        for times, (record, asked) in zip(own, waiting, strict=True)
    ]


def _lifts(own: Iterable[tuple[int, float]]) -> dict[int, float]:
    """By rank of priority: how far any of less priority lies behind, at the most."""
    most = dict[int, float]()
    for rank, times in own:
        most[rank] = max(most.get(rank, 0.0), times)
    return {rank: max((most[each] for each in most if each < rank), default=0.0) for rank in most}
