"""Who may do what: generated from the routes, so that a new route is covered the day it is written."""

from __future__ import annotations

import pytest

from contracts.codes import Role
from contracts.operations import Operation
from tests.http.conftest import GUARDED, OPEN, Api, trip

PLACES = {
    "request_id": "no-such",
    "offer_id": "no-such.1",
    "task_id": "no-such.unmatched",
    "order_id": "no-such",
    "vendor_id": "v1",
    "day": "2026-03-03",
    "type": "not-found",
}


def _path(operation: Operation, market: str) -> str:
    return operation.path.format_map(PLACES | {"market": market})


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.id)
async def test_each_route_serves_its_roles_and_refuses_the_others(
    api: Api, operation: Operation, role: Role
) -> None:
    vendor = "v1" if role is Role.VENDOR else ""
    headers = api.headers(role, vendor) | {"Content-Type": "application/json"}
    body = b"{" if operation.body else None  # malformed: past the gate it is a 400, and nothing happens
    async with api.client.request(
        operation.method, _path(operation, api.market), data=body, headers=headers
    ) as answer:
        if role in (operation.roles or ()):
            assert answer.status not in (401, 403, 500)
        else:
            assert answer.status == 403


@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.id)
async def test_no_route_of_a_market_answers_without_a_token(api: Api, operation: Operation) -> None:
    async with api.client.request(operation.method, _path(operation, api.market)) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("operation", OPEN, ids=lambda each: each.id)
async def test_the_services_own_routes_are_open(api: Api, operation: Operation) -> None:
    async with api.client.request(operation.method, _path(operation, api.market)) as answer:
        assert answer.status == 200


async def test_another_vendors_things_do_not_exist_for_a_vendor(api: Api) -> None:
    for path in ("/vendors/v2", "/vendors/v2/capacity/2026-03-03", "/dispatches/r1.1"):
        status, problem = await api.call("GET", path, role=Role.VENDOR, vendor="v1")
        assert (status, problem["type"]) == (404, "/problems/not-found")


async def test_a_vendor_reads_no_requests(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    assert (await api.call("GET", "/requests/r1", role=Role.VENDOR, vendor="v1"))[0] == 403
