"""M markets x their load, each in processes of its own: throughput a core, state, traffic; a night on paper.

Every market has a web process, a matcher with its solvers, its jobs, and a generator of load; all of them one
Valkey. Requests of a market come by the clock, so that what one costs may be compared from one number of
markets to the next: as fast as they are answered, one market alone takes all of two cores.
What a request costs is told in processor time, which holds on a machine that has other work, too; a line is
fitted through it, and `scale_model` says what it makes of a night of many markets. Fails on lost work.
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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.figures import add_counts, add_json, tell
from benchmarks.imminent import _owned
from benchmarks.intake import await_answer, running, settings_in, web_command
from benchmarks.roles import Planning, pid_of, planning
from benchmarks.scale_model import fitted, night
from benchmarks.scale_seen import Store, machine_cpu_s, spent, tree_cpu_s
from dispatcher.runtime.arguments import whole
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import read_token_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings

ZONE = "America/New_York"
SET = [f"DISPATCHER_{name}" for name in ("DATA_DIR", "LOG_LEVEL", "TOKEN_KEYS", "PATIENT_KEYS")]
MOST_MARKETS = 64
MOST_RATE = 10_000
SETTLE_S = 5.0  # what a process does once, after its start, is no idleness


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many markets, their load, and the night that is worked out."""
    parser.add_argument(
        "--markets", type=counts_of, default="1,2,4,8", help="how many (default: %(default)s)"
    )
    add_counts(
        parser,
        ("requests", 1_000, "of each market"),
        ("vendors", 40, "of each market"),
        ("at-once", 8, "callers of each market, with --rate 0"),
        ("idle", 10, "seconds that nothing is asked, to see what an empty market costs"),
        ("patience", 180, "seconds to wait for the last match"),
        ("night-markets", 48, "the night that is worked out: markets"),
        ("night-requests", 900_000, "and its requests"),
        ("night-hours", 2, "hours in which they come in"),
    )
    parser.add_argument(
        "--rate",
        type=whole(0, MOST_RATE),
        default=50,
        metavar="N",
        help="requests a second of each market; 0: as fast as they are answered (default: %(default)s)",
    )
    add_json(parser)


def counts_of(text: str) -> list[int]:
    """Reads how many markets, each number once."""
    counts = [whole(1, MOST_MARKETS)(each) for each in text.split(",")]
    if len(set(counts)) < len(counts):
        raise argparse.ArgumentTypeError(f"'{text}' names a number twice")
    return counts


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 if anything was lost."""
    load_before = os.getloadavg()[0]
    rows = [asyncio.run(_measure(args, markets)) for markets in args.markets]
    figures = told_of(rows, args) | {"cores": os.cpu_count(), "load_average_before": round(load_before, 2)}
    tell(figures, args.json, shown)
    return 1 if any(row["lost"] for row in rows) else 0


def told_of(rows: Sequence[Mapping[str, Any]], args: argparse.Namespace) -> dict[str, Any]:
    """What was measured, the line through it, and the night."""
    fit = fitted(rows)
    wanted = night(fit, args.night_markets, args.night_requests, args.night_hours)
    return {"rows": list(rows), "fit": fit, "night": wanted}


def shown(figures: Mapping[str, Any]) -> str:
    """The rows as a table, then the rest a line each."""
    names = list(figures["rows"][0])
    lines = [f"{name:<28}" + "".join(f"{row[name]:>12}" for row in figures["rows"]) for name in names]
    lines += [f"{name:<28}{value:>12}" for name, value in figures["fit"].items()]
    return "\n".join([*lines, json.dumps(figures["night"], indent=2)])


async def _measure(args: argparse.Namespace, markets: int) -> dict[str, Any]:
    names = [f"m{at}" for at in range(markets)]
    with tempfile.TemporaryDirectory(prefix="scale-") as folder, contextlib.ExitStack() as processes:
        settings = settings_in(Path(folder), markets=Markets({each: ZoneInfo(ZONE) for each in names}))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis, Store(redis.url) as store:
            sites = [processes.enter_context(site(settings, redis.url, each)) for each in names]
            for name, each in zip(names, sites, strict=True):
                await asyncio.to_thread(await_answer, each.port, each.web)
                await _owned(redis.url, settings, [name], each.plans.matcher)
            keys = read_token_keys(settings.token_keys_file)
            loads = [
                processes.enter_context(load(args, sites[at].port, keys, names[at])) for at in range(markets)
            ]
            for ready in loads:
                await asyncio.to_thread(_expect_ready, ready)
            await asyncio.sleep(SETTLE_S)
            empty = await store.seen()
            quiet = await _between(sites, store, pid_of(redis), asyncio.sleep(args.idle))
            busy = await _between(sites, store, pid_of(redis), _all(loads))
            told = [_heard(text) for text in busy.pop("result")]
            after, waiting = await store.seen(), await store.waiting(names)
            sizes = await store.streams(names)
            saved = sum(
                each.stat().st_size for each in (Path(folder) / "decisions").rglob("*") if each.is_file()
            )
    row = spent(told, quiet, busy, empty=empty, after=after, streams=sizes, saved=saved)
    return row | {"rate": args.rate, "waiting": waiting}


class Site:
    """A market's own processes."""

    def __init__(self, port: int, web: subprocess.Popen[bytes], plans: Planning) -> None:
        self.port, self.web, self.plans = port, web, plans


