"""What-if beside full simulations: whether matched, late and declined of ten settings rank alike.

Each setting is played twice: in memory, as what-if does; and as the demo does, by the whole service in its
own processes over HTTP and Redis, on a scaled clock. Vendors draw the same lots in both.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from benchmarks.figures import add_json, tell
from contracts.codes import OfferState
from contracts.request_views import RequestView
from contracts.what_if import WhatIfChange
from dispatcher.demo.play import Options, played
from dispatcher.demo.story import KEPT
from dispatcher.runtime.arguments import MOST_SEED, number, whole
from dispatcher.what_if.answers import AsPlayed
from dispatcher.what_if.days import DayAsked, changed_day, play_side
from dispatcher.what_if.side import side_of
from simulation import seoul, small
from simulation.day import Day

LATE = timedelta(minutes=15)
FASTEST = 10_000
SETTINGS: Mapping[str, WhatIfChange] = {
    "today": WhatIfChange(),
    "capacity +50 %": WhatIfChange(capacity_percent=50),
    "capacity -40 %": WhatIfChange(capacity_percent=-40),
    "capacity -60 %": WhatIfChange(capacity_percent=-60),
    "capacity -75 %": WhatIfChange(capacity_percent=-75),
    "one offer a request": WhatIfChange(values={"max_attempts": 1}),
    "two offers a request": WhatIfChange(values={"max_attempts": 2}),
    "two hours ahead": WhatIfChange(values={"horizon_hours": 2}),
    "one offer, capacity -60 %": WhatIfChange(values={"max_attempts": 1}, capacity_percent=-60),
    "price x5, capacity -50 %": WhatIfChange(values={"price_weight": 5}, capacity_percent=-50),
}


class Ended(NamedTuple):
    """How a day ended."""

    matched: int
    late: int
    declined: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`bench what-if`."""
    parser.add_argument("--day", type=Path, help="a folder with trips.csv and vehicles.csv; default: made up")
    parser.add_argument("--seed", type=whole(0, MOST_SEED), default=1, help="what is drawn")
    parser.add_argument("--settings", type=whole(2, len(SETTINGS)), default=len(SETTINGS), help="so many")
    parser.add_argument("--speed", type=number(0, FASTEST, above=True), help="clock seconds a real second")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """All settings both ways; 0 if each of the three ranks alike (correlation above a half)."""
    day = seoul.load(args.day, args.seed) if args.day else small.generate(args.seed)
    speed = args.speed or (day.end_ms - day.start_ms) / 1000 / day.takes_s
    rows = []
    for name, change in list(SETTINGS.items())[: args.settings]:
        told, real = predicted(day, change, args.seed), simulated(changed_day(day, change), args.seed, speed)
        rows.append({"setting": name, "predicted": told._asdict(), "simulated": real._asdict()})
        print(f"{name}: predicted {tuple(told)}, simulated {tuple(real)}", flush=True)
    ranks = {each: correlation(rows, each) for each in Ended._fields}
    tell({"benchmark": "what-if", "day": day.name, "settings": rows, "rank_correlation": ranks}, args.json)
    return 0 if all(each > 0.5 for each in ranks.values()) else 1


def predicted(day: Day, change: WhatIfChange, seed: int) -> Ended:
    """By what-if: played in memory."""
    end = play_side(DayAsked(day, change, AsPlayed(seed)), 2)
    ids, vendors = sorted(end.requests), sorted(each.id for each in changed_day(day, change).vendors)
    side = side_of(end, ids, vendors, changed_day(day, change), ())
    return Ended(int(side.matched.sum()), int(side.late.sum()), int(side.declined.sum()))


def simulated(day: Day, seed: int, speed: float) -> Ended:
    """By the whole service, as the demo plays it."""
    with tempfile.TemporaryDirectory(prefix="dispatcher-bench-") as folder:
        options = Options(speed=speed, seed=seed, data_dir=Path(folder))
        return asyncio.run(_simulated(day, options))


async def _simulated(day: Day, options: Options) -> Ended:
    async with played(day, options, Console(file=io.StringIO())) as end:
        views = list(end.views.values())
    offers = [attempt.state for view in views for attempt in view.attempts]
    declined = sum(each in (OfferState.REJECTED, OfferState.EXPIRED) for each in offers)
    return Ended(sum(view.state in KEPT for view in views), sum(map(_is_late, views)), declined)


def _is_late(view: RequestView) -> bool:
    """Whether the vendor that kept it came more than a quarter of an hour after the agreed start."""
    if view.state not in KEPT or view.match is None:
        return False
    there = [
        step.at for step in view.history if step.code == "at_pickup" and step.at >= view.match.decided_at
    ]
    return bool(there) and there[-1] - view.match.start_at > LATE


def correlation(rows: Iterable[Mapping[str, Any]], figure: str) -> float:
    """Spearman's: Pearson's of the ranks, ties in the middle of theirs."""
    told, real = (np.array([row[how][figure] for row in rows]) for how in ("predicted", "simulated"))
    return round(float(np.corrcoef(ranks_of(told), ranks_of(real))[0, 1]), 3)


def ranks_of(values: Any) -> Any:
    """From 1; equal values share the mean of their ranks."""
    ordered = np.sort(np.asarray(values))
    first, last = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return (first + 1 + last) / 2
