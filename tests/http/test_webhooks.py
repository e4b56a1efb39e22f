"""Webhooks over real HTTP: set by their owners, called in order, signed, and none of it anybody else's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from client.errors import Problem
from client.platform import PlatformClient
from client.vendor import VendorClient
from contracts.codes import Role
from dispatcher.delivery.webhooks import caller, callers
from dispatcher.delivery.webhooks.callers import Callers
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.runtime.addresses import Networks
from tests.delivery.receivers import Receiver, webhook
from tests.http.conftest import Api, trip
from tests.http.test_privacy import _held, canary, everything_told, logged, patient  # noqa: F401
from tests.http.test_vendors import VENDOR

LOOPBACK = Networks("127.0.0.0/8")


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what is looked at every second."""
    for module in (caller, callers):
        monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(caller, "FLUSH_EVERY_S", 0.01)


@contextlib.asynccontextmanager
async def sending(api: Api, owner: str = "one", networks: Networks = LOOPBACK) -> AsyncIterator[Poster]:
    """The part of the matcher process that calls webhooks."""
    poster = Poster(networks)
    task = asyncio.create_task(Callers(api.service, api.hub, poster, owner).run(api.market))
    try:
        yield poster
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await poster.aclose()


async def made(
    api: Api, url: str, role: Role = Role.PLATFORM, vendor: str = "", **more: Any
) -> dict[str, Any]:
    api.service.webhooks.networks = LOOPBACK
    status, view = await api.call("POST", "/webhooks", {"url": url, **more}, role=role, vendor=vendor)
    assert status == 201, view
    return dict(view)


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_the_platform_is_called_with_what_happens_signed_by_the_secret_it_reads(api: Api) -> None:
    receiver = Receiver()
    async with webhook(receiver) as url, sending(api):
        hook = await made(api, url, events=["dispatch.request.received"])
        await api.call("POST", "/requests", trip("r1"))
        await until(lambda: receiver.calls)
        _, secret = await api.call("GET", f"/webhooks/{hook['id']}/secret")
    ((headers, body),) = receiver.calls
    told = Verifier(secret["secret"]).verify(body, headers)  # signed by real time, whatever is played
    assert (told["type"], told["subject"], told["timestamp"]) == (
        "dispatch.request.received",
        "r1",
        told["time"],
    )


async def test_a_vendor_is_called_with_its_own_offers_and_sees_its_own_webhooks_alone(api: Api) -> None:
    own = await made(api, "https://v1.example/told", Role.VENDOR, "v1", events=["dispatch.offer.made"])
    platforms = await made(api, "https://platform.example/told")
    for role, vendor, seen in (
        (Role.VENDOR, "v1", [own["id"]]),
        (Role.VENDOR, "v2", []),
        (Role.PLATFORM, "", [platforms["id"]]),
        (Role.OPS, "", [own["id"], platforms["id"]]),
    ):
        _, page = await api.call("GET", "/webhooks", role=role, vendor=vendor)
        assert {each["id"] for each in page["webhooks"]} == set(seen)
    assert (await api.call("GET", "/webhooks?vendor_id=v1", role=Role.OPS))[1]["webhooks"] == [own]
    body = {"url": "https://elsewhere.example/"}
    for role, vendor in ((Role.VENDOR, "v2"), (Role.PLATFORM, "")):
        for method, end, sent in (
            ("GET", "", None),
            ("PUT", "", body),
            ("DELETE", "", None),
            ("POST", "/enable", None),
            ("POST", "/disable", None),
            ("GET", "/secret", None),
            ("POST", "/rotate-secret", None),
            ("POST", "/replay", {"after": "0-0"}),
            ("GET", "/deliveries", None),
            ("GET", "/dead-letters", None),
            ("POST", "/send-again", None),
            ("POST", "/test", None),
        ):
            path = f"/webhooks/{own['id']}{end}"
            status, problem = await api.call(method, path, sent, role=role, vendor=vendor)
            assert (status, problem["detail"].split("\n")[0]) == (404, f"there is no webhook {own['id']}"), (
                path
            )
    assert (await api.call("GET", f"/webhooks/{own['id']}", role=Role.VENDOR, vendor="v1"))[1] == own