@contextlib.contextmanager
def site(settings: Settings, redis_url: str, market: str) -> Iterator[Site]:
    """A web process, a matcher and jobs that know one market."""
    ours = settings.environment()
    told = {name: ours[name] for name in SET if name in ours}
    told |= {"DISPATCHER_REDIS_URL": redis_url, "DISPATCHER_MARKETS": f"{market}={ZONE}"}
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        running(web_command(listener.fileno()), os.environ | told, listener.fileno()) as web,
        planning(os.environ | told) as plans,
    ):
        yield Site(listener.getsockname()[1], web, plans)


@contextlib.contextmanager
def load(
    args: argparse.Namespace, port: int, keys: Mapping[str, Any], market: str
) -> Iterator[subprocess.Popen[str]]:
    """The generator of a market's load, told what to do."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scale_load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    orders = {"market": market, "port": port, "keys": keys, "vendors": args.vendors}
    orders |= {"requests": args.requests, "rate": args.rate}
    orders |= {"at_once": args.at_once, "patience_s": args.patience}
    try:
        if process.stdin is not None:
            process.stdin.write(json.dumps(orders) + "\n")
            process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()


def _expect_ready(process: subprocess.Popen[str]) -> None:
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise UserError("a market's load could not begin.", "Maybe run `serve` by hand: it says why.")


async def _all(loads: Sequence[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    """What each wrote to standard output and to standard error, all at once."""
    return await asyncio.gather(*(asyncio.to_thread(each.communicate, "go\n") for each in loads))


def _heard(text: str) -> dict[str, Any]:
    """What a load told at its end. Raises UserError: it ended before that, and has said why."""
    if not text:
        raise UserError("a market's load ended before it was through.", "Its last words are above.")
    told: dict[str, Any] = json.loads(text)
    return told


async def _between(sites: Sequence[Site], store: Store, server: int, work: Any) -> dict[str, Any]:
    """What passes while something is done: seconds, processor time by part, traffic of the store."""

    def used() -> dict[str, float]:
        found = [tree_cpu_s(each.plans.matcher.pid) for each in sites]
        return {
            "web": sum(sum(tree_cpu_s(each.web.pid)) for each in sites),
            "matcher": sum(own for own, _ in found),
            "solvers": sum(below for _, below in found),
            "jobs": sum(sum(tree_cpu_s(each.plans.jobs.pid)) for each in sites if each.plans.jobs),
            "store": sum(tree_cpu_s(server)),
        }

    before, seen, began_s, machine_s = used(), await store.seen(), time.monotonic(), machine_cpu_s()
    result = await work
    seconds, after, later = time.monotonic() - began_s, used(), await store.seen()
    told: dict[str, Any] = {"machine_cpu_s": machine_cpu_s() - machine_s}
    told |= {f"{name}_cpu_s": after[name] - before[name] for name in before}
    told |= {name: later[name] - seen[name] for name in ("commands", "in_bytes", "out_bytes")}
    return told | {"seconds": seconds, "result": [text for text, _ in result] if result else []}
