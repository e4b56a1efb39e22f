"""One broadcast, answered over Redis by all whom it went to, twice: one has it, each is told once."""

from __future__ import annotations

import asyncio

import msgpack

from contracts.codes import OfferState, RequestState, Role
from contracts.instants import to_instant
from contracts.offer_modes import OfferMode
from dispatcher.audit.auditor import audit
from dispatcher.delivery.replies import Replies
from dispatcher.security.principal import Principal
from dispatcher.store.events import FIELD
from tests.domain import make
from tests.service.world import World

VENDORS = tuple(make.vendor(f"v{n}") for n in range(6))
EVENTS = 2 + 5 * 4  # made and confirmed; made, closed, and each of two replies refused


async def _accepts(world: World, vendor_id: str, offer: str, name: str) -> None:
    """The vendor's reply, on a stream of its own."""
    event = {
        "id": name,
        "source": "/vendors",
        "type": "dispatch.reply.accept",
        "subject": offer,
        "time": to_instant(make.NOW).isoformat(),
        "data": {"offer_id": offer},
        "dispatchtoken": vendor_id,
    }
    packed = msgpack.packb(event)
    await world.store.reader.ask("XADD", world.keys.replies(vendor_id), "*", FIELD, packed)


async def _told(world: World) -> dict[str, list[str]]:
    return {each.id: await world.heard(world.keys.stream(each.id)) for each in VENDORS}


async def test_of_all_that_reply_over_redis_one_has_it_and_the_others_hear_taken(world: World) -> None:
    await world.open_with(*VENDORS)
    await world.submit(make.trip())
    assert await world.ask("r1", OfferMode.BROADCAST, *VENDORS)
    for again in range(2):
        for number, each in enumerate(VENDORS, start=1):
            await _accepts(world, each.id, f"r1.{number}", f"{each.id}-{again}")

    def verify(token: str, now_ms: int) -> Principal:
        return world.someone(Role.VENDOR, token)

    replies = Replies(
        world.service, verify, "test", idle_ms=200, wait_s=0.05, countered=world.quoter.countered
    )
    consuming = asyncio.create_task(replies.run(world.market))
    try:
        async with asyncio.timeout(60):  # only ends a test that would never end
            while sum(map(len, (told := await _told(world)).values())) < EVENTS:
                await asyncio.sleep(0.02)
    finally:
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
    record = await world.record("r1")
    assert record.state is RequestState.ACCEPTED
    (winner,) = [each.vendor_id for each in record.offers if each.state is OfferState.ACCEPTED]
    assert [each.code for each in record.offers if each.vendor_id != winner] == ["taken"] * 5
    refused = ["dispatch.reply.refused"] * 2
    for vendor, heard in told.items():
        closed = ["dispatch.offer.closed", *refused]
        assert heard[0] == "dispatch.offer.made"
        assert heard[1:] == (["dispatch.dispatch.confirmed"] if vendor == winner else closed)
    assert (await audit(world.store.reader, world.market, ["r1"]))["findings"] == []
