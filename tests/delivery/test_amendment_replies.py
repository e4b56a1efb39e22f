"""A vendor answers an amendment over Redis, by the same commands as over HTTP."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from contracts.amendments import Amend, AmendmentOutcome
from contracts.codes import RequestState
from contracts.geo import Place
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.quotes import Quoter
from tests.delivery.test_replies import SOON_MS, Post
from tests.domain import make
from tests.service.world import World


@pytest.fixture
async def post(world: World) -> Post:
    """The vendor of r1 is asked whether it keeps its work, to another door."""
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await world.submit(make.trip("r1", ahead_ms=SOON_MS))
    await world.offer()
    post = Post(world)
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    await post.read()
    quoter = Quoter(world.store, world.clock, {world.market: ZoneInfo("UTC")})

    async def prepare(record: RequestRecord, command: AmendRequest) -> AmendRequest:
        return await quoter.amended(world.market, record, command)

    command = AmendRequest(request_id="r1", patch=Amend(dropoff=Place(position=(-73.97, 40.78))))
    record = await world.service.execute(world.platform, world.market, command, prepare=prepare)
    assert record.pending is not None
    return post


@pytest.mark.parametrize(
    ("kind", "state", "outcome"),
    [
        ("agree", RequestState.ACCEPTED, AmendmentOutcome.AGREED),
        ("refuse", RequestState.MATCHING, AmendmentOutcome.REFUSED),
    ],
)
async def test_it_agrees_or_refuses_once_however_often_it_says_so(
    world: World, post: Post, kind: str, state: RequestState, outcome: AmendmentOutcome
) -> None:
    for name in ("e2", "e2", "e3"):
        await post.write(kind, {"offer_id": "r1.1", "amendment": 1}, name=name)
    await post.read()
    record = await world.record()
    assert (record.state, record.amendments[0].outcome) == (state, outcome)
    assert "dispatch.reply.refused" not in await world.heard(world.keys.stream("v1"))
    assert await post.pending() == 0


@pytest.mark.parametrize("data", [{}, {"amendment": 2}, {"amendment": 0}, {"amendment": -1}])
async def test_an_answer_to_no_amendment_is_refused_and_changes_nothing(
    world: World, post: Post, data: dict[str, int]
) -> None:
    before = await world.record()
    await post.write("agree", {"offer_id": "r1.1", **data}, name="e2")
    await post.read()
    assert await world.record() == before
    assert (await world.heard(world.keys.stream("v1")))[-1] == "dispatch.reply.refused"
