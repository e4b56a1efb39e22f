"""Ten times too much: goodput, and what quiet users wait meanwhile, of honest and of dishonest crowds."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import overload_offers
from benchmarks.figures import add_json, tell
from benchmarks.intake import (
    MARKET,
    PATH,
    await_answer,
    cpu_s,
    platform_token,
    running,
    settings_in,
    web_command,
)
from benchmarks.overload_load import settle_s
from benchmarks.overload_quiet import EVERY_S
from benchmarks.processors import move, one_apart
from dispatcher.runtime.arguments import MOST_S, number, whole
from dispatcher.security.key_files import read_patient_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Settings
from dispatcher.store.store import Store

GOODPUT_AIM, QUIET_AIM, ACCEPT_AIM_MS = 0.9, 10.0, 200.0
SWEET_SPOT = 32  # connections, each with one call after another: more of them gain nothing
REFUSALS = ("429", "503")
NO_REWRITE = {"auto-aof-rewrite-percentage": "0"}  # it takes a processor for seconds, of whichever phase
NUMBERS = 300_000  # of calls, for each of those who call: an id has eight digits
AT_BEST = 0.5  # of the time of a crowd is what the service does at its best, before it and after it


class Crowd(NamedTuple):
    """Who is at the door: how many connections, what is offered (0: as fast as may be), how it behaves."""

    name: str
    connections: int
    times: float
    manners: str


CROWDS = (
    Crowd("honest, 2x", 600, 2, "honest"),
    Crowd("honest, 10x", 2_000, 10, "honest"),
    Crowd("dishonest, 600", 600, 0, "dishonest"),
    Crowd("dishonest, 2,000", 2_000, 0, "dishonest"),
    Crowd("reopening, 600", 600, 0, "reopening"),
    Crowd("reopening, 2,000", 2_000, 0, "reopening"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, and where the figures go."""
    parser.add_argument(
        "--seconds", type=number(0, MOST_S, above=True), default=6.0, help="for each crowd (default: 6)"
    )
    parser.add_argument(
        "--rounds", type=whole(1, 9), default=3, help="of which the median is told (default: 3)"
    )
    parser.add_argument("--only", default="", help="crowds whose name begins so (default: all)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 if anything answered 202 is not stored."""
    figures = asyncio.run(_measure(args))
    tell(figures, args.json, _told)
    return 0 if figures["lost"] == 0 else 1


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    crowds = [each for each in CROWDS if each.name.startswith(args.only)]
    with tempfile.TemporaryDirectory(prefix="overload-") as folder, one_apart() as apart:
        settings = settings_in(Path(folder))
        async with EmbeddedRedis(settings.data_dir / "valkey", settings=NO_REWRITE) as redis:
            environment = settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            async with Store(redis.url, read_patient_keys(settings.patient_keys_file)) as store:
                rounds = len(crowds) * args.rounds
                seconds = args.seconds + rounds * (1 + 2 * AT_BEST) * args.seconds
                count = int(seconds / EVERY_S["vendor"]) + 1 + 3 * rounds
                offers = await overload_offers.make(store, settings, count)
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    words = web_command(listener.fileno())
                    with running(words, os.environ | environment, listener.fileno()) as server:
                        port = listener.getsockname()[1]
                        move(server.pid, apart)
                        await asyncio.to_thread(await_answer, port, server)
                        bench = _Bench(port, server.pid, settings, args.seconds, offers)
                        figures = await bench.all_of(crowds, args.rounds)
                figures["lost"] = await _lost(store, bench.accepted)
    return figures


async def _lost(store: Store, accepted: Iterable[int]) -> int:
    """How many of the requests answered 202 are not stored."""
    ids = [f"b{each:08d}" for each in accepted]
    records, lost = store.market(MARKET).requests.records, 0
    for at in range(0, len(ids), 1_000):
        some = ids[at : at + 1_000]
        lost += len(some) - len(await records.get_all(some))
    return lost


class _Bench:
    """One web process, and those who call it; every call has a number of its own."""

    def __init__(
        self, port: int, pid: int, settings: Settings, seconds: float, offers: list[tuple[str, str]]
    ) -> None:
        self.port, self.pid, self.seconds, self.offers = port, pid, seconds, offers
        self.crowd_token, self.quiet_token = (
            platform_token(settings, "crowd"),
            platform_token(settings, "quiet"),
        )
        self.accepted: list[int] = []
        self.following = 1

    async def all_of(self, crowds: Sequence[Crowd], rounds: int) -> dict[str, Any]:
        """The idle service, then each crowd beside what the service does at its best before and after.

        A round is all of them, for the speed of a machine that others share changes within seconds; of each
        crowd the round of median goodput is told, and the goodput of all.
        """
        await self._crowd(Crowd("warm-up", SWEET_SPOT, 0, "honest"), 0, min(1.0, self.seconds))
        idle = _waits(await self._quiet(self.seconds))
        seen: dict[str, list[dict[str, Any]]] = {each.name: [] for each in crowds}
        for _ in range(rounds):
            for each in crowds:
                seen[each.name].append(await self._one(each, idle))
        return {"idle": idle, "crowds": {name: _median(each) for name, each in seen.items()}}

    async def _one(self, crowd: Crowd, idle: dict[str, Any]) -> dict[str, Any]:
        before, used_before = await self._at_its_best()
        began_s = cpu_s(self.pid)
        seen, quiet = await asyncio.gather(
            self._crowd(crowd, crowd.times * before, self.seconds),
            self._quiet(self.seconds, settle_s(self.seconds)),
        )
        used = (cpu_s(self.pid) - began_s) / (seen["statuses"].get("202", 0) + len(quiet["accepted"]))
        after, used_after = await self._at_its_best()
        rated, used_best = (before + after) / 2, (used_before + used_after) / 2
        waits, refused = _waits(quiet), sum(seen["statuses"].get(each, 0) for each in REFUSALS)
        goodput = seen["goodput_per_s"] + len(quiet["accepted"]) / self.seconds
        ratio = waits["platform_p99_ms"] / idle["platform_p99_ms"]
        return {
            "rated_per_s": round(rated),
            "goodput_per_s": round(goodput),
            "goodput_ratio": round(goodput / rated, 2),
            "goodput_aim": GOODPUT_AIM,
            "web_cpu_us_per_202": round(1e6 * used),
            "rated_web_cpu_us_per_202": round(1e6 * used_best),
            **waits,
            "platform_p99_to_idle": round(ratio, 1),
            "platform_p99_to_idle_aim": QUIET_AIM,
            "vendor_p99_aim_ms": ACCEPT_AIM_MS,
            "refusals_per_s": round(refused / (self.seconds + settle_s(self.seconds))),
            "connections_cut": seen["cut"],
            "statuses": seen["statuses"],
        }

    async def _at_its_best(self) -> tuple[float, float]:
        """Goodput a second, and seconds of the web process for each 202, with no more than it can do.

        The same quiet users call beside it as beside a crowd: what they take is no loss by overload.
        """
        seconds, began_s = AT_BEST * self.seconds, cpu_s(self.pid)
        seen, quiet = await asyncio.gather(
            self._crowd(Crowd("rated", SWEET_SPOT, 0, "honest"), 0, seconds),
            self._quiet(seconds, settle_s(seconds)),
        )
        answered = seen["statuses"]["202"] + len(quiet["accepted"])
        goodput = seen["goodput_per_s"] + len(quiet["accepted"]) / seconds
        return goodput, (cpu_s(self.pid) - began_s) / answered

    async def _crowd(self, crowd: Crowd, rate: float, seconds: float) -> dict[str, Any]:
        options = {"port": self.port, "connections": crowd.connections, "first": self._numbers()}
        more = {"rate": rate, "seconds": seconds, "path": PATH, "manners": crowd.manners}
        words = [f"--{name}={value}" for name, value in (options | more).items()]
        seen = await _process("benchmarks.overload_load", words, self.crowd_token)
        self.accepted += seen.pop("accepted")
        return seen

    async def _quiet(self, seconds: float, after_s: float = 0.0) -> dict[str, Any]:
        await asyncio.sleep(after_s)
        count = int(seconds / EVERY_S["vendor"]) + 1
        offers, self.offers = self.offers[:count], self.offers[count:]
        told = {"port": self.port, "seconds": seconds, "path": PATH, "first": self._numbers()}
        told |= {"token": self.quiet_token, "offers": offers}
        seen = await _process("benchmarks.overload_quiet", [], json.dumps(told))
        self.accepted += seen["accepted"]
        return seen

    def _numbers(self) -> int:
        """The first of many that nobody else uses."""
        self.following += NUMBERS
        return self.following


async def _process(module: str, words: list[str], told: str) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out:  # what it prints may be more than a pipe holds
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *words, stdin=subprocess.PIPE, stdout=out
        )
        await process.communicate(told.encode() + b"\n")
        if process.returncode:
            raise RuntimeError(f"{module} ended with {process.returncode}")
        out.seek(0)
        return dict(json.loads(out.read()))


def _median(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ordered = sorted(rounds, key=itemgetter("goodput_ratio"))
    return ordered[len(ordered) // 2] | {"goodput_ratios": [each["goodput_ratio"] for each in rounds]}


def _waits(quiet: dict[str, Any]) -> dict[str, Any]:
    """The 99th percentile of each kind of quiet user, and how many were not answered as hoped."""
    figures: dict[str, Any] = {}
    for kind, times in quiet["ms"].items():
        ordered = sorted(times)
        figures[f"{kind}_p50_ms"] = round(ordered[len(ordered) // 2], 1)
        figures[f"{kind}_p99_ms"] = round(ordered[len(ordered) * 99 // 100], 1)
        figures[f"{kind}_otherwise"] = len(quiet["otherwise"][kind])
    return figures


def _told(figures: dict[str, Any]) -> str:
    lines = [f"{name:<32} {value}" for name, value in figures["idle"].items()]
    for crowd, seen in figures["crowds"].items():
        lines += ["", crowd, *(f"  {name:<30} {value}" for name, value in seen.items())]
    return "\n".join([*lines, "", f"{'lost':<32} {figures['lost']}"])
