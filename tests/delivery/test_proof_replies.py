"""A vendor says over Redis that a part was done: sealed as over HTTP, once, and no name on a stream."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Role
from contracts.instants import MINUTE_MS, to_instant
from dispatcher.store.events import FIELD, unpack_event
from tests.delivery.test_replies import SOON_MS, Post
from tests.domain import make
from tests.service.world import World


@pytest.fixture
async def post(world: World) -> Post:
    """The vendor has the work, and writes."""
    await world.open_with(make.vendor("v1"))
    await world.submit(make.trip("r1", ahead_ms=SOON_MS))
    await world.offer()
    post = Post(world)
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    await post.read()
    return post


async def refusals(world: World) -> list[str]:
    """What the vendor is told."""
    entries = await world.store.reader.ask("XRANGE", world.keys.stream("v1"), "-", "+")
    found = [unpack_event(fields[FIELD.encode()]) for _, fields in entries]
    return [each.data["detail"] for each in found if each.type == "dispatch.reply.refused"]


async def test_a_part_is_proved_once_however_often_it_is_said_and_a_correction_counts(
    world: World, post: Post
) -> None:
    said: dict[str, Any] = {"part": "dropoff", "odometer_miles": 81_234.5, "signature": {"refused": "unable"}}
    for name in ("e2", "e2", "e3"):
        await post.write("proof", {"offer_id": "r1.1", "proof": said}, name=name)
    await post.write("proof", {"offer_id": "r1.1", "proof": said | {"odometer_miles": 81_235}}, name="e4")
    await post.read()
    view = await world.service.proofs.view(world.someone(Role.OPS), world.market, "r1.1")
    assert [(each.report.odometer_miles, each.counts, each.by) for each in view.parts] == [
        (81_234.5, False, "vendor:v1"),
        (81_235, True, "vendor:v1"),
    ]
    assert (await refusals(world), await post.pending()) == ([], 0)


async def test_a_name_a_position_another_part_and_another_time_are_told_back_and_not_kept(
    world: World, post: Post
) -> None:
    late = to_instant(world.clock.ms + 5 * MINUTE_MS).isoformat()
    odd: list[dict[str, Any] | None] = [
        {"part": "dropoff", "signature": {"by": "Canary Wren", "relationship": "self"}},
        {"part": "dropoff", "position": [-73.9, 40.7]},
        {"part": "dropoff", "at": late},
        {"part": "delivery"},
        {"part": "dropoff", "signature": {"by": "\u200b", "relationship": "self"}},
        None,
    ]
    for number, said in enumerate(odd):
        await post.write("proof", {"offer_id": "r1.1", "proof": said}, name=f"o{number}")
    await post.write("proof", {"offer_id": "r1.2", "proof": {"part": "dropoff"}}, name="other")
    await post.read()
    told = await refusals(world)
    assert (len(told), "Canary" in str(told)) == (7, False)
    for words in (
        "who signed",
        "a position",
        f"at is {late}",
        "is no part of",
        "`proof` is",
        "no offer r1.2",
    ):
        assert any(words in each for each in told), words
    record = await world.store.market(world.market).proofs.records.get("r1.1.proof")
    assert record is None
