"""Every tuning parameter of the domain changes what is decided; a new one without its case fails here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from contracts.codes import RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.offers import Accept
from dispatcher.domain.decisions import accept, cancel, due, exhausted, offer, report
from dispatcher.domain.instants import HOUR_MS, MINUTE_MS, to_instant
from dispatcher.domain.windows import start_window
from dispatcher.tuning.registry import Registry
from tests.domain import make
from tests.domain.make import NOW, after

Values = Mapping[str, float]
PARAMETERS = Registry.found(["dispatcher.domain"]).parameters


def _expiry(ahead_ms: int, limit_s: int) -> Callable[[Values], object]:
    record = make.received(make.trip(ahead_ms=ahead_ms))
    plan = make.proposal(record, make.vendor(limit_s=limit_s))
    return lambda values: offer(record, make.trip(), plan, NOW, values).after.timer_ms


def _arrival(values: Values) -> object:
    trip = make.trip(pickup_window=None, appointment_at=to_instant(NOW + 5 * HOUR_MS))
    return start_window(trip, values)


def _watch(values: Values) -> object:
    return after(accept(make.offered(), "r1.1", "v1", Accept(), now_ms=NOW, values=values)).timer_ms


def _patience(values: Values) -> int:
    """How often ops is told before the dispatch fails."""
    record = after(accept(make.offered(), "r1.1", "v1", Accept(), now_ms=NOW, values=values))
    told = 0
    while (record := after(due(record, record.timer_ms, values))).state is RequestState.ACCEPTED:
        told += 1
    assert record.status is TrackingStatus.FAILED
    return told


def _kept(values: Values) -> object:
    return after(cancel(make.received(), NOW, "platform", "", values)).timer_ms


def _standing(values: Values) -> object:
    """Twenty minutes late at the pick-up."""
    record = after(accept(make.offered(), "r1.1", "v1", Accept(), now_ms=NOW, values=values))
    late_ms = record.offers[0].start_ms + 20 * MINUTE_MS
    for status in (TrackingStatus.AT_PICKUP, TrackingStatus.COMPLETED):
        update = StatusUpdate(status=status)
        decision = report(record, "r1.1", "v1", update, now_ms=late_ms, values=values)
        record = after(decision)
    assert decision is not None
    return decision.mark


CASES: dict[str, tuple[float, Callable[[Values], object]]] = {
    "arrive_by_minutes": (10, _arrival),
    "max_attempts": (1, lambda values: exhausted(make.offered(), values)),
    "offer_minimum_s": (60, _expiry(-25 * MINUTE_MS, 3_600)),
    "offer_reserve_minutes": (5, _expiry(20 * MINUTE_MS, 3_600)),
    "offer_share": (0.2, _expiry(24 * HOUR_MS, 600)),
    "on_time_minutes": (30, _standing),
    "overdue_limit": (0, _patience),
    "overdue_minutes": (5, _watch),
    "retention_hours": (24, _kept),
}


def test_every_parameter_of_the_domain_has_its_case() -> None:
    assert sorted(CASES) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", sorted(CASES))
def test_changing_a_parameter_changes_what_is_decided(name: str) -> None:
    changed, decide = CASES[name]
    default = PARAMETERS[name].default
    assert decide({}) == decide({name: default})
    assert decide({}) != decide({name: changed})


def test_a_report_is_expected_again_after_the_last_one() -> None:
    record = after(accept(make.offered(), "r1.1", "v1", Accept(), now_ms=NOW, values={}))
    update = StatusUpdate(status=TrackingStatus.EN_ROUTE)
    under_way = after(report(record, "r1.1", "v1", update, now_ms=record.timer_ms, values={}))
    assert under_way.timer_ms == max(record.timer_ms, record.offers[0].end_ms) + 20 * MINUTE_MS
