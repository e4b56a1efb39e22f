"""Kill, fill and damage every part while it works, round after round, and judge what is stored by the audit.

Everything runs on this machine, in a folder of its own that goes again: real servers, real processes. The
tests play the same scenarios for a few rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.cli import MEASURE, suggest
from dispatcher.runtime.arguments import MOST_SEED, STANDARD_OUTPUT, output, whole, writing
from dispatcher.runtime.errors import UsageError, UserError
from dispatcher.runtime.own_packages import HOME, lies_here
from dispatcher.runtime.signals import terminate_as_interrupt

if TYPE_CHECKING:
    from rich.console import Console

NAME = "chaos"
HELP = "kill, fill and damage every part, and judge what is left"
GROUP = MEASURE
EXAMPLE = "dispatcher chaos --rounds 200 --only kill-store,disk-full"
NEEDS = ("chaos", "tests")  # of a checkout
MOST_ROUNDS, PLAIN_CHARS = 100_000, 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is played, and how long."""
    parser.add_argument(
        "--rounds", type=whole(1, MOST_ROUNDS), default=20, metavar="N", help="of each kill (default: 20)"
    )
    parser.add_argument("--only", metavar="NAMES", help="scenarios by comma; default: all (see --list)")
    parser.add_argument("--list", action="store_true", help="tell what the scenarios are, and end")
    parser.add_argument("--seed", type=whole(0, MOST_SEED), default=1, help="what is drawn (default: 1)")
    parser.add_argument(
        "--wheel",
        type=Path,
        metavar="FILE",
        help="of the release that `upgrade` begins with (default: built)",
    )
    parser.add_argument(
        "--json", type=output, metavar="FILE", help="write the figures; - for standard output"
    )
    parser.add_argument("--log", type=output, metavar="FILE", help="write what the parts in this process log")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every promise held; 1: something was found. Raises UserError without a checkout."""
    if not all(map(lies_here, NEEDS)):
        raise UserError(
            f"no scenarios lie beside {HOME / 'dispatcher'}: they need a checkout.",
            "Maybe clone the repository and run ./run chaos there.",
        )
    import sys

    from rich.console import Console

    scenarios = importlib.import_module("chaos.scenarios")
    out = sys.stderr if args.json == STANDARD_OUTPUT else sys.stdout
    console = Console(file=out, width=None if out.isatty() else PLAIN_CHARS)
    if args.list:
        width = max(map(len, scenarios.SCENARIOS))
        for name, what in scenarios.described():
            console.print(f"{name:<{width}}  {what}", highlight=False, soft_wrap=True)
        return 0
    if args.wheel is not None and not zipfile.is_zipfile(args.wheel):
        raise UsageError(f"--wheel {args.wheel} is no wheel.", "Maybe dist/dispatcher-VERSION-….whl.")
    names = args.only.split(",") if args.only else list(scenarios.SCENARIOS)
    for name in names:
        if name not in scenarios.SCENARIOS:
            raise UsageError(f"there is no scenario '{name}'.", suggest(name, list(scenarios.SCENARIOS)))
    terminate_as_interrupt()
    with _logging(args.log):
        return _play(args, names, console)


def _play(args: argparse.Namespace, names: list[str], console: Console) -> int:
    import asyncio

    import msgspec

    scenarios, board_of = importlib.import_module("chaos.scenarios"), importlib.import_module("chaos.board")
    planned = {name: scenarios.SCENARIOS[name].rounds(args.rounds) for name in names}
    reports = []
    with _folder() as made, board_of.Board(console, planned) as board:
        for name in names:
            report = asyncio.run(
                scenarios.play(name, made, args.rounds, args.seed, board.tell, wheel=args.wheel)
            )
            board.over(report)
            reports.append(report)
            if not report.found:
                shutil.rmtree(made / name)
    board.show(reports)
    if made.exists():
        console.print(f"The logs and data of what was found are in {made}", highlight=False, soft_wrap=True)
    if args.json:
        text = msgspec.json.format(msgspec.json.encode(reports), indent=2).decode()
        if args.json == STANDARD_OUTPUT:
            print(text)
        else:
            with writing(Path(args.json)):
                Path(args.json).write_text(text + "\n")
    return 1 if any(each.found for each in reports) else 0


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder for what is played; it goes again, unless something is left in it: of what was found."""
    made = Path(tempfile.mkdtemp(prefix="dispatcher-chaos-"))
    try:
        yield made
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    if not any(made.iterdir()):
        made.rmdir()


@contextlib.contextmanager
def _logging(target: str | None) -> Iterator[None]:
    """What is logged in this process would tear the bars apart: it goes to a file, or nowhere."""
    import os
    import sys

    import structlog

    if target == STANDARD_OUTPUT:
        yield
        return
    with Path(target or os.devnull).open("a", encoding="utf-8") as file:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=file))
        try:
            yield
        finally:
            structlog.reset_defaults()
            sys.stdout.flush()