async def test_ops_sets_one_for_a_vendor_and_a_platform_does_not(api: Api) -> None:
    wanted = {"url": "https://v1.example/told", "vendor_id": "v1"}
    assert (await api.call("POST", "/webhooks", wanted, role=Role.OPS))[0] == 404  # no such vendor yet
    await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS)
    status, hook = await api.call("POST", "/webhooks", wanted, role=Role.OPS)
    assert (status, hook["vendor_id"]) == (201, "v1")
    assert (await api.call("POST", "/webhooks", wanted))[0] == 403
    assert (await api.call("POST", "/webhooks", wanted, role=Role.VENDOR, vendor="v2"))[0] == 404
    await api.call("GET", f"/webhooks/{hook['id']}/secret", role=Role.OPS)
    _, audit = await api.call("GET", "/audit", role=Role.OPS)
    assert {"make_webhook", "read_webhook_secret"} <= {each["act"] for each in audit["acts"]}


async def test_what_was_asked_twice_under_one_key_is_done_once(api: Api) -> None:
    wanted, key = {"url": "https://platform.example/told"}, {"Idempotency_Key": "once"}
    first = await api.call("POST", "/webhooks", wanted, **key)
    assert await api.call("POST", "/webhooks", wanted, **key) == first
    path = f"/webhooks/{first[1]['id']}"
    before = (await api.call("GET", f"{path}/secret"))[1]
    for _ in range(2):
        await api.call("POST", f"{path}/rotate-secret", **key)
    after = (await api.call("GET", f"{path}/secret"))[1]
    assert (after["previous"], before["previous"]) == (before["secret"], "")
    assert (await api.call("POST", "/webhooks", {"url": "https://other.example/"}, **key))[0] == 422
    assert (await api.call("DELETE", path))[0] == 200
    status, told = await api.call("POST", "/webhooks", wanted, **key)
    assert (status, told["type"], told["state"]) == (409, "/problems/wrong-state", "gone")
    assert "was made under this Idempotency-Key, and is there no more" in told["detail"]


async def test_while_a_secret_is_rotated_both_sign_and_then_the_new_one_alone(api: Api) -> None:
    receiver = Receiver()
    async with webhook(receiver) as url, sending(api):
        hook = await made(api, url, events=["dispatch.request.received"])
        path = f"/webhooks/{hook['id']}"
        old = (await api.call("GET", f"{path}/secret"))[1]["secret"]
        await api.call("POST", f"{path}/rotate-secret", {"overlap_hours": 2})
        both = (await api.call("GET", f"{path}/secret"))[1]
        secrets = [both["secret"], old]
        await called_and_signed_by(api, receiver, secrets, [True, True])
        api.clock.ms += 2 * 3_600_000
        await called_and_signed_by(api, receiver, secrets, [True, False])
        alone = (await api.call("GET", f"{path}/secret"))[1]
    assert both["previous"] == old
    assert (alone["secret"], alone["previous"]) == (both["secret"], "")


async def test_each_secret_signs_as_long_as_its_rotation_said_unless_it_is_to_end_at_once(api: Api) -> None:
    receiver = Receiver()
    async with webhook(receiver) as url, sending(api):
        hook = await made(api, url, events=["dispatch.request.received"])
        path, secrets = f"/webhooks/{hook['id']}", list[str]()

        async def rotated(hours: int) -> int:
            secrets.insert(0, (await api.call("GET", f"{path}/secret"))[1]["secret"])
            return (await api.call("POST", f"{path}/rotate-secret", {"overlap_hours": hours}))[0]

        assert [await rotated(hours) for hours in (2, 1, 1, 1)] == [200, 200, 200, 409]
        await called_and_signed_by(api, receiver, secrets, [True] * 4)
        api.clock.ms += 3_600_000
        await called_and_signed_by(api, receiver, secrets, [True, False, False, True])
        assert await rotated(0) == 200
        await called_and_signed_by(api, receiver, secrets, [False] * 5)


async def called_and_signed_by(
    api: Api, receiver: Receiver, secrets: list[str], signed: list[bool], most: int = 50
) -> None:
    """The sender looks at how a webhook is set now and then: some calls may still go by what it was."""
    seen: list[list[bool]] = []
    while not seen or seen[-1] != signed:
        known = len(receiver.calls)
        assert len(seen) < most, seen
        await api.call("POST", "/requests", trip(f"r{known}"))
        await until(lambda known=known: len(receiver.calls) > known)
        seen.append(verified(receiver.calls[-1], secrets))


