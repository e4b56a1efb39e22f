"""A coordinator and a case manager at their work, with the client that they have."""

from __future__ import annotations

import msgspec
import pytest

from client.care import CareClient
from client.errors import Problem
from contracts.codes import RequestState, Requirement, Role
from contracts.requests import TripRequest
from contracts.tasks import OwnerRole, TaskKind, TaskOutcome
from tests.http.conftest import Api, trip

AUTHORIZATION, PREDECESSOR = Requirement.AUTHORIZATION, Requirement.PREDECESSOR
RIDE = msgspec.convert(trip("r1", hold=[AUTHORIZATION, PREDECESSOR]), TripRequest)


def care(api: Api, subject: str, *roles: Role) -> CareClient:
    return CareClient(str(api.client.make_url("/")), api.token(*roles, subject=subject), api.market)


async def kinds(client: CareClient, owner: OwnerRole) -> list[TaskKind]:
    return [task.kind async for task in client.tasks(owner)]


async def test_a_coordinator_has_the_how_and_when_and_a_case_manager_the_what_and_why(api: Api) -> None:
    ann, cleo = care(api, "ann", Role.COORDINATOR), care(api, "cleo", Role.CASE_MANAGER)
    async with ann, cleo:
        assert await ann.submit(RIDE) == ["r1"]
        with pytest.raises(Problem, match="for coordinator, platform, and the token's role is case_manager"):
            await cleo.submit(RIDE)
        assert await kinds(cleo, OwnerRole.CASE_MANAGER) == [TaskKind.AUTHORIZATION_MISSING]
        assert (await cleo.claim("r1.authorization_missing")).claimed_by == "cleo"
        with pytest.raises(Problem, match="is for case_manager") as refused:
            await ann.resume("r1", AUTHORIZATION)
        assert refused.value.status == 403
        await ann.resume("r1", PREDECESSOR)
        await cleo.resume("r1", AUTHORIZATION)
        view = await cleo.view("r1")
        assert view.state is RequestState.RECEIVED
        assert [(step.by, step.subject) for step in view.history[-2:]] == [
            ("coordinator", "ann"),
            ("case_manager", "cleo"),
        ]
        assert [task async for task in ann.tasks()] == []
        with pytest.raises(Problem, match="no vendor v9"):
            await ann.offer("r1", "v9")
        await cleo.cancel("r1")


async def test_who_is_both_does_both_under_one_name(api: Api) -> None:
    async with care(api, "ann", Role.COORDINATOR, Role.CASE_MANAGER) as ann:
        await ann.submit(RIDE)
        taken = await ann.claim("r1.predecessor_missing")
        assert (taken.claimed_by, taken.outcome) == ("ann", None)
        await ann.resume("r1")
        assert (await ann.task("r1.predecessor_missing")).outcome is TaskOutcome.SETTLED
        step = (await ann.view("r1")).history[-1]
        assert (step.state, step.by, step.subject) == (RequestState.RECEIVED, "case_manager", "ann")
