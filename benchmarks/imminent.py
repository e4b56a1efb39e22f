"""Imminent rides at some rates: from a 202 to the match on the event stream, from the first second on.

Each rate is played in three cases: alone; while a batch of requests for later is being solved; while
vendors post other capacity. Each has a market of its own, whose vendors are registered over HTTP just before
its first ride. Rides come by the clock, however long the service takes. `--beside FOLDER`: another checkout
in turns of the same run. Fails if a ride is lost, or has no match in time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.figures import add_counts, add_json, tell
from benchmarks.imminent_load import PATIENCE_S, Market, Told
from benchmarks.intake import await_answer, cpu_s, running, settings_in, web_command
from benchmarks.roles import Planning, below_s, pid_of, planning
from dispatcher.runtime.arguments import whole
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import read_patient_keys, read_token_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings
from dispatcher.store.store import Store

AIM_P50_MS, AIM_P99_MS = 8.0, 40.0
FIRST_S = 2.0  # after the vendors were registered
BY_HAND = "Maybe run `serve` by hand: it says why."
MOST_RATE = 10_000
# All that both sides are told: a checkout of another age may not know what else can be set.
SET = [f"DISPATCHER_{name}" for name in ("REDIS_URL", "DATA_DIR", "MARKETS", "LOG_LEVEL")]
ZONE = "America/New_York"
HERE, THERE = "here", "beside"
ALONE, BATCH, CHANGES = CASES = ("alone", "batch", "changes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The rates, how long each, what else goes on, and where the figures go."""
    parser.add_argument(
        "--rates", type=rates_of, default="50,100,200", help="rides a second (default: %(default)s)"
    )
    add_counts(
        parser,
        ("seconds", 10, "seconds of each rate"),
        ("vendors", 100, "vendors of each market"),
        ("pairs", 1, "times that it is all done"),
        ("batch", 10_000, "requests for later that are solved meanwhile, in the case `batch`"),
        ("changes", 5, "vendors a second that post other capacity meanwhile, in the case `changes`"),
    )
    parser.add_argument(
        "--cases",
        type=cases_of,
        default=",".join(CASES),
        help="what goes on meanwhile (default: %(default)s)",
    )
    parser.add_argument("--beside", type=checkout, metavar="FOLDER", help="another checkout, kernels built")
    add_json(parser)


def rates_of(text: str) -> list[int]:
    """Reads rates; each has a market of its own, by its name."""
    rates = [whole(1, MOST_RATE)(each) for each in text.split(",")]
    if len(set(rates)) < len(rates):
        raise argparse.ArgumentTypeError(f"'{text}' names a rate twice; maybe --pairs")
    return rates


def cases_of(text: str) -> list[str]:
    """Reads cases."""
    cases = text.split(",")
    if set(cases) - set(CASES) or len(set(cases)) < len(cases):
        raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(CASES)}, or names one twice")
    return cases