def verified(call: tuple[dict[str, str], bytes], secrets: list[str]) -> list[bool]:
    """Which of these secrets signed it."""
    headers, body = call
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signatures = headers["webhook-signature"].split(" ")
    return [Verifier(each).sign(headers["webhook-id"], at, body.decode()) in signatures for each in secrets]


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "https://127.0.0.1/"}, "/url"),
        ({"url": "https://localhost/"}, "/url"),
        ({"url": "http://vendor.example/"}, "/url"),
        ({"url": "https://user:pw@vendor.example/"}, "/url"),
        ({"url": "https://vendor.example/#x"}, "/url"),
        ({"url": "https://2130706433/"}, "/url"),
        ({"url": "ftp://vendor.example/"}, "/url"),
        ({"url": "https://[::1"}, "/url"),
        ({"url": "https://vendor.example:99999/"}, "/url"),
        ({"url": "https://vendor.example/", "events": ["dispatch.offer.made"]}, "/events/0"),
        ({"url": "https://vendor.example/", "description": " "}, "/description"),
    ],
)
async def test_what_cannot_be_meant_is_refused_where_it_stands(
    api: Api, wanted: dict[str, Any], pointer: str
) -> None:
    status, problem = await api.call("POST", "/webhooks", wanted)
    assert (status, problem["type"]) == (422, "/problems/invalid-message"), problem
    assert [each["pointer"] for each in problem["errors"]] == [pointer]
    assert "pw" not in str(problem)


async def test_a_removed_webhook_leaves_nothing_behind(api: Api) -> None:
    receiver = Receiver()
    async with webhook(receiver) as url, sending(api):
        hook = await made(api, url)
        await api.call("POST", "/requests", trip("r1"))
        await until(lambda: receiver.calls)
        status, left = await api.call("DELETE", f"/webhooks/{hook['id']}")
        assert status == 200, left
        assert left["webhooks"] == []
        assert await api.call("DELETE", f"/webhooks/{hook['id']}") == (200, left), (
            "said again, it is the same"
        )
        for role, vendor in ((Role.OPS, ""), (Role.VENDOR, "v1")):
            path = f"/webhooks/{hook['id']}"
            assert (await api.call("DELETE", path, role=role, vendor=vendor))[0] == 404
        await api.call("POST", "/requests", trip("r2"))
    assert (await api.call("GET", f"/webhooks/{hook['id']}"))[0] == 404
    keys = await api.store.reader.ask("KEYS", f"*{api.market}*{hook['id']}*")
    assert keys == []


async def test_a_test_call_is_made_once_signed_and_stands_in_the_log_whatever_is_answered(api: Api) -> None:
    receiver, base = Receiver(), str(api.client.make_url("/"))
    receiver.answer = lambda number: web.Response(status=500 if number == 2 else 204)
    await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS)
    async with (
        webhook(receiver) as url,
        sending(api),
        VendorClient(base, api.token(Role.VENDOR, vendor="v1"), api.market) as vendor,
    ):
        hook = await made(api, url, Role.VENDOR, "v1", events=["dispatch.offer.made"])
        secret = (await vendor.webhook_secret(hook["id"])).secret
        calls = []
        for key in ("k1", "k1", "k2"):
            calls.append(await vendor.test_webhook(hook["id"], key=key))
            number = len({each.event_id for each in calls})
            await until(lambda: len(receiver.calls) == number)  # noqa: B023  (awaited at once)
        assert calls[0] == calls[1] != calls[2]
        heard = [Verifier(secret).verify(body, headers) for headers, body in receiver.calls]
        assert [(each["type"], each["id"]) for each in heard] == [
            ("dispatch.webhook.test", calls[0].event_id),
            ("dispatch.webhook.test", calls[2].event_id),
        ]
        assert [headers["webhook-id"] for headers, _ in receiver.calls] == [
            each.webhook_id for each in calls[1:]
        ]
        part = api.store.market(api.market).webhooks

        async def all_made() -> bool:
            stored = await part.records.get(hook["id"])
            return stored is not None and not stored.tests

        async with asyncio.timeout(20):
            while not await all_made():
                await asyncio.sleep(0.005)
        log = [(each.event_id, each.outcome, each.code) async for each in vendor.deliveries(hook["id"])]
        assert log == [(calls[2].event_id, "failed", "http_500"), (calls[0].event_id, "delivered", "")]
        view = await vendor.webhook(hook["id"])
        assert (view.state, view.waiting, view.dead, view.delivered) == ("active", 0, 0, 0)
        await vendor.disable_webhook(hook["id"])
        with pytest.raises(Problem, match="disabled: nothing is sent"):
            await vendor.test_webhook(hook["id"])


