"""The console in a real browser without a GPU: first paint, keys, map, memory, and what it costs the service.

On a market of 10,000 requests under way and 900 vendors, while 50 of them change every second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.busy_market import BusyMarket
from benchmarks.devtools import Browser, Page, browser, private_mb
from benchmarks.figures import add_counts, add_json, tell
from benchmarks.intake import MARKET, await_answer, cpu_s, running, settings_in, web_command
from benchmarks.looked_at import looked_at
from contracts.codes import Role
from dispatcher.runtime.arguments import MOST_S, number
from dispatcher.security.key_files import read_patient_keys, read_token_keys
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Settings
from dispatcher.store.store import Store

AIMS = {"first_paint_ms": 1_000, "key_p95_ms": 50, "pan_fps": 50, "memory_mb": 200, "console_core": 0.01}
PAGES = {  # what is of use there, and which answer it is drawn from
    "today": (".grid-row", "board"),
    "board": (".grid-row", "board"),
    "map": ("canvas", "board"),
    "gantt": ("canvas", "capacity"),
}
LOADS, KEYS, KEY_EVERY_S = 5, 100, 0.06
LISTENERS = 20
BEATS = 10  # of changes a second
AT_ONCE = 500  # of those that are replayed
SETTLE_S = 1.5
# *_cpu_ms is what all of the browser's processes used: it holds on a machine that has other work
SCRIPT = Path(__file__).with_name("console_page.js")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much there is, how much of it changes, and where the figures go."""
    add_counts(
        parser,
        ("requests", 10_000, "requests under way"),
        ("vendors", 900, "vendors"),
        ("changes", 180_000, "replayed for the memory: an hour's worth at 50 a second"),
    )
    parser.add_argument(
        "--rate",
        type=number(0, 10_000),
        default=50.0,
        help="changes a second while it is measured (default: 50)",
    )
    parser.add_argument(
        "--seconds", type=number(0, MOST_S, above=True), default=10.0, help="for each measure (default: 10)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 if a page threw or logged an error."""
    figures = asyncio.run(_measure(args))
    tell(figures, args.json, told)
    return 1 if figures["errors"] else 0


def told(figures: dict[str, Any]) -> str:
    """A line a figure, with its aim."""
    aims = figures["aims"]
    lines = [f"{name:<34} {value}" for name, value in figures.items() if name not in ("aims", "errors")]
    lines += [f"{'aim: ' + name:<34} {aim}" for name, aim in aims.items()]
    return "\n".join([*lines, *(f"error: {each}" for each in figures["errors"])])


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="console-") as folder:
        settings = settings_in(Path(folder))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis:
            environment = settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            async with Store(redis.url, read_patient_keys(settings.patient_keys_file)) as store:
                market = await _filled(store, settings, args)
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    words = web_command(listener.fileno())
                    with running(words, os.environ | environment, listener.fileno()) as server:
                        port = listener.getsockname()[1]
                        await asyncio.to_thread(await_answer, port, server)
                        return await Bench(market, settings, args, port, server.pid).all()


async def _filled(store: Store, settings: Settings, args: argparse.Namespace) -> BusyMarket:
    zone: ZoneInfo = settings.markets[MARKET]
    market = BusyMarket(store.market(MARKET), zone, args.vendors)
    began = time.perf_counter()
    await market.open()
    await market.fill(args.requests)
    market.seconds = time.perf_counter() - began
    return market


