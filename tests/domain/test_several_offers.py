"""Several vendors asked at once: the first acceptance wins, and each hears of its own offer only."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import DeclineCode, OfferState, RequestState, TrackingStatus
from contracts.instants import MINUTE_MS
from contracts.streams import To
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import Outcome
from dispatcher.domain.views import dispatch_view, offer_view, request_view
from tests.domain import make
from tests.domain.make import NOW, accepting, after, also_asking, decide, due, offered, offering, reporting
from tests.domain.test_decisions import declining

T, O = TrackingStatus, OfferState  # noqa: E741  (as in the table)
SOON, LATER = make.vendor("v1"), make.vendor("v2", limit_s=3_600)
EITHER = pytest.mark.parametrize(
    ("mine", "me", "theirs", "they"), [("r1.1", "v1", "r1.2", "v2"), ("r1.2", "v2", "r1.1", "v1")]
)


def asked(first: Any = SOON, second: Any = LATER) -> RequestRecord:
    """A request that two vendors are asked to take, `r1.1` and `r1.2`."""
    record: RequestRecord = also_asking(offered(first), second).after
    assert [each.state for each in record.offers] == [O.REQUESTED, O.REQUESTED]
    return record


def states(record: RequestRecord) -> list[OfferState]:
    return [each.state for each in record.offers]


def told(decision: Decision | None) -> dict[str, list[tuple[str, str, str]]]:
    """What each vendor hears: the type, the offer, and the code."""
    assert decision is not None
    heard: dict[str, list[tuple[str, str, str]]] = {}
    for each in decision.messages:
        if each.to is To.VENDOR:
            kind, code = each.type.removeprefix("dispatch."), getattr(each.data, "code", "")
            heard.setdefault(each.vendor_id, []).append((kind, each.subject, code))
    return heard


def test_it_waits_for_the_first_answer_that_could_be_missing() -> None:
    record = asked()
    soon, later = record.offers
    assert (soon.expires_ms, later.expires_ms) == (NOW + 24 * MINUTE_MS, NOW + 60 * MINUTE_MS)
    assert record.timer_ms == soon.expires_ms
    assert asked(LATER, make.vendor("v3")).timer_ms == soon.expires_ms


@EITHER
def test_the_first_acceptance_wins_and_whoever_else_was_asked_is_relieved(
    mine: str, me: str, theirs: str, they: str
) -> None:
    record = asked()
    decision = accepting(record, mine, me)
    assert decision is not None
    taken: RequestRecord = decision.after
    dispatch, other = taken.offer_named(mine), taken.offer_named(theirs)
    assert (taken.state, taken.dispatch) == (RequestState.ACCEPTED, dispatch)
    assert (dispatch.state, dispatch.bookings) == (O.ACCEPTED, record.offer_named(mine).bookings)
    assert (other.state, other.code, other.closed_ms, other.bookings) == (O.CANCELLED, "taken", NOW, ())
    assert decision.unbook == record.offer_named(theirs).bookings != ()
    assert told(decision) == {
        me: [("dispatch.confirmed", mine, "")],
        they: [("offer.closed", theirs, "taken")],
    }
    assert [(each.vendor_id, each.outcome) for each in decision.outcomes] == [(me, Outcome.ACCEPTED)]
    assert taken.timer_ms == dispatch.start_ms + 20 * MINUTE_MS
    assert accepting(taken, mine, me) is None


@EITHER
def test_what_another_vendor_took_is_neither_accepted_nor_declined_nor_reported(
    mine: str, me: str, theirs: str, they: str
) -> None:
    taken = after(accepting(asked(), mine, me))
    with pytest.raises(
        WrongState, match=rf"offer {theirs} is cancelled \(taken\); it cannot be accepted\nMaybe"
    ):
        accepting(taken, theirs, they)
    with pytest.raises(WrongState, match=r"is cancelled.*\nMaybe nothing is left to do"):
        declining(taken, theirs, they)
    for status in TrackingStatus:
        with pytest.raises(WrongState, match=r"is cancelled\nMaybe .* its work is no longer yours"):
            reporting(taken, status, theirs, they)
    assert after(reporting(taken, T.EN_ROUTE, mine, me)).status is T.EN_ROUTE


@EITHER
def test_nothing_is_reported_while_all_are_only_asked(mine: str, me: str, theirs: str, they: str) -> None:
    for status in TrackingStatus:
        with pytest.raises(WrongState, match="accept the offer first"):
            reporting(asked(), status, mine, me)


@EITHER
def test_when_one_declines_the_other_is_still_asked(mine: str, me: str, theirs: str, they: str) -> None:
    record = asked()
    decision = declining(record, mine, me)
    assert decision is not None
    left: RequestRecord = decision.after
    assert (left.state, set(left.declined_by)) == (RequestState.OFFERED, {me})
    assert left.timer_ms == left.offer_named(theirs).expires_ms
    assert left.offer_named(theirs) == record.offer_named(theirs)
    assert decision.unbook == record.offer_named(mine).bookings
    assert told(decision) == {me: [("offer.closed", mine, "NO_VEHICLES_AVAILABLE")]}
    assert declining(left, mine, me) is None
    assert after(accepting(left, theirs, they)).dispatch.vendor_id == they
    nobody = after(declining(left, theirs, they))
    assert (nobody.state, nobody.timer_ms) == (RequestState.MATCHING, nobody.match_by_ms)
    assert nobody.declined_by == {me, they}


def test_silence_ends_one_offer_after_the_other() -> None:
    record = asked()
    first = due(record)
    assert told(first) == {"v1": [("offer.closed", "r1.1", "expired")]}
    left = after(first)
    assert (left.state, states(left)) == (RequestState.OFFERED, [O.EXPIRED, O.REQUESTED])
    assert left.timer_ms == record.offers[1].expires_ms
    assert due(left, left.timer_ms - 1) is None
    second = due(left)
    assert told(second) == {"v2": [("offer.closed", "r1.2", "expired")]}
    assert (after(second).state, after(second).timer_ms) == (RequestState.MATCHING, record.match_by_ms)


def test_a_timer_that_is_late_finds_both_expired_and_ends_the_earlier_first() -> None:
    record, late_ms = asked(LATER, SOON), NOW + 90 * MINUTE_MS
    left = after(due(record, late_ms))
    assert states(left) == [O.REQUESTED, O.EXPIRED]
    assert left.timer_ms <= late_ms  # the other is due at once
    assert after(due(left, late_ms)).state is RequestState.MATCHING


ASSUMED = make.vendor("v1", assumed=True)


def test_an_acceptance_in_time_comes_before_the_silence_of_another() -> None:
    decision = accepting(asked(ASSUMED, LATER), "r1.2", "v2")
    assert told(decision) == {
        "v2": [("dispatch.confirmed", "r1.2", "")],
        "v1": [("offer.closed", "r1.1", "taken")],
    }
    taken = after(decision)
    assert taken.timer_ms > taken.offers[0].expires_ms  # its silence means nothing any more


def test_an_acceptance_after_the_silence_of_another_is_too_late_though_no_timer_has_fired() -> None:
    record = asked(ASSUMED, LATER)
    with pytest.raises(WrongState, match="was taken by another vendor"):
        accepting(record, "r1.2", "v2", now_ms=record.offers[0].expires_ms)


def test_silence_that_accepts_relieves_those_who_were_to_answer() -> None:
    record = asked(ASSUMED, LATER)
    decision = due(record)
    assert told(decision) == {
        "v1": [("dispatch.confirmed", "r1.1", "")],
        "v2": [("offer.closed", "r1.2", "taken")],
    }
    taken = after(decision)
    assert (taken.state, states(taken)) == (RequestState.ACCEPTED, [O.ACCEPTED, O.CANCELLED])
    assert taken.history[-1].by == "timer"
    with pytest.raises(WrongState, match=r"cancelled \(taken\)"):
        accepting(taken, "r1.2", "v2", now_ms=record.timer_ms)


def test_a_decline_leaves_the_other_its_silence_or_its_answer() -> None:
    record = asked(ASSUMED, LATER)
    silent = after(due(after(declining(record, "r1.2", "v2"))))
    assert states(silent) == [O.ACCEPTED, O.REJECTED]
    answered = after(due(after(declining(record))))
    assert (answered.state, states(answered)) == (RequestState.MATCHING, [O.REJECTED, O.EXPIRED])


def test_a_cancelled_request_relieves_all_who_were_asked() -> None:
    record = asked()
    decision = decide(record, CancelRequest(request_id="r1", code="NOT_READY"))
    assert decision is not None
    assert decision.unbook == record.offers[0].bookings + record.offers[1].bookings
    assert told(decision) == {
        "v1": [("offer.closed", "r1.1", "NOT_READY")],
        "v2": [("offer.closed", "r1.2", "NOT_READY")],
    }
    over: RequestRecord = decision.after
    assert (over.state, states(over)) == (RequestState.CANCELLED, [O.CANCELLED, O.CANCELLED])
    assert (over.live_offers, [each.bookings for each in over.offers]) == ((), [(), ()])


def commands(offer: str) -> list[Any]:
    return [
        AcceptOffer(offer_id=offer),
        DeclineOffer(offer_id=offer, code=DeclineCode.OTHER),
        *(ReportStatus(offer_id=offer, status=status) for status in TrackingStatus),
    ]


@EITHER
def test_the_other_vendors_offer_is_as_unknown_as_one_that_never_was(
    mine: str, me: str, theirs: str, they: str
) -> None:
    for record in (asked(), after(accepting(asked(), theirs, they)), after(declining(asked(), theirs, they))):
        for foreign, unknown in zip(commands(theirs), commands("r1.9"), strict=True):
            words = []
            for command in (foreign, unknown):
                with pytest.raises(NotFound) as refused:
                    decide(record, command, vendor=me)
                words.append((refused.value.detail.replace(command.offer_id, "…"), refused.value.facts))
            assert words[0] == words[1]


def test_each_vendor_is_shown_its_own_offer() -> None:
    record = asked()
    seen = [offer_view(record, each, make.trip()) for each in record.offers]
    assert [(each.id, each.vendor_id, each.state) for each in seen] == [
        ("r1.1", "v1", O.REQUESTED),
        ("r1.2", "v2", O.REQUESTED),
    ]
    assert seen[0].expires_at < seen[1].expires_at


@EITHER
def test_only_who_accepted_sees_door_and_patient(mine: str, me: str, theirs: str, they: str) -> None:
    record = after(reporting(after(accepting(asked(), mine, me, reference="T-9")), T.EN_ROUTE, mine, me))
    seen = dispatch_view(record, record.offer_named(mine), make.trip(), make.PATIENT)
    assert (seen.id, seen.offer.vendor_id, seen.reference, seen.status) == (mine, me, "T-9", T.EN_ROUTE)
    assert (seen.pickup, seen.patient) == (make.DOOR, make.PATIENT)
    with pytest.raises(WrongState, match="is cancelled"):
        dispatch_view(record, record.offer_named(theirs), make.trip(), make.PATIENT)
    for each in asked().offers:
        with pytest.raises(WrongState, match="accept it first"):
            dispatch_view(asked(), each, make.trip(), make.PATIENT)


@EITHER
def test_the_platform_sees_the_match_of_who_has_the_work_or_of_who_was_asked_last(
    mine: str, me: str, theirs: str, they: str
) -> None:
    def match_of(record: RequestRecord) -> str | None:
        match = request_view(record).match
        return match.vendor_id if match else None

    assert match_of(asked()) == "v2"
    assert match_of(after(declining(asked(), mine, me))) == they
    taken = after(accepting(asked(), mine, me))
    assert match_of(taken) == me
    assert {each.id: (each.state, each.code) for each in request_view(taken).attempts} == {
        mine: (O.ACCEPTED, ""),
        theirs: (O.CANCELLED, "taken"),
    }
    assert match_of(after(reporting(taken, T.TURNED_BACK, mine, me))) is None


@EITHER
def test_who_was_only_too_late_may_be_asked_again_and_who_turned_it_back_may_not(
    mine: str, me: str, theirs: str, they: str
) -> None:
    back = after(reporting(after(accepting(asked(), mine, me)), T.TURNED_BACK, mine, me))
    assert (back.state, back.declined_by) == (RequestState.MATCHING, {me})
    assert offering(back, make.vendor(they)).after.offers[-1].vendor_id == they
    with pytest.raises(WrongState, match=f"{me} is excluded"):
        offering(back, make.vendor(me))


def test_each_of_them_counts_towards_the_most_offers_of_a_request() -> None:
    back = after(reporting(after(accepting(asked())), T.TURNED_BACK))
    with pytest.raises(WrongState, match="it has had 2 offers"):
        offering(back, make.vendor("v3"), values={"max_attempts": 2})


def test_of_several_whose_silence_accepts_the_first_to_expire_has_it_whoever_speaks_before_the_timer() -> (
    None
):
    first, second = make.vendor("v1", assumed=True), make.vendor("v2", assumed=True, limit_s=900)
    record = asked(first, second)
    late_ms = record.offer_named("r1.2").expires_ms
    assert after(due(record, late_ms)).dispatch.vendor_id == "v1"
    assert after(accepting(record, "r1.1", "v1", now_ms=late_ms)).dispatch.vendor_id == "v1"
    with pytest.raises(WrongState, match="was taken by another vendor"):
        accepting(record, "r1.2", "v2", now_ms=late_ms)
    with pytest.raises(WrongState, match="yours by silence"):
        declining(record, "r1.1", "v1", now_ms=late_ms)
    with pytest.raises(WrongState, match="was taken by another vendor"):
        declining(record, "r1.2", "v2", now_ms=late_ms)
