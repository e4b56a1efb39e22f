"""Several asked at once, or one after the other down a chain: what each step of the domain makes of that."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.codes import DeclineCode, OfferState, RequestState, Role, TrackingStatus
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.offer_modes import OfferMode
from contracts.streams import To
from dispatcher.domain.booking import PoolBooking
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.commands.make_offer import MakeOffer, exhausted
from dispatcher.domain.commands.move_offer import movable_offer
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.commands.table import Command
from dispatcher.domain.commands.withdraw import WithdrawOffers
from dispatcher.domain.decision import Decision
from dispatcher.domain.links import Link
from dispatcher.domain.needed import Needed
from dispatcher.domain.offer_modes import mode_of
from dispatcher.domain.offers import attempts
from dispatcher.domain.quarters import What, counted_in
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.views import offer_view, request_view
from tests.domain import make
from tests.domain.make import NOW, accepting, after, broadcasting, cascading, decide, due, heard, reporting

O, T = OfferState, TrackingStatus  # noqa: E741  (as in the table)
VENDORS = tuple(make.vendor(f"v{n}", limit_s=600 * n) for n in (1, 2, 3))
COLLECTS = {"broadcast_collect_s": 120}
BODY = replace(make.trip(), patient=None)


def broadcast(**facts: Any) -> RequestRecord:
    """`r1.1` to `r1.3`, the first one cheapest."""
    record: RequestRecord = broadcasting(make.received(), *VENDORS, **facts).after
    return record


def cascade(*to: Any, **facts: Any) -> RequestRecord:
    """`r1.1` is out, v2 and v3 are next."""
    record: RequestRecord = cascading(make.received(), *(to or VENDORS), **facts).after
    return record


def states(record: RequestRecord) -> list[tuple[str, OfferState, str]]:
    return [(each.vendor_id, each.state, each.code) for each in record.offers]


def declined(record: RequestRecord, offer: str = "r1.1", vendor: str = "v1", **facts: Any) -> Decision:
    over = facts.pop("passed_over", 0)
    command = DeclineOffer(offer_id=offer, code=DeclineCode.OTHER, passed_over=over)
    decision = decide(record, command, vendor=vendor, **{"body": BODY} | facts)
    assert decision is not None
    return decision


def booked(vendor: str) -> tuple[PoolBooking, ...]:
    return (PoolBooking(vendor, "vans", "2026-03-02", 144, 6, 1),)


def test_an_open_offer_of_a_broadcast_books_nothing_and_what_is_accepted_books_in_the_same_step() -> None:
    made = broadcasting(make.received(), *VENDORS)
    assert (made.book, [each.wants for each in made.after.offers]) == ((), [booked(v.id) for v in VENDORS])
    assert heard(made, To.VENDOR) == ["dispatch.offer.made"] * 3
    taken = accepting(made.after, "r1.2", "v2")
    assert taken is not None
    assert (taken.book, taken.unbook) == (booked("v2"), ())
    assert states(taken.after) == [
        ("v1", O.CANCELLED, "taken"),
        ("v2", O.ACCEPTED, ""),
        ("v3", O.CANCELLED, "taken"),
    ]
    assert [each.bookings for each in taken.after.offers] == [(), booked("v2"), ()]
    assert not any(each.wants for each in taken.after.offers)


def test_silence_takes_nothing_of_a_broadcast_and_is_held_against_nobody() -> None:
    assumed = tuple(make.vendor(f"v{n}", assumed=True) for n in (1, 2))
    record: RequestRecord = broadcasting(make.received(), *assumed).after
    assert not any(each.assumed for each in record.offers)
    ended = due(record)
    assert ended is not None
    assert (states(ended.after)[0], ended.outcomes) == (("v1", O.EXPIRED, "expired"), ())
    assert after(due(ended.after)).state is RequestState.MATCHING


def test_who_has_no_room_any_more_is_closed_and_the_others_stay_good_to_the_last() -> None:
    record = broadcast()
    full = AcceptOffer(offer_id="r1.1").if_full
    decision = decide(record, full, vendor="v1")
    assert decision is not None
    assert (decision.book, decision.outcomes) == ((), ())
    left: RequestRecord = decision.after
    assert states(left) == [
        ("v1", O.CANCELLED, "no_capacity"),
        ("v2", O.REQUESTED, ""),
        ("v3", O.REQUESTED, ""),
    ]
    with pytest.raises(WrongState, match=r"no_capacity.*\nMaybe post more capacity"):
        accepting(left)
    for offer, vendor in (("r1.2", "v2"), ("r1.3", "v3")):
        left = after(decide(left, replace(full, offer_id=offer), vendor=vendor))
    assert (left.state, left.declined_by) == (RequestState.MATCHING, frozenset()), "they may be asked again"


def test_while_it_collects_a_yes_is_noted_once_and_the_cheapest_has_it_at_the_end() -> None:
    record = broadcast(values=COLLECTS)
    assert record.timer_ms == record.collect_ms == NOW + 120_000
    for offer, vendor in (("r1.3", "v3"), ("r1.2", "v2")):
        decision = accepting(record, offer, vendor, reference=f"van of {vendor}", values=COLLECTS)
        assert decision is not None
        assert decision.book == ()
        record = decision.after
        assert accepting(record, offer, vendor, values=COLLECTS) is None
    assert record.state is RequestState.OFFERED
    view = offer_view(record, record.offers[2], BODY)
    assert (view.state, view.willing, view.decided_by) == (
        O.REQUESTED,
        True,
        request_view(record).collects_until,
    )
    ended = due(record)
    assert ended is not None
    assert (ended.book, ended.after.dispatch.reference) == (booked("v2"), "van of v2")
    assert [each[1] for each in states(ended.after)] == [O.CANCELLED, O.ACCEPTED, O.CANCELLED]


def test_at_its_end_who_has_no_room_is_passed_over_and_told_so() -> None:
    record = broadcast(values=COLLECTS)
    for offer, vendor in (("r1.1", "v1"), ("r1.3", "v3")):
        record = after(accepting(record, offer, vendor, values=COLLECTS))
    fire: Command = FireTimer(kind="request", id="r1").if_full
    ended = decide(record, fire, now_ms=record.timer_ms, by="timer")
    assert ended is not None
    assert (ended.book, states(ended.after)) == (
        booked("v3"),
        [("v1", O.CANCELLED, "no_capacity"), ("v2", O.CANCELLED, "taken"), ("v3", O.ACCEPTED, "")],
    )
    assert heard(ended, To.VENDOR).count("dispatch.offer.closed") == 2
    nobody = decide(record, fire.if_full, now_ms=record.timer_ms, by="timer")
    assert [each[1] for each in states(after(nobody))] == [O.CANCELLED, O.REQUESTED, O.CANCELLED]
    assert after(accepting(after(nobody), "r1.2", "v2", now_ms=record.timer_ms)).dispatch.vendor_id == "v2"


def test_a_yes_after_the_end_that_no_timer_has_decided_yet_is_one_of_those_that_count() -> None:
    record = after(accepting(broadcast(values=COLLECTS), "r1.2", "v2", values=COLLECTS))
    late_ms = record.collect_ms + 1
    record = after(accepting(record, "r1.3", "v3", now_ms=late_ms, values=COLLECTS))
    assert after(due(record, late_ms)).dispatch.vendor_id == "v2"


def test_once_all_have_answered_nobody_is_waited_for() -> None:
    record = after(accepting(broadcast(values=COLLECTS), "r1.3", "v3", values=COLLECTS))
    record = after(accepting(record, "r1.2", "v2", values=COLLECTS))
    assert record.timer_ms == NOW + 120_000
    record = declined(record).after
    assert record.timer_ms == NOW
    assert after(due(record)).dispatch.vendor_id == "v2"


def test_what_no_payer_has_agreed_to_is_not_booked_by_who_takes_it_of_a_broadcast() -> None:
    record = replace(broadcast(), authorization=Needed(("wheelchair",)))
    decision = accepting(record, "r1.2", "v2")
    assert decision is not None
    assert (decision.after.state, decision.book, decision.unbook) == (RequestState.ON_HOLD, (), ())
    assert {each[1] for each in states(decision.after)} == {O.CANCELLED}
    assert not any(each.wants for each in decision.after.offers)


def test_a_broadcast_is_one_attempt_of_its_request_whatever_came_of_each_offer() -> None:
    back = after(reporting(after(accepting(broadcast())), T.TURNED_BACK))
    assert attempts(back.offers) == 1, "one turned it back, two lost to it"
    again: RequestRecord = broadcasting(back, *VENDORS[1:], values={"max_attempts": 2}, now_ms=NOW + 1).after
    assert [each[1] for each in states(again)[3:]] == [O.REQUESTED, O.REQUESTED]
    full = again
    for offer, vendor in (("r1.4", "v2"), ("r1.5", "v3")):
        command = AcceptOffer(offer_id=offer).if_full
        full = after(decide(full, command, vendor=vendor))
    assert (full.state, attempts(full.offers)) == (RequestState.MATCHING, 2)
    assert (exhausted(full, {"max_attempts": 2}), exhausted(full, {"max_attempts": 3})) == (True, False)


def test_what_ops_takes_back_of_a_broadcast_is_no_attempt() -> None:
    back = after(decide(broadcast(), WithdrawOffers(request_id="r1"), by=Role.OPS))
    assert (len(back.offers), attempts(back.offers)) == (3, 0)


def test_more_may_be_asked_at_once_than_a_request_may_be_offered_times() -> None:
    many = tuple(make.vendor(f"v{n:02}") for n in range(32))
    record: RequestRecord = broadcasting(make.received(), *many, values={"max_attempts": 1}).after
    assert (len(record.live_offers), attempts(record.offers)) == (32, 1)


def test_who_said_yes_may_take_it_back_until_it_is_decided() -> None:
    record = after(accepting(broadcast(values=COLLECTS), values=COLLECTS))
    record = declined(record).after
    assert after(due(record)).state is RequestState.OFFERED, "the others are still asked"
    assert states(record)[0] == ("v1", O.REJECTED, "OTHER")


def test_a_decline_asks_the_next_of_the_chain_in_the_same_step() -> None:
    record = cascade()
    assert [each.vendor_id for each in record.chain] == ["v2", "v3"]
    decision = declined(record)
    assert (decision.unbook, decision.book) == (booked("v1"), booked("v2"))
    assert heard(decision, To.VENDOR) == ["dispatch.offer.closed", "dispatch.offer.made"]
    asked: RequestRecord = decision.after
    assert (asked.state, [each.vendor_id for each in asked.chain]) == (RequestState.OFFERED, ["v3"])
    assert asked.timer_ms == asked.offers[1].expires_ms == NOW + 24 * MINUTE_MS
    assert decide(asked, DeclineOffer(offer_id="r1.1", code=DeclineCode.OTHER), vendor="v1") is None


def test_silence_goes_on_down_the_chain_and_at_its_end_the_matcher_is_asked() -> None:
    record = cascade()
    for vendor in ("v2", "v3"):
        record = after(due(record, body=BODY))
        assert (record.state, record.live_offers[0].vendor_id) == (RequestState.OFFERED, vendor)
    record = after(due(record, body=BODY))
    assert (record.state, record.declined_by) == (RequestState.MATCHING, {"v1", "v2", "v3"})


def test_who_is_full_or_changed_is_passed_over_and_keeps_its_good_name() -> None:
    record = declined(cascade(), passed_over=1).after
    assert [each[:2] for each in states(record)] == [("v1", O.REJECTED), ("v3", O.REQUESTED)]
    nobody = declined(cascade(), passed_over=2)
    assert (nobody.after.state, nobody.after.chain, nobody.book) == (RequestState.MATCHING, (), ())
    assert nobody.after.declined_by == {"v1"}


def test_a_link_whose_start_has_gone_by_or_with_no_offers_left_is_not_asked() -> None:
    record = cascade(values={"max_attempts": 1})
    over = declined(record, values={"max_attempts": 1})
    assert (over.after.state, over.after.has_nobody_left) == (RequestState.MATCHING, True)
    record = cascade()
    late = replace(record, chain=tuple(replace(each, start_ms=NOW - 1) for each in record.chain))
    assert declined(late).after.state is RequestState.MATCHING
    assert declined(record, body=None).after.state is RequestState.MATCHING, "what was asked cannot be read"


def test_silence_accepts_for_a_link_whose_vendor_agreed_to_that() -> None:
    assumed = make.vendor("v2", assumed=True)
    record = declined(cascade(VENDORS[0], assumed, VENDORS[2])).after
    taken = after(due(record, body=BODY))
    assert (taken.state, taken.dispatch.vendor_id, taken.chain) == (RequestState.ACCEPTED, "v2", ())


def test_what_is_turned_back_is_planned_anew() -> None:
    record = after(accepting(cascade()))
    back = after(reporting(record, T.TURNED_BACK, body=BODY))
    assert (back.state, back.chain) == (RequestState.MATCHING, ())


BOTH = pytest.mark.parametrize(
    "record", [broadcast(values=COLLECTS), cascade()], ids=["broadcast", "cascade"]
)


@BOTH
@pytest.mark.parametrize(
    ("command", "by", "state"),
    [
        (CancelRequest(request_id="r1"), "platform", RequestState.CANCELLED),
        (WithdrawOffers(request_id="r1"), "ops", RequestState.MATCHING),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Command) else "",
)
def test_who_cancels_or_withdraws_ends_all_that_is_out_and_all_that_would_follow(
    record: RequestRecord, command: Command, by: str, state: RequestState
) -> None:
    decision = decide(record, command, by=by, body=BODY)
    assert decision is not None
    over: RequestRecord = decision.after
    assert (over.state, over.live_offers, over.chain, over.collect_ms) == (state, (), (), 0)
    assert decision.unbook == tuple(each for offer in record.offers for each in offer.bookings)
    assert heard(decision, To.VENDOR) == ["dispatch.offer.closed"] * len(record.live_offers)


@BOTH
def test_what_is_amended_is_planned_anew(record: RequestRecord) -> None:
    decision = make.amending(record, Amend(notes="ring twice"))
    over: RequestRecord = after(decision)
    assert (over.state, over.live_offers, over.chain, over.collect_ms) == (RequestState.MATCHING, (), (), 0)


@BOTH
def test_a_vendor_chosen_by_hand_is_asked_alone(record: RequestRecord) -> None:
    plan = make.proposal(record, make.vendor("v9"))
    command = OfferByHand(request_id="r1", vendor_id="v9", request=BODY, proposal=plan)
    chosen: RequestRecord = after(decide(record, command, by="ops", subject="ana", roles=[Role.OPS]))
    assert [each.vendor_id for each in chosen.live_offers] == ["v9"]
    assert (chosen.chain, chosen.collect_ms) == ((), 0)


@BOTH
def test_no_plan_moves_it(record: RequestRecord) -> None:
    alone = replace(record, offers=record.offers[:1])
    assert movable_offer(alone, NOW + HOUR_MS // 12, {"move_settle_s": 0}) is None


def test_what_goes_before_it_moves_and_a_link_that_is_out_of_sequence_then_is_passed_over() -> None:
    before = after(accepting(make.offered(record=make.received(make.trip("r0", ahead_ms=HOUR_MS))), "r0.1"))
    record = cascading(
        replace(make.received(), after=(Link(request_id="r0"),)), *VENDORS, tasks=[before]
    ).after
    late = replace(record.chain[0], start_ms=before.offers[0].end_ms - 1)
    record = replace(record, chain=(late, *record.chain[1:]))
    assert declined(record, tasks=[before]).after.live_offers[0].vendor_id == "v3"


def test_a_part_of_a_bundle_and_what_stands_in_a_sequence_is_asked_for_down_a_chain() -> None:
    request = make.trip(offer_mode=OfferMode.BROADCAST)
    record = make.received(request)

    def mode(each: RequestRecord) -> OfferMode | None:
        return mode_of(each, request, NOW, {}, {})

    assert mode(record) is OfferMode.BROADCAST
    for tied in (
        {"bundle_until_ms": 1},
        {"before": ("r2",)},
        {"after": (Link(request_id="r0"),)},
        {"apart": ("r3",)},
    ):
        assert mode(replace(record, **tied)) is OfferMode.CASCADE


def test_nobody_is_bound_by_silence_who_did_not_agree_and_a_request_may_ask_for_an_answer_of_all() -> None:
    explicit, assumed = make.vendor("v1"), make.vendor("v1", assumed=True)

    def offered(to: Any, mode: OfferMode) -> bool:
        record = make.received()
        lists = {"cascade_services": ("*",)}
        named = mode_of(record, make.trip(offer_mode=mode), NOW, {}, lists)
        plan = make.proposal(record, to)
        made = MakeOffer(request_id="r1", request=make.trip(), proposal=plan, mode=named)
        is_assumed: bool = after(decide(record, made, by="matcher")).offers[0].assumed
        return is_assumed

    assert not offered(explicit, OfferMode.ASSUMED)
    assert offered(assumed, OfferMode.ASSUMED)
    assert not offered(assumed, OfferMode.EXPLICIT)


def test_a_broadcast_that_was_taken_counts_as_one_offer_that_was_accepted() -> None:
    made = broadcasting(make.received(), *VENDORS)
    total = counted_in([made])
    total.update(counted_in([accepting(made.after)]))  # type: ignore[list-item]
    assert {cell.what: count for cell, count in total.items() if count} == {
        What.OFFERED: 1,
        What.CENTS: 4_500,
        What.ACCEPTED: 1,
    }
