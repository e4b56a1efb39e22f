"""One turn of `bench beside`: a market that is set up as its side has it, then the measures."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from statistics import fmean, median
from typing import Any
from zlib import crc32

import aiohttp
import msgspec

from benchmarks.intake import cpu_s
from benchmarks.looked_at import looked_at
from contracts.codes import LevelOfService, Role
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.requests import TripRequest
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import read_token_keys
from dispatcher.security.tokens import claims, mint
from dispatcher.settings import Settings
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store

WITH, WITHOUT = "with", "without"
KEPT_DAYS = "decisions_days"
SHADOW = {"price_weight": 2}
ALWAYS = ("consoles", "what_if")  # what every version that has them has on by itself
CONNECTIONS, IMMINENT_EVERY_S, PATIENCE_S = 32, 0.1, 120.0
SETTLE_S, SHADOW_S = 0.3, 2.0


def midmean(values: Sequence[float]) -> float:
    """The mean of the middle half: what takes whole milliseconds is not rounded to one of them."""
    ordered, cut = sorted(values), len(values) // 4
    return fmean(ordered[cut : len(ordered) - cut])


class Turn:
    """One market: set up, then the three measures."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        args: argparse.Namespace,
        port: int,
        *,
        pids: tuple[int, int],
        name: str,
    ) -> None:
        self.args, self.name, self.port = args, name, port
        self.web, self.matcher = pids
        self.what = name.partition("-")[2]
        self.stored: MarketStore = store.market(name)
        self.path = f"/v1/markets/{name}"
        self.url, self.keys = f"http://127.0.0.1:{port}{self.path}", read_token_keys(settings.token_keys_file)

    async def all(self) -> dict[str, Any]:
        """Every figure of this turn."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None)) as session:
            self.session = session
            on = await self._set_up()
            consoles = self.args.consoles if "consoles" in on else 0
            wonders = self._wonders() if "what_if" in on else contextlib.nullcontext()
            async with looked_at(self.url, self._headers(Role.OPS), consoles), wonders:
                await self._offered(await self._send("warm", [6 * HOUR_MS]))
                rounds = [await self._round(each) for each in range(self.args.rounds)]
                used_s = cpu_s(self.web)
                intake_per_s = await asyncio.to_thread(self._intake)
                used_s = cpu_s(self.web) - used_s
                await self._calm()
            await self._ended(on)
        return {"what": self.what, "on": on, "intake_per_s": intake_per_s} | {
            "web_cpu_us_per_202": 1e6 * used_s / self.args.intake,
            **{name: median(each[name] for each in rounds) for name in rounds[0]},
        }

    async def _round(self, nth: int) -> dict[str, float]:
        """A batch, then imminent requests: how long, and what the matcher used for it."""
        leads_ms = [6 * HOUR_MS + each * 1000 for each in range(self.args.batch)]
        used_s = cpu_s(self.matcher)
        batch_s = max(await self._offered(await self._send(f"later-{nth}", leads_ms))) / 1000
        batch_cpu_s = cpu_s(self.matcher) - used_s
        await asyncio.sleep(SETTLE_S)  # what is explained and saved of it belongs to neither
        used_s = cpu_s(self.matcher)
        waits = await self._imminent(nth)
        used_s = cpu_s(self.matcher) - used_s
        return {
            "batch_s": batch_s,
            "batch_cpu_ms": 1000 * batch_cpu_s,
            "imminent_ms": midmean(waits),
            "imminent_cpu_ms": 1000 * used_s / len(waits),
        }

    async def _set_up(self) -> list[str]:
        """What is on in this turn, as far as there is such a thing."""
        wanted = self.args.on.split(",") if self.what == WITH else []
        known = {each["name"] for each in (await self._ask("GET", "/tuning"))["parameters"]}
        on = [each for each in wanted if each in ALWAYS or (each == "decisions" and KEPT_DAYS in known)]
        if KEPT_DAYS in known and "decisions" not in wanted:
            await self._ask("PUT", "/tuning", {"values": {KEPT_DAYS: 0}, "reason": "bench"})
        if "shadow" in wanted:
            body = {"values": SHADOW, "reason": "bench"}
            on += ["shadow"] if await self._ask("PUT", "/tuning/shadow", body, missing=True) else []
        return on

    @contextlib.asynccontextmanager
    async def _wonders(self) -> AsyncIterator[None]:
        """Ops asks what if, one question after the other, for as long as this lasts."""
        asking = asyncio.create_task(self._wonder())
        try:
            yield
        finally:
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking  # whose questions were refused had nothing beside it

    async def _wonder(self) -> None:
        while True:
            asked = await self._ask("POST", "/what-if", {"change": {"values": SHADOW}})
            while (await self._ask("GET", f"/what-if/{asked['id']}"))["ended_at"] is None:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.2)

    async def _send(self, name: str, leads_ms: Sequence[int]) -> list[str]:
        """Requests in one call, each so far ahead; their ids."""
        trips = [self._trip(f"{name}-{at}", lead_ms) for at, lead_ms in enumerate(leads_ms)]
        body = {"requests": json.loads(msgspec.json.encode(trips))}
        await self._ask("POST", "/requests", body, role=Role.PLATFORM)
        return [each.id for each in trips]

    def _trip(self, name: str, lead_ms: int) -> TripRequest:
        earliest = to_instant(time.time_ns() // 1_000_000 + lead_ms)
        at = crc32(name.encode()) % 1000 / 20_000  # anywhere within some kilometres
        return TripRequest(
            id=name,
            pickup=Place(position=(-73.97 + at, 40.75)),
            dropoff=Place(position=(-73.95, 40.72 + at)),
            level_of_service=LevelOfService.WHEELCHAIR,
            pickup_window=Window(earliest=earliest, latest=earliest + timedelta(minutes=30)),
        )

    async def _offered(self, ids: Sequence[str]) -> list[float]:
        """Wait until all have an offer; from when the first came in to each one's offer, ms."""
        end = time.monotonic() + PATIENCE_S
        while True:
            records = await self.stored.requests.records.get_all(ids)
            if all(each.offers for each in records.values()):
                first_ms = min(each.received_ms for each in records.values())
                return [each.offers[0].made_ms - first_ms for each in records.values()]
            if time.monotonic() > end:
                left = sum(not each.offers for each in records.values())
                raise UserError(f"{left} of {len(ids)} requests had no offer within {PATIENCE_S:g} s.")
            await asyncio.sleep(0.05)

    async def _imminent(self, nth: int) -> list[float]:
        """What each waited for its offer, ms."""
        waits = []
        for at in range(self.args.imminent):
            (name,) = await self._send(f"now-{nth}-{at}", [30 * MINUTE_MS])
            await asyncio.sleep(IMMINENT_EVERY_S)
            waits += await self._offered([name])
        return waits

    def _intake(self) -> float:
        """Requests answered 202, a second."""
        words = {"port": self.port, "path": f"{self.path}/requests", "connections": CONNECTIONS}
        words |= {"seconds": 60, "first": 1, "limit": self.args.intake}
        command = [sys.executable, "-m", "benchmarks.intake_load"]
        command += [word for name, value in words.items() for word in (f"--{name}", str(value))]
        token = self._headers(Role.PLATFORM)["Authorization"].removeprefix("Bearer ")
        done = subprocess.run(command, input=token + "\n", capture_output=True, text=True, check=True)
        seen = json.loads(done.stdout)
        return float(seen["statuses"].get("202", 0) / seen["seconds"])

    async def _calm(self) -> None:
        """Until nobody waits here any more, so that the next turn has the machine for itself."""
        end = time.monotonic() + PATIENCE_S
        while (await self.stored.requests.waiting())[0] and time.monotonic() < end:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.2)

    async def _ended(self, on: Sequence[str]) -> None:
        """Until the shadow has compared what it took, so that the next turn has the machine for itself."""
        before = None
        while "shadow" in on:
            shadow = await self._ask("GET", "/tuning/shadow")
            if shadow == before:
                return
            before = shadow
            await asyncio.sleep(SHADOW_S)

    def _headers(self, role: Role) -> dict[str, str]:
        made = claims(role, markets=[self.name], vendor_id="", now_ms=time.time_ns() // 1_000_000, hours=4)
        return {
            "Authorization": f"Bearer {mint(self.keys, made)}",
            "Idempotency-Key": f"bench-{time.monotonic_ns()}",
        }

    async def _ask(
        self, method: str, path: str, body: Any = None, *, role: Role = Role.OPS, missing: bool = False
    ) -> Any:
        """The answer of a call; None for what is not there and may be `missing`."""
        headers = self._headers(role)
        async with self.session.request(method, self.url + path, json=body, headers=headers) as answer:
            if missing and answer.status in (404, 405):
                return None
            if answer.status >= 300:
                raise UserError(f"{method} {path} was answered {answer.status}: {await answer.text()}")
            return await answer.json()
