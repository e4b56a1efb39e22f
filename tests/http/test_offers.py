"""A vendor's side over HTTP: it sees its own, little before it accepts, the door and the patient after."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
import pytest

from client.errors import Problem
from client.vendor import VendorClient
from contracts.codes import CredentialKind, DeclineCode, Role
from contracts.instants import HOUR_MS
from contracts.pools import Pools
from contracts.vendors import Credential
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.refusals import NotFound
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_versions import POOLS

DAY = "2026-03-02"
PAPERS = tuple(Credential(kind=kind, expires_on=date(2027, 1, 1)) for kind in CredentialKind)
VENDOR = msgspec.structs.replace(make.vendor(), credentials=PAPERS)


async def offered(api: Api, name: str = "r1", **changes: Any) -> str:
    """A request of the platform's that the matcher has offered to v1; the offer's id."""
    api.clock.ms = make.NOW
    await api.call("PUT", "/vendors/v1", msgspec.to_builtins(VENDOR), role=Role.OPS)
    await api.call("PUT", f"/vendors/v1/capacity/{DAY}", POOLS, role=Role.OPS)
    assert (await api.call("POST", "/requests", msgspec.to_builtins(make.trip(name, **changes))))[0] == 202
    return await offer(api, name)


async def offer(api: Api, name: str) -> str:
    """As the matcher does, of v1; the offer's id."""
    stored = api.store.market(api.market)
    fence = await stored.lease.acquire("test", 60_000)
    record, request = await stored.requests.records.get(name), await stored.requests.body(name)
    assert record is not None
    assert request is not None
    plan = make.proposal(record, make.vendor())
    command = MakeOffer(request_id=name, request=request, proposal=plan)
    outcome = await api.service.executor.attempt("matcher", api.market, command, record, fence=fence)
    assert outcome is not None
    assert outcome.ok
    return f"{name}.1"


async def _as_vendor(
    api: Api, method: str, path: str, body: Any = None, vendor: str = "v1"
) -> tuple[int, Any]:
    return await api.call(method, path, body, role=Role.VENDOR, vendor=vendor)


def _tells_the_patient(answer: Any) -> bool:
    return "Nightingale" in json.dumps(answer) or "Canary Row" in json.dumps(answer)


async def test_before_acceptance_a_vendor_sees_zone_and_price_but_neither_door_nor_patient(api: Api) -> None:
    offer_id = await offered(api)
    status, listed = await _as_vendor(api, "GET", "/offers")
    assert status == 200
    (offer,) = listed["offers"]
    assert (offer["id"], offer["state"], offer["price_cents"]) == (offer_id, "requested", 4_500)
    assert tuple(offer["pickup_zone"]) != make.DOOR
    assert not _tells_the_patient(listed)
    status, problem = await _as_vendor(api, "GET", f"/dispatches/{offer_id}")
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    assert not _tells_the_patient(problem)


async def test_an_accepted_offer_shows_door_and_patient_however_often_it_is_accepted(api: Api) -> None:
    offer_id = await offered(api)
    for _ in range(2):
        status, dispatch = await _as_vendor(api, "POST", f"/offers/{offer_id}/accept", {"reference": "T-1"})
        assert status == 200
        assert tuple(dispatch["pickup"]) == make.DOOR
        assert dispatch["patient"]["name"] == make.PATIENT.name
        assert dispatch["reference"] == "T-1"
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], view["attempts"][0]["reference"]) == ("accepted", "T-1")
    assert view["match"]["tuning_version"] == 3


async def test_a_declined_offer_is_gone_from_the_list_and_cannot_be_accepted(api: Api) -> None:
    offer_id = await offered(api)
    decline = {"code": "NO_VEHICLES_AVAILABLE"}
    status, offer = await _as_vendor(api, "POST", f"/offers/{offer_id}/decline", decline)
    assert (status, offer["state"]) == (200, "rejected")
    assert (await _as_vendor(api, "GET", "/offers"))[1] == {"offers": [], "unread": {}}
    status, problem = await _as_vendor(api, "POST", f"/offers/{offer_id}/accept")
    assert (status, problem["type"]) == (409, "/problems/wrong-state")


async def test_free_text_and_positions_are_refused_rather_than_dropped(api: Api) -> None:
    offer_id = await offered(api)
    for path, body in (
        (f"/offers/{offer_id}/decline", {"code": "OTHER", "note": "Nightingale did not answer"}),
        (f"/dispatches/{offer_id}/status", {"status": "en_route", "position": make.DOOR}),
    ):
        status, problem = await _as_vendor(api, "POST", path, body)
        assert (status, problem["type"]) == (422, "/problems/invalid-message")
        assert not _tells_the_patient(problem)


async def test_a_decline_without_a_code_of_the_list_is_refused(api: Api) -> None:
    offer_id = await offered(api)
    for body in ({}, {"code": "TOO_EARLY_IN_THE_MORNING"}):
        assert (await _as_vendor(api, "POST", f"/offers/{offer_id}/decline", body))[0] == 422
    assert (await api.call("GET", "/requests/r1"))[1]["state"] == "offered"


