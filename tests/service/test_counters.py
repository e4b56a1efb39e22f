"""What becomes of an offer that was countered: silence, races, the end of its time."""

from __future__ import annotations

import asyncio

import msgpack
import pytest

from contracts.codes import OfferState, RequestState
from contracts.counters import Counter, CounterState
from contracts.instants import MINUTE_MS, to_instant
from dispatcher.delivery.replies import Replies
from dispatcher.domain.refusals import DoesNotFit, WrongState
from dispatcher.jobs.timers import Timers
from dispatcher.store.events import FIELD
from tests.domain import make
from tests.service.world import World


def later(record_ms: int, minutes: int, cents: int | None = None) -> Counter:
    return Counter(start_at=to_instant(record_ms + minutes * MINUTE_MS), price_cents=cents)


async def offered(world: World, *, assumed: bool = False, units: int = 3) -> int:
    """A ride put to a vendor; when it would start."""
    vendor = make.vendor(assumed=assumed)
    await world.open_with(vendor, units=units)
    await world.submit(make.trip("r1"))
    assert (await world.offer("r1", vendor)).ok
    return (await world.record("r1")).offers[0].start_ms


async def test_who_counters_is_not_silent_so_silence_does_not_accept(world: World) -> None:
    start_ms = await offered(world, assumed=True)
    await world.counter("r1.1", later(start_ms, 5, 99_900), world.vendor())
    world.clock.ms = (await world.record("r1")).offers[0].expires_ms
    await Timers(world.service).fire_due(world.market)
    record = await world.record("r1")
    assert (record.state, record.offers[0].state) == (RequestState.MATCHING, OfferState.EXPIRED)


@pytest.mark.parametrize(
    ("share", "state"), [(0.0, "pending"), (0.49, "pending"), (0.5, "taken"), (1.0, "taken")]
)
async def test_a_price_of_which_a_digit_is_missing_is_not_taken_before_a_person_saw_it(
    world: World, share: float, state: str
) -> None:
    start_ms = await offered(world)
    price = (await world.record("r1")).offers[0].price_cents
    await world.counter("r1.1", later(start_ms, 5, round(price * share)), world.vendor())
    (offer,) = (await world.record("r1")).offers
    assert offer.counter is not None and offer.counter.state.value == state


async def test_taken_by_two_people_at_once_it_is_booked_once(world: World) -> None:
    start_ms = await offered(world)
    await world.counter("r1.1", later(start_ms, 5, 99_900), world.vendor())
    taken = await asyncio.gather(*(world.answer_counter("r1.1", 1, take=True) for _ in range(4)))
    assert {each.version for each in taken} == {taken[0].version}
    (offer,) = (await world.record("r1")).offers
    assert (offer.state, offer.price_cents, offer.start_ms) == (
        OfferState.ACCEPTED,
        99_900,
        start_ms + 5 * MINUTE_MS,
    )
    assert offer.counter is not None and offer.counter.state is CounterState.TAKEN


async def test_a_reply_counters_as_a_call_does(world: World) -> None:
    start_ms = await offered(world)
    event = {
        "id": "one",
        "source": "/vendors",
        "type": "dispatch.reply.counter",
        "data": {
            "offer_id": "r1.1",
            "counter": {"start_at": to_instant(start_ms + 5 * MINUTE_MS).isoformat()},
        },
        "dispatchtoken": "v1",
    }
    key = world.keys.replies("v1")
    await world.store.reader.ask("XADD", key, "*", FIELD, msgpack.packb(event))
    replies = Replies(
        world.service,
        lambda token, now_ms: world.vendor(token),
        "a",
        wait_s=0.05,
        countered=world.quoter.countered,
    )
    running = asyncio.create_task(replies.run(world.market))
    while (await world.record("r1")).state is not RequestState.ACCEPTED:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await world.record("r1")).offers[0].start_ms == start_ms + 5 * MINUTE_MS


async def test_what_is_answered_cannot_be_answered_otherwise(world: World) -> None:
    start_ms = await offered(world)
    await world.counter("r1.1", later(start_ms, 5, 99_900), world.vendor())
    await world.answer_counter("r1.1", 1, take=False)
    with pytest.raises(WrongState):
        await world.answer_counter("r1.1", 1, take=True)
    with pytest.raises(DoesNotFit):
        await world.counter("r1.1", later(start_ms, 60 * 24 * 3), world.vendor())