def checkout(text: str) -> Path:
    """Reads a folder that the service can be started from: else ours would be measured in its place."""
    folder = Path(text).absolute()
    if not os.path.isfile(folder / "dispatcher" / "__main__.py"):  # noqa: PTH113 - False for an odd name, too
        raise argparse.ArgumentTypeError(f"'{text}' is no checkout: dispatcher/__main__.py is not in it")
    if not list(folder.glob("solvers/kernels/*.so")):
        raise argparse.ArgumentTypeError(f"'{text}' has no compiled kernels in solvers/kernels")
    return folder


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 where a ride had no match."""
    found, sides = list[dict[str, Any]](), list[tuple[str, Path | None]]([(HERE, None)])
    if args.beside:
        sides.append((THERE, args.beside))
    for turn in range(args.pairs):
        for what, tree in sides[:: -1 if turn % 2 else 1]:  # whoever is first has the colder machine
            found += [each | {"of": what} for each in asyncio.run(_measure(args, args.rates, tree))]
    figures = compared(found, args.rates)
    tell(figures, args.json, told)
    return 1 if any(each["lost"] for each in found) else 0


async def _measure(args: argparse.Namespace, rates: Sequence[int], tree: Path | None) -> list[dict[str, Any]]:
    played = {f"r{rate}-{case}": (rate, case) for rate in rates for case in args.cases}
    names = list(played)
    with tempfile.TemporaryDirectory(prefix="imminent-") as folder:
        settings = settings_in(Path(folder), markets=Markets({each: ZoneInfo(ZONE) for each in names}))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis:
            ours = settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            environment = os.environ | {name: ours[name] for name in SET}
            if tree is not None:
                environment["PYTHONPATH"] = str(tree)
            keys = read_token_keys(settings.token_keys_file)
            with (
                socket.create_server(("127.0.0.1", 0)) as listener,
                planning(environment, tree=tree) as plans,
                running(web_command(listener.fileno()), environment, listener.fileno()) as server,
            ):
                port, found = listener.getsockname()[1], []
                await asyncio.to_thread(await_answer, port, server)
                await _owned(redis.url, settings, names, plans.matcher)
                for name, (rate, case) in played.items():
                    before_s = _used_s(plans, server.pid, redis)
                    market = Market(name, port, keys, args.vendors)
                    batch, changes = args.batch * (case == BATCH), args.changes * (case == CHANGES)
                    seen = await market.play(rate, args.seconds, batch=batch, changes=changes)
                    after_s = _used_s(plans, server.pid, redis)
                    used_s = {role: each - before_s[role] for role, each in after_s.items()}
                    found.append(figures_of(seen, rate, used_s) | {"case": case})
                    await _calm(redis.url, settings, name)
    return found


async def _calm(url: str, settings: Settings, name: str) -> None:
    """Until nobody waits in a market, so that its batch is not the next case's."""
    end = time.monotonic() + PATIENCE_S
    async with Store(url, read_patient_keys(settings.patient_keys_file)) as store:
        while (await store.market(name).requests.waiting())[0] and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _used_s(plans: Planning, web: int, redis: EmbeddedRedis) -> dict[str, float]:
    """Processor seconds by role; the matcher's without its solvers."""
    used = {"matcher": cpu_s(plans.matcher.pid), "solver": below_s(plans.matcher.pid), "web": cpu_s(web)}
    used |= {"store": cpu_s(pid_of(redis))}
    return used if plans.jobs is None else used | {"jobs": cpu_s(plans.jobs.pid)}


async def _owned(
    url: str, settings: Settings, names: Sequence[str], solving: subprocess.Popen[bytes]
) -> None:
    """Until the matcher has every market. Raises UserError if it ends before."""
    async with Store(url, read_patient_keys(settings.patient_keys_file)) as store:
        for name in names:
            while await store.market(name).lease.owner() is None:
                if solving.poll() is not None:
                    raise UserError(f"the matcher ended with status {solving.returncode}.", BY_HAND)
                await asyncio.sleep(0.05)


def figures_of(seen: Told, rate: int, used_s: Mapping[str, float]) -> dict[str, Any]:
    """What one market saw; `used_s`: processor seconds by role."""
    waits = sorted(seen.waits_ms.values())
    first = sorted(each for name, each in seen.waits_ms.items() if seen.sent_s[name] < FIRST_S)
    rides = max(1, len(seen.sent_s))
    return {
        "rate": rate,
        "rides": len(seen.sent_s),
        "lost": len(seen.sent_s) - len(waits),
        "refused": seen.refused,
        "p50_ms": _at(waits, 0.5),
        "p99_ms": _at(waits, 0.99),
        "first_p99_ms": _at(first, 0.99),
        "sent_late_p99_ms": _at(sorted(seen.late_ms), 0.99),
        **{f"{role}_cpu_ms_a_ride": round(1_000 * each / rides, 2) for role, each in used_s.items()},
    }


def _at(values: Sequence[float], share: float) -> float:
    return round(values[min(len(values) - 1, int(share * len(values)))], 1) if values else -1.0


def compared(found: Sequence[Mapping[str, Any]], rates: Sequence[int]) -> dict[str, Any]:
    """By side, rate and case the median of each figure over its turns."""
    figures: dict[str, Any] = {"aim_p50_ms": AIM_P50_MS, "aim_p99_ms": AIM_P99_MS}
    for key in product((HERE, THERE), rates, CASES):
        turns = [each for each in found if (each["of"], each["rate"], each["case"]) == key]
        if turns:
            names = [name for name in turns[0] if name not in ("of", "rate", "case")]
            told_as = "_".join(map(str, key))
            figures[told_as] = {name: median(each[name] for each in turns) for name in names}
    return figures | {"load_average_after": os.getloadavg()[0]}


def told(figures: Mapping[str, Any]) -> str:
    """A line a rate and case."""
    return "\n".join(f"{name:<20} {value}" for name, value in figures.items())
