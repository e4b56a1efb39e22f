"""The service with consoles, a shadow, saved decisions, what-ifs, beside itself without, in turns of one run.

Each turn has a market of its own, with the same vendors: in rounds, a batch of requests and then imminent
requests one after the other; at last as many requests as can be sent. A pair is two turns, one of each side;
each side goes first as often as the other, and a turn begins once what the one before left in the background
has ended. The first turn warms the service and is not counted. What is compared is the median over the pairs;
the CPU time of the processes says the same where the machine has other work.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.beside_turn import WITH, WITHOUT, Turn
from benchmarks.busy_market import BusyMarket
from benchmarks.figures import add_counts, add_json, tell
from benchmarks.intake import await_answer, running, settings_in, web_command
from benchmarks.roles import planning
from dispatcher.security.key_files import read_patient_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets
from dispatcher.store.store import Store

AIM = 0.95
ZONE = "America/New_York"
FIGURES = (  # whether more is better
    ("intake_per_s", True),
    ("web_cpu_us_per_202", False),
    ("imminent_ms", False),
    ("imminent_cpu_ms", False),
    ("batch_s", False),
    ("batch_cpu_ms", False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much is asked in each turn, how many turns, and where the figures go."""
    add_counts(
        parser,
        ("pairs", 7, "pairs of turns"),
        ("vendors", 100, "vendors of each market"),
        ("rounds", 4, "batches of a turn, each followed by imminent requests"),
        ("batch", 400, "requests for later, sent at once"),
        ("imminent", 10, "imminent requests of a round, ten a second"),
        ("intake", 6_000, "requests sent as fast as may be"),
        ("consoles", 3, "consoles that look on"),
    )
    parser.add_argument(
        "--on",
        default="consoles,decisions,shadow",
        help="what the one side has, of consoles, decisions, shadow, what_if (default: %(default)s)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print."""
    figures = asyncio.run(_measure(args))
    tell(figures, args.json, told)
    return 0


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    turns = [f"t{pair}-{what}" for pair in range(args.pairs) for what in in_turn(pair)]
    turns = [f"warm-{WITH}", *turns]
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        settings = settings_in(Path(folder), markets=Markets({each: ZoneInfo(ZONE) for each in turns}))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis:
            environment = os.environ | settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            async with Store(redis.url, read_patient_keys(settings.patient_keys_file)) as store:
                for each in turns:
                    await BusyMarket(store.market(each), ZoneInfo(ZONE), args.vendors).open()
                with socket.create_server(("127.0.0.1", 0)) as listener, planning(environment) as plans:
                    words = web_command(listener.fileno())
                    with running(words, environment, listener.fileno()) as server:
                        port = listener.getsockname()[1]
                        await asyncio.to_thread(await_answer, port, server)
                        pids = (server.pid, plans.matcher.pid)
                        seen = [
                            await Turn(store, settings, args, port, pids=pids, name=each).all()
                            for each in turns
                        ]
    return compared(seen[1:]) | {"load_average_after": os.getloadavg()[0]}


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
