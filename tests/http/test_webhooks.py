"""Webhooks over real HTTP: set by their owners, called in order, signed, and none of it anybody else's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook as Verifier

from contracts.codes import Role
from dispatcher.delivery.webhooks import caller, callers
from dispatcher.delivery.webhooks.callers import Callers
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.runtime.addresses import Networks
from tests.delivery.receivers import Receiver, webhook
from tests.http.conftest import Api, trip

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
    signer = Verifier(secret["secret"])
    at = api.clock.now_ms() // 1000
    assert headers["webhook-timestamp"] == str(at)
    expected = signer.sign(headers["webhook-id"], datetime.fromtimestamp(at, UTC), body.decode())
    assert headers["webhook-signature"] == expected
    told = msgspec.json.decode(body)
    assert (told["type"], told["subject"], told["timestamp"]) == (
        "dispatch.request.received",
        "r1",
        told["time"],
    )