async def test_work_is_followed_to_its_end(api: Api) -> None:
    offer_id = await offered(api)
    await _as_vendor(api, "POST", f"/offers/{offer_id}/accept")
    api.clock.ms += 24 * HOUR_MS
    for status in ("en_route", "at_pickup", "on_board", "completed"):
        answer = await _as_vendor(api, "POST", f"/dispatches/{offer_id}/status", {"status": status})
        assert answer[0] == 200
    assert answer[1]["state"] == "completed"
    view = (await api.call("GET", "/requests/r1"))[1]
    assert view["state"] == "completed"
    assert [step["state"] for step in view["history"]][-2:] == ["in_progress", "completed"]


async def test_a_report_that_cannot_be_is_told_and_changes_nothing(api: Api) -> None:
    offer_id = await offered(api)
    await _as_vendor(api, "POST", f"/offers/{offer_id}/accept")
    for body in (
        {"status": "completed"},
        {"status": "no_show", "code": "NO_CLIENT"},
        {"status": "at_pickup", "code": "NOT_READY"},
        {"status": "failed", "code": "NO_CLIENT"},
    ):
        status, problem = await _as_vendor(api, "POST", f"/dispatches/{offer_id}/status", body)
        assert (status, problem["type"]) == (422, "/problems/invalid-request")
        assert "Maybe" in problem["detail"]
    assert (await api.call("GET", "/requests/r1"))[1]["state"] == "accepted"


@pytest.mark.parametrize("vendor", ["v2", "v10"])
async def test_another_vendors_offer_is_a_404_whatever_is_asked_of_it(api: Api, vendor: str) -> None:
    offer_id = await offered(api)
    asked = [
        ("POST", f"/offers/{offer_id}/accept", {}),
        ("POST", f"/offers/{offer_id}/decline", {"code": "OTHER"}),
        ("GET", f"/dispatches/{offer_id}", None),
        ("POST", f"/dispatches/{offer_id}/status", {"status": "completed"}),
    ]
    for method, path, body in asked:
        status, problem = await _as_vendor(api, method, path, body, vendor)
        missing = await _as_vendor(api, method, path.replace("r1.", "r9."), body, vendor)
        assert (status, problem["type"]) == (404, "/problems/not-found")
        told = problem["detail"].replace("r1.1", "…"), missing[1]["detail"].replace("r9.1", "…")
        assert told[0] == told[1]  # not even the words tell one that exists from one that does not
    assert (await _as_vendor(api, "GET", "/offers", vendor=vendor))[1] == {"offers": [], "unread": {}}
    assert (await api.call("GET", "/requests/r1"))[1]["state"] == "offered"


async def test_a_cancelled_request_releases_its_capacity_and_tells_its_vendor(api: Api) -> None:
    offer_id = await offered(api)
    await api.call("POST", "/requests/r1/cancel")
    status, problem = await _as_vendor(api, "POST", f"/offers/{offer_id}/accept")
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    assert (await api.call("PUT", f"/vendors/v1/capacity/{DAY}", POOLS, role=Role.OPS))[0] == 428


async def test_the_vendors_client_lists_its_offers_and_posts_its_capacity(api: Api) -> None:
    offer_id, day = await offered(api), date.fromisoformat(DAY)
    url, token = str(api.client.make_url("/")), api.token(Role.VENDOR, vendor="v1")
    async with VendorClient(url, token, api.market) as vendor:
        assert [each.id for each in await vendor.offers()] == [offer_id]
        posted = await vendor.capacity("v1", day)
        assert posted.value == msgspec.convert(POOLS, Pools)
        version = await vendor.put_capacity("v1", day, posted.value, version=posted.version)
        assert (await vendor.capacity("v1", day)).version == version
        with pytest.raises(Problem) as too_early:
            await vendor.dispatch(offer_id)
        with pytest.raises(Problem) as anothers:
            await vendor.capacity("v2", day)
        await vendor.accept(offer_id)
        with pytest.raises(Problem) as too_late:
            await vendor.decline(offer_id, DeclineCode.OTHER)
    assert (too_early.value.status, anothers.value.status, too_late.value.status) == (409, 404, 409)


async def test_capacity_below_what_is_booked_is_refused_with_each_place(api: Api) -> None:
    await offered(api)
    fewer = {"kind": "pools", "pools": [{"id": "vans", "serves": ["wheelchair"], "units": [0]}]}
    async with api.client.put(
        f"{api.base}/vendors/v1/capacity/{DAY}", json=fewer, headers=api.headers(Role.OPS, If_Match='"1"')
    ) as answer:
        problem = await answer.json(content_type=None)
    assert (answer.status, problem["type"]) == (409, "/problems/over-booked")
    assert problem["over_booked"][0]["booked"] == 1
    assert NotFound.type not in problem["type"]


async def test_quotes_rank_vendors_and_store_nothing(api: Api) -> None:
    await offered(api)
    quoted = msgspec.to_builtins(make.trip("q1"))
    status, answer = await api.call("POST", "/quotes", quoted)
    assert status == 200
    assert answer["quotes"][0]["vendor_id"] == "v1"
    assert answer["quotes"][0]["price_cents"] > 0
    assert await api.store.market(api.market).requests.records.get("q1") is None
    stretcher = quoted | {"level_of_service": "stretcher"}
    status, answer = await api.call("POST", "/quotes", stretcher)
    assert status == 200
    assert answer["unmatched"]["removed"]
