"""What a request waits for is state: each requirement is lifted by itself, and a retry does not act later."""

from __future__ import annotations

from contracts.codes import RequestState, Requirement
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.store.idempotency import IdempotencyRecord
from tests.domain import make
from tests.service.world import World

BOTH = (Requirement.AUTHORIZATION, Requirement.PREDECESSOR)


async def give(world: World, command: HoldRequest | ResumeRequest, key: str) -> RequestState:
    idempotency = IdempotencyRecord.of(type(command).__name__, key, b"")
    record = await world.service.execute(world.case_manager, world.market, command, idempotency)
    return RequestState(record.state)


async def test_a_retried_resume_that_had_nothing_to_do_does_not_release_a_later_hold(world: World) -> None:
    await world.submit()
    resume = ResumeRequest(request_id="r1")
    assert await give(world, resume, "R1") is RequestState.RECEIVED
    held = HoldRequest(request_id="r1", requirement=Requirement.AUTHORIZATION)
    assert await give(world, held, "H1") is RequestState.ON_HOLD
    assert await give(world, resume, "R1") is RequestState.ON_HOLD, "a retry acts once, and it did"
    assert await give(world, resume, "R2") is RequestState.RECEIVED


async def test_a_request_on_hold_for_two_things_waits_for_the_other_when_one_is_there(world: World) -> None:
    await world.submit(make.trip(hold=BOTH))
    view = await world.service.requests.view(world.platform, world.market, "r1")
    assert [(each.requirement, each.owner) for each in view.waits_for] == [
        (Requirement.AUTHORIZATION, "case_manager"),
        (Requirement.PREDECESSOR, "care_coordinator"),
    ]
    assert view.owner == "case_manager"
    authorized = ResumeRequest(request_id="r1", requirement=Requirement.AUTHORIZATION)
    assert await give(world, authorized, "A") is RequestState.ON_HOLD
    view = await world.service.requests.view(world.platform, world.market, "r1")
    assert (view.owner, len(view.waits_for)) == ("care_coordinator", 1)
    assert await world.store.market(world.market).requests.open_ids(10) == []
    done = ResumeRequest(request_id="r1", requirement=Requirement.PREDECESSOR)
    after = await world.service.execute(world.platform, world.market, done)
    assert after.state is RequestState.RECEIVED
