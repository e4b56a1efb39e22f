"""Who may do what: generated from the routes, so that a new route is covered the day it is written."""

from __future__ import annotations

import pytest

from contracts.codes import Role
from contracts.operations import Operation
from dispatcher.domain.rights import ALONE
from tests.http.conftest import GUARDED, OPEN, Api, trip

PLACES = {
    "request_id": "no-such",
    "offer_id": "no-such.1",
    "task_id": "no-such.unmatched",
    "order_id": "no-such",
    "what_if_id": "no-such",
    "version": "7",
    "letter_id": "1-1",
    "webhook_id": "no-such",
    "notification_id": "no-such",
    "name": "no-such",
    "episode_id": "no-such",
    "authorization_id": "no-such",
    "vendor_id": "v1",
    "day": "2026-03-03",
    "type": "not-found",
    "digest": "0123456789abcdef",
    "number": "1",
    "part": "pickup",
    "kind": "auto_insurance",
    "dispute_id": "no-such.1.late_dispute",
}


def _path(operation: Operation, market: str) -> str:
    return operation.path.format_map(PLACES | {"market": market})


@pytest.mark.parametrize("role", list(Role))
async def test_each_route_serves_its_roles_and_refuses_the_others(api: Api, role: Role) -> None:
    vendor = "v1" if role is Role.VENDOR else ""
    for operation in GUARDED:
        headers = api.headers(role, vendor) | {"Content-Type": "application/json"}
        body = b"{" if operation.body else None  # malformed: past the gate it is a 400, and nothing happens
        async with api.client.request(
            operation.method, _path(operation, api.market), data=body, headers=headers
        ) as answer:
            if role in (operation.roles or ()):
                assert answer.status not in (401, 403, 500), operation.id
            else:
                assert answer.status == 403, operation.id


PAIRS = [{Role.COORDINATOR, Role.CASE_MANAGER}, {Role.CASE_MANAGER, Role.OPS}]


@pytest.mark.parametrize("roles", PAIRS, ids=lambda roles: "+".join(sorted(roles)))
async def test_with_several_roles_each_route_serves_who_has_one_that_may(api: Api, roles: set[Role]) -> None:
    token = api.token(*roles, subject="ann")
    headers = api.headers(Authorization=f"Bearer {token}") | {"Content-Type": "application/json"}
    for operation in GUARDED:
        body = b"{" if operation.body else None
        async with api.client.request(
            operation.method, _path(operation, api.market), data=body, headers=headers
        ) as answer:
            served = answer.status not in (401, 403, 500)
            assert served == bool(roles & (operation.roles or set())), operation.id


async def test_whom_a_route_is_not_for_is_told_whom_it_is_for_and_all_that_it_is_itself(api: Api) -> None:
    token = api.token(Role.COORDINATOR, Role.CASE_MANAGER)
    status, problem = await api.call("GET", "/tuning", Authorization=f"Bearer {token}")
    assert (status, problem["type"]) == (403, "/problems/forbidden")
    assert "this is for ops, and the token's role is case_manager, coordinator" in problem["detail"]


async def test_no_role_opens_another_market(api: Api) -> None:
    token = api.token(*(set(Role) - ALONE), markets=["elsewhere"])
    for path in ("/requests", "/requests/r1", "/tasks", "/tuning"):
        status, problem = await api.call("GET", path, Authorization=f"Bearer {token}")
        assert (status, problem["type"]) == (404, "/problems/not-found")


async def test_no_route_of_a_market_answers_without_a_token(api: Api) -> None:
    for operation in GUARDED:
        async with api.client.request(operation.method, _path(operation, api.market)) as answer:
            assert answer.status == 401, operation.id
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_services_own_routes_are_open(api: Api) -> None:
    for operation in OPEN:
        async with api.client.request(operation.method, _path(operation, api.market)) as answer:
            assert answer.status == 200, operation.id


async def test_another_vendors_things_do_not_exist_for_a_vendor(api: Api) -> None:
    for path in ("/vendors/v2", "/vendors/v2/capacity/2026-03-03", "/dispatches/r1.1"):
        status, problem = await api.call("GET", path, role=Role.VENDOR, vendor="v1")
        assert (status, problem["type"]) == (404, "/problems/not-found")


async def test_a_vendor_reads_no_requests(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    assert (await api.call("GET", "/requests/r1", role=Role.VENDOR, vendor="v1"))[0] == 403