async def test_so_many_test_calls_wait_and_no_more(api: Api) -> None:
    hook = await made(api, "https://platform.example/told")
    answers = [await api.call("POST", f"/webhooks/{hook['id']}/test") for _ in range(11)]
    assert [status for status, _ in answers] == [202] * 10 + [409]
    assert "the limit is 10" in answers[-1][1]["detail"]


async def test_so_many_webhooks_of_one_and_no_more(api: Api) -> None:
    for _ in range(10):
        await made(api, "https://v1.example/", Role.VENDOR, "v1")
    status, problem = await api.call(
        "POST", "/webhooks", {"url": "https://v1.example/"}, role=Role.VENDOR, vendor="v1"
    )
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    await made(api, "https://v2.example/", Role.VENDOR, "v2")


async def test_the_clients_library_does_all_of_it(api: Api) -> None:
    api.service.webhooks.networks = LOOPBACK
    receiver, base = Receiver(), str(api.client.make_url("/"))
    async with (
        webhook(receiver) as url,
        sending(api),
        PlatformClient(base, api.token(Role.PLATFORM), api.market) as client,
    ):
        hook = await client.make_webhook(url, ["dispatch.request.received"], key="k1", description="ours")
        await api.call("POST", "/requests", trip("r1"))
        await until(lambda: receiver.calls)
        first = (await client.webhook_secret(hook.id)).secret
        await client.rotate_webhook_secret(hook.id, overlap_hours=1)
        assert (await client.webhook_secret(hook.id)).previous == first
        await client.replay_webhook(hook.id, after=hook.position)
        await until(lambda: len(receiver.calls) == 2)
        await client.disable_webhook(hook.id)
        with pytest.raises(Problem, match="enable it first"):
            await client.send_webhook_again(hook.id)
        await client.enable_webhook(hook.id)
        await client.change_webhook(hook.id, url)
        await client.send_webhook_again(hook.id)
        assert [each.id async for each in client.webhooks()] == [hook.id]
        async with asyncio.timeout(5):
            while not [each async for each in client.deliveries(hook.id)]:
                await asyncio.sleep(0.01)
        assert [each async for each in client.dead_deliveries(hook.id)] == []
        assert (await client.webhook(hook.id)).description == ""
        await client.remove_webhook(hook.id)
        assert [each async for each in client.webhooks()] == []


async def test_no_call_and_nothing_that_is_kept_of_it_names_a_patient(
    api: Api,
    logged: list[str],  # noqa: F811
) -> None:
    receiver = Receiver()
    receiver.answer = lambda number: web.Response(status=500, text=canary("name"))
    async with webhook(receiver) as url, sending(api):
        hook = await made(api, f"{url}?token=CANARY-token")
        await api.call("POST", "/requests", trip("r1", patient=patient()))
        await until(lambda: receiver.calls)

        async def is_logged() -> bool:
            return bool((await api.call("GET", f"/webhooks/{hook['id']}/deliveries"))[1]["deliveries"])

        async with asyncio.timeout(5):
            while not await is_logged():
                await asyncio.sleep(0.01)
    told = "".join(body.decode() for _, body in receiver.calls)
    assert _held(told + await everything_told(api) + "\n".join(logged)) == []
    assert "CANARY-token" not in "\n".join(logged)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({}, 422),
        ({"after": "0-0", "since": "2026-03-02T08:00:00Z"}, 422),
        ({"after": "x"}, 422),
        ({"after": "99999999999999999999-0"}, 422),
        ({"since": "1970-01-01T00:00:00Z"}, 422),
        ({"after": "9999999999999999999-0"}, 200),
        ({"after": "0-0"}, 200),
        ({"since": "2100-12-31T00:00:00Z"}, 200),
    ],
)
async def test_it_begins_anew_from_any_place_there_may_be(
    api: Api, wanted: dict[str, Any], status: int
) -> None:
    receiver = Receiver()
    async with webhook(receiver) as url, sending(api):
        hook = await made(api, url, events=["dispatch.request.received"])
        found = await api.call("POST", f"/webhooks/{hook['id']}/replay", wanted)
        assert found[0] == status, found
        if status != 200:
            return
        async with asyncio.timeout(5):  # it is called from there on
            while not receiver.calls:
                await api.call("POST", "/requests", trip(f"r{api.clock.ms}"))
                api.clock.ms += 1
                await asyncio.sleep(0.05)
