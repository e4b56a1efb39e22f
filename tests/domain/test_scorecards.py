"""A vendor's record: what counts for it, what against it, and what for nobody."""

from __future__ import annotations

import pytest

from contracts.codes import DeclineCode, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.offers import Accept, Decline
from dispatcher.domain.decision import Decision
from dispatcher.domain.decisions import accept, cancel, decline, due, report
from dispatcher.domain.instants import MINUTE_MS
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.scorecards import BLAMELESS, Mark
from tests.domain import make
from tests.domain.make import NOW, VALUES, after

T = TrackingStatus
WELL, BADLY = Mark("v1", "2026-03", True), Mark("v1", "2026-03", False)


def accepted() -> RequestRecord:
    return after(accept(make.offered(), "r1.1", "v1", Accept(), now_ms=NOW, values=VALUES))


def reported(record: RequestRecord, status: T, late_minutes: int = 0) -> Decision:
    now_ms = record.offers[0].start_ms + late_minutes * MINUTE_MS
    decision = report(record, "r1.1", "v1", StatusUpdate(status=status), now_ms=now_ms, values=VALUES)
    assert decision is not None
    return decision


@pytest.mark.parametrize(("late_minutes", "mark"), [(-30, WELL), (15, WELL), (16, BADLY)])
def test_work_that_is_done_went_well_if_the_vendor_was_at_the_door_in_time(
    late_minutes: int, mark: Mark
) -> None:
    under_way = reported(accepted(), T.AT_PICKUP, late_minutes)
    assert under_way.mark is None
    on_board = reported(under_way.after, T.ON_BOARD, late_minutes + 60)
    assert reported(on_board.after, T.COMPLETED, late_minutes + 90).mark == mark


@pytest.mark.parametrize(("late_minutes", "mark"), [(45, WELL), (46, BADLY)])
def test_who_reports_nothing_but_the_end_is_judged_by_the_end(late_minutes: int, mark: Mark) -> None:
    assert reported(accepted(), T.COMPLETED, late_minutes).mark == mark


def test_a_no_show_is_not_the_vendors_fault_and_a_failure_is() -> None:
    assert reported(accepted(), T.NO_SHOW).mark == WELL
    assert reported(accepted(), T.FAILED).mark == BADLY
    assert reported(accepted(), T.TURNED_BACK).mark == BADLY


@pytest.mark.parametrize("code", DeclineCode)
def test_a_decline_counts_against_a_vendor_unless_it_could_not_but_decline(code: DeclineCode) -> None:
    decision = decline(make.offered(), "r1.1", "v1", Decline(code=code), now_ms=NOW)
    assert decision is not None
    assert decision.mark == (None if code in BLAMELESS else BADLY)


def test_silence_counts_against_a_vendor_that_had_to_answer_and_not_against_one_that_had_not() -> None:
    explicit, assumed = make.offered(), make.offered(make.vendor(assumed=True))
    expired, taken = (due(each, each.timer_ms, VALUES) for each in (explicit, assumed))
    assert expired is not None
    assert taken is not None
    assert (expired.mark, taken.mark) == (BADLY, None)


def test_a_cancelled_request_counts_for_nobody() -> None:
    decision = cancel(accepted(), NOW, "platform", "", VALUES)
    assert decision is not None
    assert decision.mark is None
