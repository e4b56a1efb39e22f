"""Priority decides who is looked at first, and whose lateness costs most."""

from __future__ import annotations

import numpy as np

from contracts.codes import Priority
from dispatcher.matching.requests import Waiting, pressing_first
from solvers.candidates import screen
from solvers.rules.base import View
from solvers.rules.lateness import RULE
from solvers.screening import PRIORITIES, OpenRequest
from tests.domain import make
from tests.solvers.rich_day import rich_day


def waiting(name: str, priority: str, behind: float = 0.0) -> Waiting:
    request = make.trip(name, priority=Priority(priority))
    return make.received(request), OpenRequest(request=request, earliest_ms=0, latest_ms=0, behind=behind)


def test_the_most_pressing_are_matched_first_and_of_one_priority_who_came_first() -> None:
    came = [("a", "routine"), ("b", "stat"), ("c", "urgent"), ("d", "stat"), ("e", "asap")]
    first = pressing_first([waiting(*each) for each in came])
    assert [record.id for record, _ in first] == ["b", "d", "e", "c", "a"]


def test_of_one_priority_who_lies_behind_comes_first_and_no_lower_one_does() -> None:
    came = [("a", "routine", 1.0), ("b", "stat"), ("c", "stat", 0.2), ("d", "stat", 0.7)]
    first = pressing_first([waiting(*each) for each in came])
    assert [record.id for record, _ in first] == ["d", "c", "b", "a"]


def test_a_minute_of_lateness_costs_the_more_the_more_pressing_the_request_is() -> None:

    day = rich_day({})
    found = screen(day).candidates
    late_ms = found.start_ms - day.facts.earliest_ms[found.request]
    cents = RULE.cents(View(day, slice(0, day.requests), RULE.code), found)
    with np.errstate(invalid="ignore"):
        a_minute = cents * 60_000 / late_ms
    by_priority = {
        priority: set(a_minute[(day.facts.priority[found.request] == at) & (late_ms > 0)].round(3))
        for at, priority in enumerate(PRIORITIES)
    }
    assert by_priority == {"routine": {10}, "urgent": {20}, "asap": {40}, "stat": {80}}
