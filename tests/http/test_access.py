"""Who may do what: generated from the routes, so that a new route is covered the day it is written."""

from __future__ import annotations

from string import Formatter
from typing import Any

import msgspec
import pytest

from contracts.codes import Role
from contracts.operations import Operation
from contracts.proofs import MAGIC, PNG
from dispatcher.domain.rights import ALONE
from tests.http.conftest import GUARDED, OPEN, Api, trip
from tests.http.test_by_hand import VENDOR, add, answered, put_to
from tests.http.test_versions import POOLS

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
    "month": "2026-03",
    "type": "not-found",
    "digest": "0123456789abcdef",
    "number": "1",
    "part": "pickup",
    "kind": "auto_insurance",
    "dispute_id": "no-such.1.late_dispute",
    "item_id": "no-such.1",
    "line": "1",
}


def _named(path: str) -> set[str]:
    """What a path leaves to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(path) if name}


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


WISHES: dict[str, Any] = {  # what a call says, in its body or its query, by its operation; else nothing
    "listScoreRequests": {"figure": "accepted"},
    "putVendor": VENDOR,
    "putCapacity": POOLS,
    "putCredentialDocument": b"%PDF-1.4",
    "putProofPicture": MAGIC[PNG],
    "disputeScore": {"offer_id": "r1.1", "outcome": "late", "text": "it was not"},
    "declineOffer": {"code": "NO_VEHICLES_AVAILABLE"},
    "counterOffer": {"price_cents": 5_000},
    "agreeToAmendment": {"number": 1},
    "refuseAmendment": {"number": 1},
    "reportStatus": {"status": "en_route"},
    "disputePrice": {"line": 1, "text": "it was not"},
    "disputeItem": {"line": 1, "text": "it was not"},
    "giveProof": {"part": "pickup"},
    "postMessage": {"text": "hello"},
    "changeWebhook": {"url": "https://elsewhere.example/"},
    "replayWebhook": {"after": "0-0"},
}
OWN = [
    each
    for each in GUARDED
    if Role.VENDOR in (each.roles or ()) and {"vendor_id", "offer_id", "webhook_id"} & _named(each.path)
]


async def test_another_vendors_things_do_not_exist_for_a_vendor_whatever_is_asked_of_them(api: Api) -> None:
    for name in ("v1", "v2"):
        await add(api, name)
    await api.call("POST", "/requests", trip("r1"))
    assert (await put_to(api, "v1"))[0] == 200
    await answered(api, "r1.1", "accept", "v1")
    wish = {"url": "https://v1.example/told"}
    _, hook = await api.call("POST", "/webhooks", wish, role=Role.VENDOR, vendor="v1")
    there = {"vendor_id": "v1", "offer_id": "r1.1", "webhook_id": hook["id"]}
    nowhere = {"vendor_id": "v9", "offer_id": "r9.1", "webhook_id": "no-such"}
    before = await api.call("GET", "/requests/r1")
    for each in OWN:
        told = []
        for known in (there, nowhere):
            status, text = await _asked(api, each, known)
            assert status == 404, (each.id, known, status, text)
            for name, absent in zip(known.values(), nowhere.values(), strict=True):
                text = text.replace(name, absent)
            told.append(text)
        assert told[0] == told[1], "not even the words tell one that exists from one that does not"
    assert await api.call("GET", "/requests/r1") == before
    assert (await api.call("GET", f"/webhooks/{hook['id']}", role=Role.VENDOR, vendor="v1"))[1] == hook


async def _asked(api: Api, operation: Operation, known: dict[str, str]) -> tuple[int, str]:
    """By v2: status, and what is told."""
    path = operation.path.format_map(PLACES | known | {"market": api.market})
    wish, headers = WISHES.get(operation.id, {}), api.headers(Role.VENDOR, "v2")
    if operation.id == "putVendor":
        wish = wish | {"id": known["vendor_id"]}
    said: dict[str, Any] = {"params": wish}
    if operation.body:
        headers |= {"Content-Type": next(iter(operation.body.media_types))}
        said = {"data": wish if isinstance(wish, bytes) else msgspec.json.encode(wish)}
    async with api.client.request(operation.method, path, headers=headers, **said) as answer:
        found = await answer.json(content_type=None)
        return answer.status, str(found.get("detail", found))


async def test_a_vendor_reads_no_requests(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    assert (await api.call("GET", "/requests/r1", role=Role.VENDOR, vendor="v1"))[0] == 403
