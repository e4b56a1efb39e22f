"""Which of the waiting requests are of a group that lies behind the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    found = behind(with_waiting(counted, waits), values)
    if not found:
        return list(waiting)
    return [
        (record, replace(asked, behind=found[group]) if group in found else asked)
        for group, (record, asked) in zip(groups, waiting, strict=True)
    ]
