"""A vendor's scorecard: what counts for it, what against it, and what for nobody."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pytest

from contracts.codes import DeclineCode, TrackingStatus
from contracts.instants import MINUTE_MS
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.decision import Decision
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import BLAMELESS, Outcome, shares
from tests.domain import make
from tests.domain.make import accepted, accepting, after, decide, due, offered

T = TrackingStatus
WELL, BADLY = 1.0, 0.0


class Told(NamedTuple):
    """What an outcome says, beside when it came and of what work."""

    outcome: Outcome
    vendor_id: str = "v1"
    code: str = ""
    late_minutes: int = 0


def told(decision: Decision) -> tuple[Told, ...]:
    return tuple(
        Told(each.outcome, each.vendor_id, each.entry.code, each.late_minutes) for each in decision.outcomes
    )


def reported(record: RequestRecord, status: T, late_minutes: int = 0) -> Decision:
    now_ms = record.offers[0].start_ms + late_minutes * MINUTE_MS
    decision = make.reporting(record, status, now_ms=now_ms)
    assert decision is not None
    return decision


def share(decision: Decision | None) -> float | None:
    """How a vendor stands that has this one outcome, counted as the store does; None: as before."""
    assert decision is not None
    card: Counter[str] = Counter()
    for each in decision.outcomes:
        card.update(dict(each.counts()))
    return shares({"v1": card}, {"scorecard_least_works": 1}).get("v1")


@pytest.mark.parametrize(
    ("late_minutes", "end"),
    [
        (-30, Told(Outcome.ON_TIME)),
        (15, Told(Outcome.ON_TIME)),
        (16, Told(Outcome.LATE, late_minutes=16)),
    ],
)
def test_work_that_is_done_went_well_if_the_vendor_was_at_the_door_in_time(
    late_minutes: int, end: Told
) -> None:
    under_way = reported(accepted(), T.AT_PICKUP, late_minutes)
    assert told(under_way) == ()
    on_board = reported(under_way.after, T.ON_BOARD, late_minutes + 60)
    assert told(on_board) == ()
    done = reported(on_board.after, T.COMPLETED, late_minutes + 90)
    assert told(done) == (end,)
    assert share(done) == (WELL if end.outcome is Outcome.ON_TIME else BADLY)


@pytest.mark.parametrize(
    ("late_minutes", "end"),
    [(45, Told(Outcome.ON_TIME)), (46, Told(Outcome.LATE, late_minutes=16))],
)
def test_who_reports_nothing_but_the_end_is_judged_by_the_end(late_minutes: int, end: Told) -> None:
    assert told(reported(accepted(), T.COMPLETED, late_minutes)) == (end,)


def test_who_was_on_the_way_and_said_no_more_is_judged_by_the_end() -> None:
    on_the_way = reported(accepted(), T.EN_ROUTE, 40)
    assert told(reported(on_the_way.after, T.COMPLETED, 45)) == (Told(Outcome.ON_TIME),)


@pytest.mark.parametrize(
    ("late_minutes", "end"),
    [
        (45, Told(Outcome.ON_TIME, "v2")),
        (50, Told(Outcome.LATE, "v2", late_minutes=20)),
    ],
)
def test_a_vendor_is_not_judged_by_the_arrival_of_the_one_that_had_the_work_before(
    late_minutes: int, end: Told
) -> None:
    was_there = reported(accepted(), T.AT_PICKUP, -120).after
    back = reported(was_there, T.TURNED_BACK, -110).after
    start_ms = back.offers[0].start_ms
    asked = make.offering(back, make.vendor("v2"), now_ms=start_ms - 100 * MINUTE_MS).after
    taken = after(accepting(asked, "r1.2", "v2", now_ms=start_ms - 100 * MINUTE_MS))
    now_ms = start_ms + late_minutes * MINUTE_MS
    done = make.reporting(taken, T.COMPLETED, "r1.2", "v2", now_ms=now_ms)
    assert done is not None
    assert told(done) == (end,)


def test_a_no_show_is_not_the_vendors_fault_and_a_failure_is() -> None:
    no_show, failed, back = (reported(accepted(), each) for each in (T.NO_SHOW, T.FAILED, T.TURNED_BACK))
    assert (told(no_show), share(no_show)) == ((Told(Outcome.NO_SHOW),), WELL)
    assert (told(failed), share(failed)) == ((Told(Outcome.FAILED),), BADLY)
    assert (told(back), share(back)) == ((Told(Outcome.TURNED_BACK),), BADLY)


@pytest.mark.parametrize("code", DeclineCode)
def test_a_decline_counts_against_a_vendor_unless_it_could_not_but_decline(code: DeclineCode) -> None:
    decision = decide(offered(), DeclineOffer(offer_id="r1.1", code=code), vendor="v1")
    assert decision is not None
    assert told(decision) == (Told(Outcome.DECLINED, code=code.value),)
    assert share(decision) == (None if code in BLAMELESS else BADLY)


def test_silence_counts_against_a_vendor_that_had_to_answer_and_not_against_one_that_had_not() -> None:
    explicit, assumed = offered(), offered(make.vendor(assumed=True))
    expired, taken = due(explicit), due(assumed)
    assert expired is not None
    assert taken is not None
    assert (told(expired), share(expired)) == ((Told(Outcome.EXPIRED),), BADLY)
    assert (told(taken), share(taken)) == ((Told(Outcome.ACCEPTED),), None)


def test_an_acceptance_is_noted_and_judged_when_the_work_ends() -> None:
    taken = accepting(offered())
    assert taken is not None
    assert (told(taken), share(taken)) == ((Told(Outcome.ACCEPTED),), None)


def test_a_cancelled_request_counts_for_nobody() -> None:
    decision = decide(accepted(), CancelRequest(request_id="r1"))
    assert decision is not None
    assert told(decision) == ()
