"""What vendors and the platform say has its effect once, whoever says it how often at the same time."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.codes import DeclineCode, OfferState, RequestState, Role, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import HOUR_MS
from contracts.offers import Accept, Decline
from contracts.patient_reads import PatientReadQuery
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.refusals import NotFound, Refusal, Reused, Unreadable, WrongState
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.store.idempotency import IdempotencyRecord
from tests.domain import make
from tests.service.world import World

T = TrackingStatus
NO = Decline(code=DeclineCode.BAD_WEATHER)


async def test_a_day_that_goes_well_from_offer_to_completion(world: World) -> None:
    await world.accepted()
    world.clock.ms += 4 * HOUR_MS
    for status in (T.EN_ROUTE, T.AT_PICKUP, T.ON_BOARD, T.COMPLETED):
        await world.report(world.vendor(), "r1.1", StatusUpdate(status=status))
    view = await world.service.requests.view(world.platform, world.market, "r1")
    assert (view.state, view.owner) == (RequestState.COMPLETED, "none")
    assert await world.heard(world.keys.stream("v1")) == [
        "dispatch.offer.made",
        "dispatch.dispatch.confirmed",
    ]
    assert await world.heard(world.keys.matches) == ["dispatch.request.matched"] * 2
    assert await world.service.offers.of_vendor(world.vendor(), world.market, "v1") == []
    assert await world.booked() == 1


async def test_a_decline_frees_the_capacity_and_the_next_vendor_is_offered(world: World) -> None:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await world.submit()
    await world.offer()
    await world.decline(world.vendor(), "r1.1", NO)
    assert await world.booked("v1") == 0
    assert (await world.offer(to=make.vendor("v2"))).ok
    assert (await world.record()).offers[-1].vendor_id == "v2"


async def test_a_key_that_comes_again_with_another_answer_is_refused_though_the_work_is_done(
    world: World,
) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    await world.offer()
    for reference in ("van 7", "van 7"):
        command = IdempotencyRecord.of("accept", "k", reference.encode())
        await world.accept(world.vendor(), "r1.1", Accept(reference=reference), command)
    with pytest.raises(Reused):
        changed = IdempotencyRecord.of("accept", "k", b"van 8")
        await world.accept(world.vendor(), "r1.1", Accept(reference="van 8"), changed)


async def test_racing_acceptances_book_once_and_all_get_the_same_answer(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    await world.offer()
    answers = await asyncio.gather(*(world.accept(world.vendor(), "r1.1", Accept()) for _ in range(32)))
    assert {answer.state for answer in answers} == {RequestState.ACCEPTED}
    assert (await world.heard(world.keys.stream("v1"))).count("dispatch.dispatch.confirmed") == 1


async def test_when_accept_decline_and_cancel_race_the_ledger_says_what_the_record_says(world: World) -> None:
    await world.open_with(make.vendor(), units=40)
    names = [f"r{n}" for n in range(24)]
    await world.submit(*map(make.trip, names))
    await asyncio.gather(*map(world.offer, names))
    who = world.vendor()
    racing = [
        command
        for name in names
        for command in (
            world.accept(who, f"{name}.1", Accept()),
            world.decline(who, f"{name}.1", NO),
            world.cancel(world.platform, name),
        )
    ]
    ended = await asyncio.gather(*racing, return_exceptions=True)
    assert all(isinstance(each, WrongState) for each in ended if isinstance(each, BaseException))
    records = [await world.record(name) for name in names]
    assert all(record.state is RequestState.CANCELLED for record in records)
    assert await world.booked() == 0


async def test_a_command_that_had_its_effect_is_answered_after_the_work_has_moved_on(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    await world.offer()
    who, command = world.vendor(), IdempotencyRecord.of("v1", "reply-1", b"accept")
    await world.accept(who, "r1.1", Accept(), command)
    await world.report(who, "r1.1", StatusUpdate(status=T.TURNED_BACK))
    again = await world.accept(who, "r1.1", Accept(), command)
    assert again.state is RequestState.MATCHING
    with pytest.raises(WrongState, match="is turned_back"):
        await world.accept(who, "r1.1", Accept(), IdempotencyRecord.of("v1", "reply-2", b"accept"))


async def test_another_vendors_offer_is_not_there(world: World) -> None:
    await world.accepted()
    stranger = world.vendor("v2")
    calls = [
        world.accept(stranger, "r1.1", Accept()),
        world.decline(stranger, "r1.1", NO),
        world.report(stranger, "r1.1", StatusUpdate(status=T.COMPLETED)),
        world.service.offers.offer(stranger, world.market, "r1.1"),
        world.service.offers.dispatch(stranger, world.market, "r1.1"),
    ]
    told = [str(each) for each in await asyncio.gather(*calls, return_exceptions=True)]
    unknown = await asyncio.gather(world.accept(stranger, "r9.1", Accept()), return_exceptions=True)
    assert set(told) == {str(unknown[0]).replace("r9", "r1")}
    for call in (world.service.offers.of_vendor, world.service.vendors.get):
        with pytest.raises(NotFound):
            await call(stranger, world.market, "v1")  # type: ignore[operator]
    with pytest.raises(NotFound):
        await world.service.requests.view(stranger, world.market, "r1")


async def test_a_vendor_sees_the_patient_after_it_accepted_and_ops_never(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    await world.offer()
    with pytest.raises(WrongState):
        await world.service.offers.dispatch(world.vendor(), world.market, "r1.1")
    (offer,) = await world.service.offers.of_vendor(world.vendor(), world.market, "v1")
    assert offer.state is OfferState.REQUESTED
    await world.accept(world.vendor(), "r1.1", Accept())
    assert (await world.service.offers.dispatch(world.vendor(), world.market, "r1.1")).patient == replace(
        make.patient(), record_number=""
    )
    assert (await world.service.offers.dispatch(world.ops, world.market, "r1.1")).patient is None
    assert (
        await world.service.offers.offer(world.platform, world.market, "r1.1")
    ).state is OfferState.ACCEPTED


async def test_an_answer_is_of_the_body_that_was_decided_on_and_of_another_once_that_was_written_anew(
    world: World,
) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    await world.offer()
    who, offers = world.vendor(), world.service.offers
    looked = offers.looking(who, world.market, "r1.1", whole=True)
    command = AcceptOffer(offer_id="r1.1")
    after = await world.service.execute(who, world.market, command, look=looked)
    (read,), _ = await world.service.patient_reads.page(world.ops, world.market, PatientReadQuery())
    assert (read.request_id, read.by) == ("r1", "vendor:v1"), "noted in the commit that makes it a dispatch"
    amended = await world.amend("r1", Amend(patient=make.patient("two")))
    assert (after.revision, amended.revision) == (0, 1)
    looked.left = amended
    shown = await offers.dispatch(who, world.market, "r1.1", looked)
    assert shown.patient == replace(make.patient("two"), record_number="")
    await world.store.reader.ask("DEL", world.keys.body(REQUEST_KIND, "r1"))
    looked.left = after
    shown = await offers.dispatch(who, world.market, "r1.1", looked)  # nothing is read again
    assert shown.patient == replace(make.patient(), record_number="")
    looked.left = amended
    with pytest.raises(Unreadable):
        await offers.dispatch(who, world.market, "r1.1", looked)


@pytest.mark.parametrize("name", ["r1", "r1.2", "nothing", "r1.1.1", ".1"])
async def test_ids_that_name_no_offer_are_not_there(world: World, name: str) -> None:
    await world.accepted()
    with pytest.raises(NotFound):
        await world.accept(world.vendor(), name, Accept())
    with pytest.raises(NotFound):
        await world.service.offers.offer(world.someone(Role.OPS), world.market, name)


async def test_cancelling_is_for_the_platform_and_happens_once(world: World) -> None:
    await world.accepted()
    for _ in range(2):
        record = await world.cancel(world.platform, "r1", code="patient_stays")
    assert record.history[-1].code == "patient_stays"
    assert await world.booked() == 0
    assert (await world.heard(world.keys.stream("v1")))[-1] == "dispatch.offer.closed"
    with pytest.raises(Refusal):
        await world.cancel(world.vendor(), "r1")


async def test_a_vendors_record_counts_each_piece_of_work_once_however_often_it_is_reported(
    world: World,
) -> None:
    await world.accepted()
    done = StatusUpdate(status=T.COMPLETED)
    world.clock.ms += 4 * HOUR_MS + HOUR_MS // 2
    await asyncio.gather(*(world.report(world.vendor(), "r1.1", done) for _ in range(8)))
    await world.submit(make.trip("r2", ahead_ms=24 * HOUR_MS), key="k2")
    await world.offer("r2")
    await world.decline(world.vendor(), "r2.1", Decline(code=DeclineCode.NO_VEHICLES_AVAILABLE))
    scorecards = world.store.market(world.market).scorecards
    card = {"accepted": 1, "on_time": 1, "declined": 1, "declined.NO_VEHICLES_AVAILABLE": 1}
    assert await scorecards.of(["2026-02", "2026-03"]) == {"v1": card}
    assert await scorecards.of(["2026-02"]) == {}
    assert await world.store.reader.ask("PTTL", world.keys.scorecards("2026-03-02")) > 0, "old counts must go"
