"""A vendor says over Redis that it waits, by the same commands as over HTTP."""

from __future__ import annotations

from contracts.instants import MINUTE_MS, to_instant
from contracts.prices import PriceKind
from tests.delivery.test_replies import SOON_MS, Post
from tests.domain import make
from tests.service.world import World


async def test_it_waits_and_is_ready_once_however_often_it_says_so(world: World) -> None:
    await world.open_with(make.vendor("v1"))
    await world.submit(make.trip("r1", ahead_ms=SOON_MS))
    await world.offer()
    post = Post(world)
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    await post.read()
    start_ms = (await world.record()).offers[0].start_ms
    world.clock.ms = start_ms + 50 * MINUTE_MS
    since = to_instant(start_ms).isoformat()
    for name in ("e2", "e2", "e3"):
        await post.write("waiting", {"offer_id": "r1.1", "at": since}, name=name)
    for name in ("e4", "e4", "e5"):
        await post.write("ready", {"offer_id": "r1.1"}, name=name)
    await post.write("waiting", {"offer_id": "r1.1", "at": since}, name="e6")  # late: it had its effect
    await post.read()
    record = await world.record()
    (offer,) = record.offers
    assert [(each.since_ms, each.until_ms) for each in offer.waits] == [(start_ms, start_ms + 50 * MINUTE_MS)]
    assert (offer.price_lines[-1].kind, offer.price_lines[-1].cents) == (PriceKind.WAITING, 2_000)
    heard = await world.heard(world.keys.stream("v1"))
    assert "dispatch.reply.refused" not in heard
    assert heard.count("dispatch.dispatch.priced") == 2
    assert await post.pending() == 0
