"""A regional broker's night: from the last 202 of 19,000 requests to every one offered or explained.

Web process, matcher with its solvers, jobs and an embedded Valkey, as `serve` runs them. Requests come in
calls of many; what became of each is counted from the store. Fails if one is lost, or offered twice.
`--beside FOLDER`: another checkout in turns of the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.figures import add_counts, add_json, tell
from benchmarks.imminent import HERE, SET, THERE, ZONE, _owned, checkout
from benchmarks.intake import await_answer, running, settings_in, web_command
from benchmarks.night_day import NightDay, next_day
from benchmarks.night_load import Broker, all_decided, calls_of, what_became
from benchmarks.roles import pid_of, planning
from benchmarks.scale_seen import tree_cpu_s
from dispatcher.runtime.arguments import MOST_S, number, whole
from dispatcher.security.key_files import read_patient_keys, read_token_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings
from dispatcher.store.store import Store

MARKET = "region"
SETTLE_S = 1.0
AIM_S, AIM_MB = 25.0, 700
LOG = "matcher.log"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How large the night is, how it comes in, and where the figures go."""
    add_counts(
        parser,
        ("requests", 19_000, "that come in"),
        ("vendors", 900, "of the market"),
        ("a-call", 100, "requests in a call"),
        ("at-once", 8, "calls under way"),
        ("pairs", 1, "times that it is all done"),
        ("patience", 150, "seconds to wait for the last one"),
    )
    parser.add_argument(
        "--seconds",
        type=number(0.05, MOST_S),
        default=15.0,
        help="the solve's limit, by tuning (default: 15)",
    )
    parser.add_argument(
        "--split",
        type=whole(10, 50_000),
        default=2_500,
        metavar="N",
        help="requests of a part, by tuning (default: 2500)",
    )
    parser.add_argument("--beside", type=checkout, metavar="FOLDER", help="another checkout, kernels built")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 where a request was lost, offered twice or left undecided."""
    sides = [(HERE, None)] + ([(THERE, args.beside)] if args.beside else [])
    turns = list[dict[str, Any]]()
    for turn in range(args.pairs):
        for side, tree in sides[:: -1 if turn % 2 else 1]:  # whoever is first has the colder machine
            turns.append(asyncio.run(_measure(args, tree)) | {"of": side})
    figures = compared(turns)
    tell(figures, args.json)
    return 1 if any(failed(each) for each in turns) else 0


def failed(turn: Mapping[str, Any]) -> bool:
    """Whether anything was lost, offered twice, or not decided in time."""
    return bool(turn["lost"] or turn["twice"] or turn["decided_s"] is None)


def compared(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All turns, and by side the median of what was measured."""
    figures: dict[str, Any] = {"aim_s": AIM_S, "aim_mb": AIM_MB}
    for side in (HERE, THERE):
        some = [each for each in turns if each["of"] == side]
        if some:
            names = [name for name, value in some[0].items() if isinstance(value, int | float)]
            known = {name: [each[name] for each in some if each[name] is not None] for name in names}
            figures[side] = {name: median(values) for name, values in known.items() if values}
    return figures | {"turns": list(turns), "load_average_after": round(os.getloadavg()[0], 2)}


async def _measure(args: argparse.Namespace, tree: Path | None) -> dict[str, Any]:
    """One night."""
    with tempfile.TemporaryDirectory(prefix="night-") as folder:
        settings = settings_in(Path(folder), markets=Markets({MARKET: ZoneInfo(ZONE)}))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis:
            ours = settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            environment = os.environ | {name: ours[name] for name in SET}
            environment["DISPATCHER_LOG_LEVEL"] = "info"
            tuning = {"solve_time_limit_s": args.seconds, "batch_limit": max(10, args.requests)}
            if tree is None:
                tuning |= {"batch_settle_s": SETTLE_S, "split_requests": args.split}
            else:  # which may not know these
                environment["PYTHONPATH"] = str(tree)
            log = Path(folder) / LOG
            with (
                socket.create_server(("127.0.0.1", 0)) as listener,
                planning(environment, log, tree) as plans,
                running(web_command(listener.fileno()), environment, listener.fileno()) as web,
            ):
                port = listener.getsockname()[1]
                await asyncio.to_thread(await_answer, port, web)
                await _owned(redis.url, settings, [MARKET], plans.matcher)
                parts = {"web": web.pid, "matcher": plans.matcher.pid, "store": pid_of(redis)}
                parts |= {"jobs": plans.jobs.pid} if plans.jobs else {}
                told = await _night(args, settings, redis.url, port, parts, tuning=tuning)
            return told | {"batches": list(_batches(log))}


async def _night(
    args: argparse.Namespace,
    settings: Settings,
    url: str,
    port: int,
    parts: Mapping[str, int],
    *,
    tuning: Mapping[str, float],
) -> dict[str, Any]:
    """Vendors, then all requests, then until all is decided."""
    zone = ZoneInfo(ZONE)
    day = NightDay.drawn(args.requests, args.vendors, on=next_day(time.time_ns() // 1_000_000, zone), tz=zone)
    broker = Broker(MARKET, port, read_token_keys(settings.token_keys_file), args.vendors)
    await broker.open(day, tuning, args.at_once)
    bodies = calls_of(day, args.a_call)
    async with Store(url, read_patient_keys(settings.patient_keys_file)) as store:
        before = {name: tree_cpu_s(pid) for name, pid in parts.items()}
        taken_s = await broker.submit(bodies, args.at_once)
        at_202 = {name: tree_cpu_s(pid) for name, pid in parts.items()}
        decided_s = await all_decided(store.market(MARKET), args.patience)
        after = {name: tree_cpu_s(pid) for name, pid in parts.items()}
        memory = _memory(parts["matcher"])
        became = await what_became(store, MARKET, [each["id"] for some in bodies for each in some])
    figures = {
        "requests": args.requests,
        "intake_s": round(taken_s, 2),
        "decided_s": None if decided_s is None else round(decided_s, 2),
        "refused": broker.refused,
    }
    return figures | vars(became) | memory | _used("intake", before, at_202) | _used("night", at_202, after)


def _used(when: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float]:
    """Processor seconds by part; the matcher's solvers apart."""
    spent = {name: [b - a for a, b in zip(before[name], after[name], strict=True)] for name in after}
    told = {f"{when}_{name}_cpu_s": round(own, 2) for name, (own, _) in spent.items()}
    return told | {f"{when}_solvers_cpu_s": round(spent["matcher"][1], 2)}


def _memory(matcher_pid: int) -> dict[str, int | None]:
    """Most resident memory so far, MB: the matcher's, and that of the largest process below it (Linux).

    None: it has ended.
    """
    children = [matcher_pid]
    for at in children:
        for each in Path(f"/proc/{at}/task").glob("*/children"):
            children += [int(pid) for pid in each.read_text(encoding="ascii").split()]
    own, *below = [_peak_mb(each) for each in children]
    return {"matcher_peak_mb": own, "solver_peak_mb": max(filter(None, below), default=None)}


def _peak_mb(pid: int) -> int | None:
    """None: it has ended, and whoever began it has not heard so yet (then it has no memory), or has."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), None)


def _batches(log: Path) -> Iterator[dict[str, Any]]:
    """What the matcher said of its batches."""
    for line in log.read_text(encoding="utf-8").splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("event") == "batch":
            yield {name: value for name, value in told.items() if name not in ("event", "level", "market")}
