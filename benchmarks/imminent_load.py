"""The market of one rate of `bench imminent`: vendors registered, rides sent by the clock, matches heard."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zlib import crc32

import aiohttp
import msgspec

from benchmarks.busy_market import vendor_document
from contracts.codes import LevelOfService, Priority, Role, ServiceClass
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.pools import Pool, Pools
from contracts.requests import TripRequest
from dispatcher.runtime.errors import UserError
from dispatcher.security.tokens import claims, mint

MATCHED = b"dispatch.request.matched"
CENTRE = (-73.95, 40.74)  # of the rides
LEAD_MS = 30 * MINUTE_MS
PATIENCE_S = 60.0
AGAIN_S = 0.1
UNITS = 400
A_CALL = 500  # requests of the batch


@dataclass
class Told:
    """By ride: when it was sent (seconds since the first), and how long after its 202 its match was heard."""

    sent_s: dict[str, float] = field(default_factory=dict)
    waits_ms: dict[str, float] = field(default_factory=dict)
    late_ms: list[float] = field(default_factory=list)  # behind the clock, as they were sent
    refused: int = 0  # answers 503: asked again


class Market:
    """One market of a service that runs."""

    def __init__(self, name: str, port: int, keys: dict[str, Any], vendors: int) -> None:
        self.url, self.vendors = f"http://127.0.0.1:{port}/v1/markets/{name}", vendors
        now_ms = _now_ms()
        self.tokens = {
            role: mint(keys, claims(role, markets=[name], vendor_id="", now_ms=now_ms, hours=4))
            for role in (Role.OPS, Role.PLATFORM)
        }
        self.heard: dict[str, float] = {}
        self.hearing: asyncio.Task[None] | None = None  # what hears
        self.taken: dict[str, float] = {}
        self.calls = self.refused = 0

    async def play(self, rate: int, seconds: int, *, batch: int, changes: int) -> Told:
        """Register, send, hear."""
        timeout, connector = aiohttp.ClientTimeout(None), aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as self.session,
            self._listening(),
        ):
            for at in range(0, batch, A_CALL):
                leads = [20 * HOUR_MS + each * 1_000 for each in range(at, min(batch, at + A_CALL))]
                await self._send([self._trip(f"later-{each}", each) for each in leads])
            await self._register()
            async with self._changing(changes):
                told = await self._rides(rate, seconds)
            await self._all_heard(told)
        told.refused = self.refused
        told.waits_ms = {
            name: max(0.0, 1_000 * (self.heard[name] - self.taken[name]))
            for name in told.sent_s
            if name in self.heard
        }
        return told

    async def _register(self) -> None:
        """Who may serve, with what they post for today and the days around it."""
        await asyncio.gather(*(self._vendor(each) for each in range(self.vendors)))

    async def _vendor(self, number: int) -> None:
        vendor = vendor_document(number, CENTRE, 8_000 + 100 * number)
        await self._call("PUT", f"/vendors/{vendor.id}", msgspec.to_builtins(vendor))
        for days in range(-1, 2):
            await self._post(vendor.id, days, UNITS)

    async def _post(self, vendor_id: str, days: int, units: int, if_match: str = "") -> None:
        pool = Pool(id="vans", serves=tuple(ServiceClass), units=(units,) * 24)
        day = (to_instant(_now_ms()) + timedelta(days=days)).date().isoformat()
        path, posted = f"/vendors/{vendor_id}/capacity/{day}", msgspec.to_builtins(Pools(pools=(pool,)))
        await self._call("PUT", path, posted, if_match=if_match)

    async def _rides(self, rate: int, seconds: int) -> Told:
        told, began, calls = Told(), time.perf_counter(), list[asyncio.Task[None]]()
        for number in range(rate * seconds):
            due = began + number / rate
            if (wait_s := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            name = f"now-{number}"
            told.sent_s[name] = due - began
            told.late_ms.append(1_000 * max(0.0, time.perf_counter() - due))
            calls.append(asyncio.create_task(self._send([self._trip(name, LEAD_MS, Priority.ASAP)])))
        await asyncio.gather(*calls)
        return told

    async def _send(self, trips: list[TripRequest]) -> None:
        bodies = msgspec.to_builtins(trips)
        await self._call("POST", "/requests", {"requests": bodies}, Role.PLATFORM)
        now = time.perf_counter()
        self.taken |= {each.id: now for each in trips}

    async def _all_heard(self, told: Told) -> None:
        end = time.monotonic() + PATIENCE_S
        while told.sent_s.keys() - self.heard.keys() and time.monotonic() < end:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Hears each match as it is published. Raises UserError: it was cut off, which is no loss of work."""
        headers = {"Authorization": f"Bearer {self.tokens[Role.PLATFORM]}"}
        async with self.session.get(f"{self.url}/events", headers=headers) as stream:
            self.hearing = asyncio.create_task(self._hear(stream))
            try:
                yield
            finally:
                self.hearing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self.hearing

    async def _hear(self, stream: aiohttp.ClientResponse) -> None:
        async for line in stream.content:
            if line.startswith(b"data:") and MATCHED in line:
                now, told = time.perf_counter(), msgspec.json.decode(line[5:])
                self.heard.setdefault(told["subject"], now)
        raise UserError(f"the event stream {self.url}/events ended.", "Maybe its server did: run it by hand.")

    @contextlib.asynccontextmanager
    async def _changing(self, changes: int) -> AsyncIterator[None]:
        """Vendors post other capacity, one after the other. Raises UserError where that is not taken."""

        async def change() -> None:
            number = 0
            while True:
                await self._post(f"vendor-{number % self.vendors:04d}", 0, UNITS + 1 + number % 7, "*")
                number += 1
                await asyncio.sleep(1 / changes)

        changing = asyncio.create_task(change()) if changes else None
        try:
            yield
        finally:
            if changing is not None:
                changing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await changing

    def _trip(self, name: str, lead_ms: int, priority: Priority = Priority.ROUTINE) -> TripRequest:
        earliest = to_instant(_now_ms() + lead_ms)
        at = crc32(name.encode()) % 1000 / 20_000  # anywhere within some kilometres
        return TripRequest(
            id=name,
            priority=priority,
            pickup=Place(position=(-73.97 + at, 40.75)),
            dropoff=Place(position=(-73.95, 40.72 + at)),
            level_of_service=LevelOfService.WHEELCHAIR,
            pickup_window=Window(earliest=earliest, latest=earliest + timedelta(minutes=30)),
        )

    async def _call(
        self, method: str, path: str, body: Any, role: Role = Role.OPS, *, if_match: str = ""
    ) -> None:
        self.calls += 1
        headers = {
            "Authorization": f"Bearer {self.tokens[role]}",
            "Idempotency-Key": f"imminent-{self.calls}",
        }
        headers |= {"If-Match": if_match} if if_match else {}
        while True:
            try:
                async with self.session.request(
                    method, self.url + path, json=body, headers=headers
                ) as answer:
                    text = await answer.text()
            except aiohttp.ClientError as error:
                told = f"{method} {path} has no answer: {type(error).__name__}."
                raise UserError(told, "Maybe the server ended: run `serve` by hand.") from error
            if answer.status == 503:  # not now: it is asked again under the same key, as a platform does
                self.refused += 1
                await asyncio.sleep(AGAIN_S)
                continue
            if answer.status >= 300:
                raise UserError(f"{method} {path} was answered {answer.status}: {text}")
            return


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
