"""The service with consoles, a shadow, saved decisions, what-ifs, beside itself without, in turns of one run.

Each turn has a market of its own, with the same vendors: a batch of requests, imminent requests one after the
other, then as many requests as can be sent. What is compared is the median over the pairs of turns.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import aiohttp
import msgspec

from benchmarks.busy_market import BusyMarket
from benchmarks.intake import await_answer, cpu_s, running, settings_in, web_command
from benchmarks.looked_at import looked_at
from benchmarks.roles import matcher
from contracts.codes import LevelOfService, Role
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.requests import TripRequest
from dispatcher.runtime.arguments import MOST_REQUESTS, output, whole, writing
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import read_patient_keys, read_token_keys
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store

AIM = 0.95
ZONE = "America/New_York"
WITH, WITHOUT = "with", "without"
KEPT_DAYS = "decisions_days"
FIGURES = (  # whether more is better
    ("intake_per_s", True),
    ("web_cpu_us_per_202", False),  # says the same where the machine has other work, too
    ("imminent_ms", False),
    ("batch_s", False),
)
SHADOW = {"price_weight": 2}
ALWAYS = ("consoles", "what_if")  # what every version that has them has on by itself
CONNECTIONS, IMMINENT_EVERY_S, PATIENCE_S = 32, 0.1, 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much is asked in each turn, how many turns, and where the figures go."""
    for name, default, about in (
        ("pairs", 4, "pairs of turns"),
        ("vendors", 100, "vendors of each market"),
        ("batch", 400, "requests for later, sent at once"),
        ("imminent", 60, "imminent requests, ten a second"),
        ("intake", 4_000, "requests sent as fast as may be"),
        ("consoles", 3, "consoles that look on"),
    ):
        parser.add_argument(
            f"--{name}", type=whole(1, MOST_REQUESTS), default=default, help=f"{about} (default: {default})"
        )
    parser.add_argument(
        "--on",
        default="consoles,decisions,shadow",
        help="what the one side has, of consoles, decisions, shadow, what_if (default: %(default)s)",
    )
    parser.add_argument(
        "--json", type=output, metavar="FILE", help="write figures as JSON; - is standard output"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print."""
    figures = asyncio.run(_measure(args))
    text = json.dumps(figures, indent=2)
    if args.json and args.json != "-":
        with writing(Path(args.json)):
            Path(args.json).write_text(text + "\n", encoding="utf-8")
    print(text if args.json == "-" else told(figures))
    return 0


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    turns = [f"t{pair}-{what}" for pair in range(args.pairs) for what in in_turn(pair)]
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        settings = settings_in(Path(folder), markets=Markets({each: ZoneInfo(ZONE) for each in turns}))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis:
            environment = os.environ | settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            async with Store(redis.url, read_patient_keys(settings.patient_keys_file)) as store:
                for each in turns:
                    await BusyMarket(store.market(each), ZoneInfo(ZONE), args.vendors).open()
                with socket.create_server(("127.0.0.1", 0)) as listener, matcher(environment):
                    words = web_command(listener.fileno())
                    with running(words, environment, listener.fileno()) as server:
                        port = listener.getsockname()[1]
                        await asyncio.to_thread(await_answer, port, server)
                        seen = [
                            await Turn(store, settings, args, port, pid=server.pid, name=each).all()
                            for each in turns
                        ]
    return compared(seen) | {"load_average_after": os.getloadavg()[0]}


def in_turn(pair: int) -> Sequence[str]:
    """Each goes first as often as the other."""
    return (WITHOUT, WITH) if pair % 2 == 0 else (WITH, WITHOUT)


def compared(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """With to without, pair by pair; above 1 is better, whatever the figure."""
    figures: dict[str, Any] = {"aim": AIM, "turned_on": sorted({on for each in turns for on in each["on"]})}
    pairs = [sorted(turns[at : at + 2], key=lambda each: each["what"]) for at in range(0, len(turns), 2)]
    for name, more_is_better in FIGURES:
        ratios = [(on[name] / off[name]) if more_is_better else (off[name] / on[name]) for on, off in pairs]
        figures[f"{name}_with"] = round(median(on[name] for on, _ in pairs), 2)
        figures[f"{name}_without"] = round(median(off[name] for _, off in pairs), 2)
        figures[f"{name}_ratio"] = round(median(ratios), 3)
        figures[f"{name}_ratios"] = [round(each, 3) for each in ratios]
    return figures


def told(figures: Mapping[str, Any]) -> str:
    """A line a figure."""
    return "\n".join(f"{name:<26} {value}" for name, value in figures.items())


class Turn:
    """One market: set up, then the three measures."""

    def __init__(
        self, store: Store, settings: Settings, args: argparse.Namespace, port: int, *, pid: int, name: str
    ) -> None:
        self.args, self.name, self.port, self.pid = args, name, port, pid
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
                batch_s = await self._offered(
                    await self._send("later", [6 * HOUR_MS + each * 1000 for each in range(self.args.batch)])
                )
                imminent_ms = await self._imminent()
                used_s = cpu_s(self.pid)
                intake_per_s = await asyncio.to_thread(self._intake)
                used_s = cpu_s(self.pid) - used_s
                await self._calm()
        return {"what": self.what, "on": on, "batch_s": batch_s / 1000} | {
            "imminent_ms": imminent_ms,
            "intake_per_s": intake_per_s,
            "web_cpu_us_per_202": 1e6 * used_s / self.args.intake,
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
            await asyncio.gather(asking, return_exceptions=True)

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

    async def _offered(self, ids: Sequence[str]) -> float:
        """Wait until all have an offer; from when they came in to the last offer, ms."""
        end = time.monotonic() + PATIENCE_S
        while True:
            records = await self.stored.requests.records.get_all(ids)
            if all(each.offers for each in records.values()):
                made = [(each.offers[0].made_ms, each.received_ms) for each in records.values()]
                return max(at for at, _ in made) - min(at for _, at in made)
            if time.monotonic() > end:
                left = sum(not each.offers for each in records.values())
                raise UserError(f"{left} of {len(ids)} requests had no offer within {PATIENCE_S:g} s.")
            await asyncio.sleep(0.05)

    async def _imminent(self) -> float:
        """The median of what each waited for its offer, ms."""
        waits = []
        for at in range(self.args.imminent):
            (name,) = await self._send(f"now-{at}", [30 * MINUTE_MS])
            await asyncio.sleep(IMMINENT_EVERY_S)
            waits.append(await self._offered([name]))
        return median(waits)

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