class Bench:
    """One web process, and browsers that look at it."""

    def __init__(
        self, market: BusyMarket, settings: Settings, args: argparse.Namespace, port: int, pid: int
    ) -> None:
        self.market, self.args, self.port, self.pid = market, args, port, pid
        self.url = f"http://127.0.0.1:{port}"
        now_ms = time.time_ns() // 1_000_000
        made = claims(Role.OPS, markets=[MARKET], vendor_id="", now_ms=now_ms, hours=8, subject="bench")
        self.token = mint(read_token_keys(settings.token_keys_file), made)
        self.cookie = {"name": f"dispatcher-{port}", "value": self.token, "url": self.url}

    async def all(self) -> dict[str, Any]:
        """Every figure, in the order in which they are measured."""
        figures: dict[str, Any] = {"requests": self.args.requests, "vendors": self.args.vendors}
        figures |= {"changes_a_second": self.args.rate, "filled_s": round(self.market.seconds, 1)}
        figures |= {"load_average_before": os.getloadavg()[0]}  # what else the machine did
        figures |= await self._cost()
        async with browser() as program:
            async with self._changing():
                figures |= await self._paint(program)
                figures |= await self._keys(program)
                figures |= await self._pan(program)
            figures |= await self._memory(program)
            return figures | {"aims": AIMS, "errors": program.errors[:20]}

    @contextlib.asynccontextmanager
    async def _changing(self) -> AsyncIterator[None]:
        """While this lasts, requests change; a beat that comes late is made up for."""
        running = asyncio.create_task(self._change())
        try:
            yield
            if running.done():
                running.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _change(self) -> None:
        began, done = time.monotonic(), 0
        while True:
            await asyncio.sleep(1 / BEATS)
            due = int((time.monotonic() - began) * self.args.rate) - done
            await self.market.change(due)
            done += due

    async def _cost(self) -> dict[str, Any]:
        """Cores of the web process: nobody looks, one does, many do; while requests change."""
        market, headers = f"{self.url}/v1/markets/{MARKET}", {"Authorization": f"Bearer {self.token}"}
        async with self._changing():
            nobody = await self._cores()
            first = time.perf_counter()
            async with looked_at(market, headers, 1):
                ready_s = time.perf_counter() - first
                one = await self._cores()
            async with looked_at(market, headers, LISTENERS + 1):
                many = await self._cores()
        return {
            "board_ready_s": round(ready_s, 2),
            "nobody_core": round(nobody, 4),
            "first_console_core": round(one - nobody, 4),
            "console_core": round((many - one) / LISTENERS, 5),
        }

    async def _cores(self) -> float:
        await asyncio.sleep(SETTLE_S)
        began_s, began = cpu_s(self.pid), time.monotonic()
        await asyncio.sleep(self.args.seconds)
        return (cpu_s(self.pid) - began_s) / (time.monotonic() - began)

    async def _opened(self, program: Browser, name: str) -> tuple[Page, float]:
        """A page of the console in a tab of its own, once it shows something of use; and when it did, ms."""
        page = await program.page(self.cookie)
        await page.ask("Network.setCacheDisabled", cacheDisabled=True)
        script = await asyncio.to_thread(SCRIPT.read_text, encoding="utf-8")
        selector, answer = PAGES[name]
        await page.before_each(script.replace("SELECTOR", selector).replace("ANSWER", answer))
        await page.open(f"{self.url}/console/{MARKET}/{name}")
        await page.until("globalThis.bench && bench.paintedAt")
        return page, float(await page.run("bench.paintedAt"))

    async def _paint(self, program: Browser) -> dict[str, Any]:
        """The slowest page's median, each load from nothing: no cache, no tab that has the data."""
        medians, parts, used_ms = {}, {}, {}
        for name in PAGES:
            times, used_s = [], await program.cpu_s()
            for _ in range(LOADS):
                page, painted_ms = await self._opened(program, name)
                times.append(painted_ms)
                parts[name] = await page.run("bench.parts()")
                await page.ask("Page.close")
            medians[name] = round(sorted(times)[LOADS // 2])
            used_ms[name] = round(1000 * (await program.cpu_s() - used_s) / LOADS)
        return {
            "first_paint_ms": max(medians.values()),
            "first_paint_by_page_ms": medians,
            "first_paint_cpu_ms": used_ms,
            "last_load_parts_ms": parts,
        }

    async def _keys(self, program: Browser) -> dict[str, Any]:
        """From a key to the end of the frame that shows it, on the board."""
        page, _ = await self._opened(program, "board")
        await asyncio.sleep(SETTLE_S)
        await page.run("bench.keys.length = 0")
        used_s = await program.cpu_s()
        for at in range(KEYS):
            await page.key("k" if at % 10 == 9 else "j")
            await asyncio.sleep(KEY_EVERY_S)
        times, used_s = sorted(await page.run("bench.keys")), await program.cpu_s() - used_s
        await page.ask("Page.close")
        return {
            "key_p50_ms": round(times[len(times) // 2], 1),
            "key_p95_ms": round(times[len(times) * 95 // 100], 1),
            "key_cpu_ms": round(1000 * used_s / KEYS, 1),
            "keys_seen": len(times),
        }

    async def _pan(self, program: Browser) -> dict[str, Any]:
        """Frames a second while the map is dragged to and fro."""
        page, _ = await self._opened(program, "map")
        await asyncio.sleep(SETTLE_S)
        box = await page.run("document.querySelector('canvas').getBoundingClientRect().toJSON()")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await page.mouse("mousePressed", x, y)
        await page.run("bench.watch()")
        used_s = await program.cpu_s()
        end, at = time.monotonic() + min(self.args.seconds, 5.0), 0
        while time.monotonic() < end:
            at += 1
            swing = 200 - abs(at % 80 - 40) * 10
            await page.mouse("mouseMoved", x + swing, y + swing / 2)
        frames = await page.run("(bench.watching = false, bench.frames)")
        used_s = await program.cpu_s() - used_s
        await page.mouse("mouseReleased", x, y)
        await page.ask("Page.close")
        return paces(frames) | {
            "pan_moves": at,
            "pan_cpu_ms_a_frame": round(1000 * used_s / max(1, len(frames)), 1),
        }

    async def _memory(self, program: Browser) -> dict[str, Any]:
        """What the board holds before and after many changes; its process beside what it can be told of."""
        others = set(await program.renderers())
        page, _ = await self._opened(program, "board")
        found = [await self._held(program, page, others)]
        began = time.monotonic()
        for _ in range(4):
            for _ in range(max(1, self.args.changes // 4 // AT_ONCE)):
                await self.market.change(min(AT_ONCE, self.args.changes))
            await asyncio.sleep(SETTLE_S)
            found.append(await self._held(program, page, others))
        seconds = time.monotonic() - began
        return {
            "memory_mb": found[-1]["process_mb"],
            "replayed_s": round(seconds),
            "memory_by_quarter": found,
        }

    async def _held(self, program: Browser, page: Page, others: set[int]) -> dict[str, Any]:
        held = await page.figures()
        mine = [each for each in await program.renderers() if each not in others]
        return {
            "heap_mb": round(held["JSHeapUsedSize"] / 2**20, 1),
            "nodes": round(held["Nodes"]),
            "listeners": round(held["JSEventListeners"]),
            "process_mb": round(max(map(private_mb, mine), default=0.0), 1),
        }


def paces(frames: Sequence[float]) -> dict[str, Any]:
    """Frames a second, and how long the slowest twentieth of them took at least, ms."""
    gaps = sorted(after - before for before, after in pairwise(frames))
    if not gaps:
        return {"pan_fps": 0.0, "pan_frame_p95_ms": 0.0}
    return {
        "pan_fps": round(1000 * len(gaps) / (frames[-1] - frames[0]), 1),
        "pan_frame_p95_ms": round(gaps[len(gaps) * 95 // 100], 1),
    }
