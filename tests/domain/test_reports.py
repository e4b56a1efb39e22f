"""What a report may say: nothing ends long before its window, and its code fits its status."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import ReportCode, RequestState, TrackingStatus
from contracts.instants import MINUTE_MS, to_instant
from dispatcher.domain.commands.plausible import CODES, EARLY
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.scorecards import Outcome
from tests.domain.make import NOW, accepted, after, reporting

T, C = TrackingStatus, ReportCode


@pytest.mark.parametrize("status", [T.NO_SHOW, T.COMPLETED])
def test_a_ride_does_not_end_hours_before_its_window(status: TrackingStatus) -> None:
    record = accepted()
    first_ms = record.earliest_ms - int(EARLY.default) * MINUTE_MS
    for now_ms in (NOW, first_ms - 1):
        with pytest.raises(Invalid, match="too early"):
            reporting(record, status, now_ms=now_ms)
    assert after(reporting(record, status, now_ms=first_ms)).state is RequestState(status.value)


def test_what_is_said_to_have_happened_too_early_is_refused_as_well() -> None:
    record = accepted()
    with pytest.raises(Invalid, match="too early"):
        reporting(record, T.COMPLETED, at=to_instant(NOW + MINUTE_MS), now_ms=record.earliest_ms)


def test_of_work_that_is_done_nothing_is_left_to_report() -> None:
    done = after(reporting(accepted(), T.COMPLETED, now_ms=accepted().earliest_ms))
    with pytest.raises(WrongState, match=r"it is completed\nMaybe nothing is left to report"):
        reporting(done, T.TURNED_BACK)


@pytest.mark.parametrize("status", [T.EN_ROUTE, T.FAILED, T.TURNED_BACK])
def test_what_may_come_early_is_taken(status: TrackingStatus) -> None:
    assert reporting(accepted(), status, now_ms=NOW) is not None


def _told(status: TrackingStatus, code: ReportCode | None) -> str:
    try:
        decision: Any = reporting(accepted(), status, code=code)
    except Invalid:
        return "refused"
    return str(decision.after.offers[0].code)


UNDER_WAY = (T.EN_ROUTE, T.AT_PICKUP, T.ON_BOARD, T.COMPLETED)
UNFIT = [
    *((status, code) for status in UNDER_WAY for code in C),
    (T.NO_SHOW, C.BAD_WEATHER),
    (T.NO_SHOW, C.PROVIDER_ADMIN_CANCEL),
    (T.FAILED, C.NO_CLIENT),
    (T.TURNED_BACK, C.NO_CLIENT),
    (T.TURNED_BACK, C.CANCEL_AT_DOOR),
]


@pytest.mark.parametrize(("status", "code"), UNFIT)
def test_a_code_that_says_otherwise_than_its_status_is_refused(
    status: TrackingStatus, code: ReportCode
) -> None:
    assert _told(status, code) == "refused"


@pytest.mark.parametrize(("status", "code"), [(each, code) for each in CODES for code in sorted(CODES[each])])
def test_a_code_that_fits_is_kept(status: TrackingStatus, code: ReportCode) -> None:
    assert _told(status, code) == code.value


@pytest.mark.parametrize("status", TrackingStatus)
def test_no_code_is_needed(status: TrackingStatus) -> None:
    assert _told(status, None) != "refused"


@pytest.mark.parametrize(
    ("early_minutes", "outcome"),
    [
        (16, Outcome.DONE),
        (90, Outcome.DONE),
        (15, Outcome.ON_TIME),
        (0, Outcome.ON_TIME),
        (-16, Outcome.LATE),
    ],
)
def test_an_early_end_alone_does_not_say_that_anybody_was_there_in_time(
    early_minutes: int, outcome: Outcome
) -> None:
    record = accepted()
    end_ms = record.offers[0].end_ms - early_minutes * MINUTE_MS
    (found,) = reporting(record, T.COMPLETED, now_ms=end_ms).outcomes  # type: ignore[union-attr]
    assert found.outcome is outcome


def test_an_early_end_after_an_arrival_in_time_is_on_time() -> None:
    record = accepted()
    start_ms = record.offers[0].start_ms
    there = after(reporting(record, T.AT_PICKUP, now_ms=start_ms))
    (found,) = reporting(there, T.COMPLETED, now_ms=start_ms + MINUTE_MS).outcomes  # type: ignore[union-attr]
    assert found.outcome is Outcome.ON_TIME
