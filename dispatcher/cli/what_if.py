"""`dispatcher what-if`: a day played under today's settings and under changed ones, compared by request.

No service is needed: the day is played in memory by the service's own decisions and optimiser. Vendors
answer, decline, are late and turn back by the same draws on both sides.
"""

from __future__ import annotations

import argparse
import difflib
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.what_if import LEAST_PERCENT, MOST_PERCENT
from dispatcher.cli import MEASURE
from dispatcher.runtime.arguments import MOST_SEED, STANDARD_OUTPUT, a_date, an_id, output, whole, writing
from dispatcher.runtime.errors import UsageError, UserError

if TYPE_CHECKING:
    from contracts.what_if import WhatIfAnswer, WhatIfChange
    from dispatcher.what_if.days import DayAsked
    from simulation.day import Day

NAME = "what-if"
HELP = "play a day under other settings, and say what would be otherwise"
GROUP = MEASURE
EXAMPLE = "dispatcher what-if --set price_weight=2 --capacity -10 --csv moves.csv"
PLAIN_CHARS = 110
MOST_EPISODES = 2_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The day, what would be otherwise, and where the answer goes."""
    add = parser.add_argument
    add("--day", type=Path, metavar="DIR", help="a folder with trips.csv and vehicles.csv (default: made up)")
    add("--date", type=a_date, metavar="YYYY-MM-DD", help="play it on this date")
    many = "so many patients with several requests in sequence (default: 40; of a day from files: 0)"
    add("--episodes", type=whole(0, MOST_EPISODES), metavar="N", help=many)
    _add_changes(parser)
    add("--seed", type=whole(0, MOST_SEED), default=1, help="what is drawn (default: %(default)s)")
    cores = min(3, os.cpu_count() or 1)
    add("--workers", type=whole(1, 3), default=cores, help="sides played at a time (default: %(default)s)")
    add("--json", type=output, metavar="FILE", help="write the answer as JSON; - for standard output")
    add("--csv", type=output, metavar="FILE", help="write a line for each request that fares otherwise, or -")


def _add_changes(parser: argparse.ArgumentParser) -> None:
    many: dict[str, Any] = {"action": "append", "default": []}
    add = parser.add_argument
    add("--set", type=_setting, metavar="NAME=VALUE", help="another value of a tuning parameter", **many)
    add("--rule-off", type=an_id, metavar="RULE", help="without this rule or cost term", **many)
    add("--pause", type=an_id, metavar="VENDOR", help="without this vendor", **many)
    share = whole(LEAST_PERCENT, MOST_PERCENT)
    add("--capacity", type=share, default=0, metavar="PERCENT", help="so much more of all capacity, or less")


def _setting(text: str) -> tuple[str, float]:
    """Reads `name=value`."""
    name, equals, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.inf
    if not (name and equals and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"'{text}' is no name=value with a number, such as price_weight=2")
    return name, int(number) if number.is_integer() else number


def run(args: argparse.Namespace) -> int:
    """0: there is an answer; 2: what was asked for is not there."""
    import sys

    from rich.console import Console

    from dispatcher.what_if.answers import AsPlayed
    from dispatcher.what_if.care import with_stories
    from dispatcher.what_if.days import DayAsked
    from dispatcher.what_if.report import show

    out = sys.stderr if STANDARD_OUTPUT in (args.json, args.csv) else sys.stdout
    console = Console(file=out, width=None if out.isatty() else PLAIN_CHARS)
    day, care = with_stories(_day(args))
    asked = DayAsked(day, _change(args, day), AsPlayed(args.seed), care=care)
    console.print(f"{len(day.requests):,} requests, {len(day.vendors)} vendors, played three times")
    answer = _played(asked, args.workers)
    show(console, answer)
    _write(args, answer)
    return 0


def _day(args: argparse.Namespace) -> Day:
    from simulation import seoul, small, stories
    from simulation.day import DATE
    from simulation.errors import DayError

    try:
        on = args.date or DATE
        day = seoul.load(args.day, args.seed, on) if args.day else small.generate(args.seed, date=on)
        usual = 0 if args.day else stories.EPISODES
        return stories.with_episodes(day, usual if args.episodes is None else args.episodes, args.seed)
    except DayError as error:
        raise UserError(error.message, error.remedy) from error


def _change(args: argparse.Namespace, day: Day) -> WhatIfChange:
    from contracts.tuning import renamed
    from contracts.what_if import WhatIfChange
    from dispatcher.domain.refusals import Invalid
    from dispatcher.service.what_ifs import refuse_unknown
    from dispatcher.tuning.registry import Registry

    registry = Registry.found()
    change = WhatIfChange(
        values=dict(args.set),
        rules_off=tuple(args.rule_off),
        pause=tuple(args.pause),
        capacity_percent=args.capacity,
    )
    try:
        return refuse_unknown(change, {each.id for each in day.vendors}, registry)
    except Invalid as error:
        message, _, remedy = str(error).partition("\n")
        strange = next((each for each in renamed(change.values) if each not in registry.parameters), None)
        if strange is not None:  # there is no service to read them from
            near = difflib.get_close_matches(strange, registry.parameters, n=1)
            meant = f"Maybe you meant: {near[0]}\n" if near else ""
            remedy = f"{meant}docs/tuning.md lists all parameters, each with its bounds and unit."
        raise UsageError(f"{message}.", remedy) from error


def _played(asked: DayAsked, workers: int) -> WhatIfAnswer:
    """Beside each other, at low priority."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from dispatcher.what_if.days import compare_day

    if workers == 1:
        return compare_day(asked)
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=os.nice, initargs=(10,)) as beside:
        return compare_day(asked, beside=beside)


def _write(args: argparse.Namespace, answer: WhatIfAnswer) -> None:
    import msgspec

    from dispatcher.service.what_if_csv import as_csv

    texts = {
        args.json: msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n",
        args.csv: as_csv(answer),
    }
    for target, text in texts.items():
        if target == STANDARD_OUTPUT:
            print(text, end="")
        elif target is not None:
            with writing(Path(target)):
                Path(target).write_text(text, encoding="utf-8", newline="")
