"""Play a day against the real service, in its own processes, with simulated vendors, and show it live.

Without --day a small made-up day is played: some 500 rides and equipment orders, 40 episodes beside them
(discharges, dialysis, days at the clinic), twelve vendors. The data is in a folder of its own that is removed
at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.cli import RUN
from dispatcher.runtime.arguments import (
    MOST_SEED,
    STANDARD_OUTPUT,
    a_date,
    number,
    try_to_write,
    whole,
    writing,
)
from dispatcher.runtime.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from dispatcher.demo.play import Options, Played
    from dispatcher.demo.service import Service
    from simulation.day import Day

NAME = "demo"
HELP = "play a day with simulated vendors and show it live"
GROUP = RUN
EXAMPLE = "dispatcher demo --json summary.json"
TERMINATED = 128 + signal.SIGTERM  # what a shell reports
MOST_EPISODES = 1_000
FASTEST = 10_000  # the setting CLOCK_SPEED takes no more
REPLAYED_WORK = 600_000  # steps of a solve: a fifth of a second
KEPT_HOURS = 24 * 3650  # by a clock that runs a thousand times as fast, a year is a day at work
PLAIN_CHARS = 110  # the width of a line where there is no terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which day, how fast, where the figures go."""
    parser.add_argument("--day", type=Path, metavar="DIR", help="a folder with trips.csv and vehicles.csv")
    parser.add_argument(
        "--date",
        type=a_date,
        metavar="YYYY-MM-DD",
        help="play it on this date, one that changes the clock say",
    )
    parser.add_argument(
        "--episodes",
        type=whole(0, MOST_EPISODES),
        metavar="N",
        help="so many patients with several requests in sequence (default: 40; of a day from files: 0)",
    )
    parser.add_argument(
        "--speed",
        type=number(0, FASTEST, above=True),
        help="clock seconds a real second (default: a day in two minutes)",
    )
    parser.add_argument(
        "--seed", type=whole(0, MOST_SEED), default=1, help="what is drawn (default: %(default)s)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the summary to FILE; - for standard output")
    parser.add_argument(
        "--replay",
        action="store_true",
        help="end solves by steps of work, and at the end make every decision again: the same bytes",
    )
    parser.add_argument("--keep", action="store_true", help="leave the service up afterwards, until Ctrl-C")
    parser.add_argument("--data-dir", type=Path, help="keep the data in this empty folder")
    parser.add_argument(
        "--redis-url",
        metavar="URL",
        help="play it on this store, a cluster say, which has nothing of its market",
    )
    parser.add_argument("--svg", type=Path, help=argparse.SUPPRESS)  # a picture of the terminal, for the docs


def run(args: argparse.Namespace) -> int:
    """Play; 0 if nothing was lost, booked twice or left to nobody."""
    import asyncio
    import sys

    import uvloop
    from rich.console import Console

    from dispatcher.demo.play import Options
    from dispatcher.settings import Settings

    out = sys.stderr if args.json == "-" else sys.stdout
    console = Console(file=out, width=None if out.isatty() else PLAIN_CHARS)
    url = Settings.read({}, {"redis_url": ("--redis-url", args.redis_url)}).redis_url
    day = _day(args)
    speed = args.speed or (day.end_ms - day.start_ms) / 1000 / day.takes_s
    with _folder(args.data_dir) as folder:
        for target in filter(None, (args.json, args.svg)):  # now, not after a whole day's play
            if target != STANDARD_OUTPUT:
                try_to_write(Path(target))
        given = {"speed": speed, "seed": args.seed, "keep": args.keep, "redis_url": url}
        options = Options(data_dir=folder, **given)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                return runner.run(_play(args, day, options, console))
            except asyncio.CancelledError:
                return TERMINATED
            except BaseExceptionGroup as group:
                raise _told(group) from group


def _told(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended the demo, apart from the tasks that it ended; a refusal is told without a traceback."""
    from client.errors import ClientError

    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, ClientError):
        return UserError(
            f"the service did not do as it was asked: {first}", "Maybe --data-dir: it keeps the log."
        )
    return first


async def _play(args: argparse.Namespace, day: Day, options: Options, console: Console) -> int:
    import asyncio

    from dispatcher.demo.play import played
    from dispatcher.demo.report import has_failed, show

    if (
        task := asyncio.current_task()
    ):  # SIGTERM ends the demo as Ctrl-C does: the service first, then the folder
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    console.print(
        f"{len(day.requests):,} requests, {len(day.vendors)} vendors, {options.speed:,.0f}× real time; "
        f"data in {options.data_dir}"
    )
    async with played(day, options, console) as end:
        show(console, end.summary, day, end.views)
        _write(args, end.summary)
        replays = not args.replay or await asyncio.to_thread(_all_replay, options.data_dir, day, console)
        if args.svg:
            _draw(args.svg, day, end)
        if args.keep:
            console.print(_left_running(end.service, day.market), soft_wrap=True, highlight=False)
            console.print(await _vendor_page(end.service, day), soft_wrap=True, highlight=False)
            await asyncio.Event().wait()
    return 1 if has_failed(end.summary) or not replays else 0


def _all_replay(folder: Path, day: Day, console: Console) -> bool:
    """Whether every decision of the day is the same when it is made again; says so."""
    from dispatcher.blobs.places import decisions_of
    from dispatcher.cli.replay import replayed, told
    from dispatcher.decisions.store import DecisionStore
    from dispatcher.security.key_files import read_patient_keys
    from dispatcher.security.vault import Vault
    from dispatcher.settings import Settings

    settings = Settings(data_dir=folder)
    keys = Vault(read_patient_keys(settings.patient_keys_file))
    store = DecisionStore(decisions_of(settings), keys)
    names = [(day.market, on, name) for on in store.days(day.market) for name in store.names(day.market, on)]
    summary = replayed(store, names)
    console.print(f"made again: {told(summary)}", highlight=False)
    return bool(names) and summary.get("identical", 0) == len(names)


def _left_running(service: Service, market: str) -> str:
    """Where it is, tokens that outlast the day, a way into the console, and how to get in again."""
    from contracts.codes import Role
    from dispatcher.runtime.own_command import typed
    from dispatcher.security.key_files import read_token_keys
    from dispatcher.security.tokens import claims, mint
    from dispatcher.serve.entrance import entrance
    from dispatcher.serve.whereabouts import moment

    keys, now_ms = read_token_keys(service.settings.token_keys_file), moment(service.settings).now_ms
    lines = [
        f"the service stays up on {service.url} until Ctrl-C, in real time by now. {service.url}/docs",
        "",
    ]
    for role in (Role.OPS, Role.PLATFORM):
        made = claims(role, markets=[market], vendor_id="", now_ms=now_ms, hours=KEPT_HOURS)
        lines.append(f"{role.upper()}={mint(keys, made)}")
    roles = (Role.OPS, Role.COORDINATOR, Role.CASE_MANAGER)
    looked_at = entrance(service.settings, roles=roles, markets=[market], url=service.url)
    command = typed(f"console --role {','.join(roles)} --market {market}")
    again = f"DISPATCHER_DATA_DIR={service.settings.data_dir.absolute()} {command}"
    lines += [f"URL={service.url}/v1/markets/{market}", "", f"the console: {looked_at}", f"in again: {again}"]
    return "\n".join(lines)


async def _vendor_page(service: Service, day: Day) -> str:
    """A link that opens the phone page of the day's first vendor."""
    from contracts.vendor_sign_ins import NewSignInLink
    from dispatcher.serve.vendor_entrance import vendor_entrance

    vendor_id = day.vendors[0].id
    made = await vendor_entrance(
        service.settings, day.market, vendor_id, NewSignInLink(subject="demo"), url=service.url
    )
    return f"a phone of {vendor_id}: {made.url}"


def _draw(path: Path, day: Day, end: Played) -> None:
    """The last screen and the summary as a picture."""
    import io

    from rich.console import Console

    from dispatcher.demo.report import show

    canvas = Console(file=io.StringIO(), width=PLAIN_CHARS, record=True, force_terminal=True)
    canvas.print(end.board.picture())
    show(canvas, end.summary, day, end.views)
    drawn = canvas.export_svg(title="./run demo")
    with writing(path):
        path.write_text(re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL))  # no font from elsewhere


def _day(args: argparse.Namespace) -> Day:
    """The day asked for; one to be looked at afterwards forgets nothing, though its clock runs on."""
    from dataclasses import replace

    from dispatcher.domain.timers import RETENTION
    from dispatcher.matching.job import WORK_LIMIT
    from simulation import seoul, small, stories
    from simulation.day import DATE
    from simulation.errors import DayError

    try:
        on = args.date or DATE
        day = seoul.load(args.day, args.seed, on) if args.day else small.generate(args.seed, date=on)
        usual = 0 if args.day else stories.EPISODES  # what was recorded stays comparable
        number = usual if args.episodes is None else args.episodes
        day = stories.with_episodes(day, number, args.seed)
    except DayError as error:
        raise UserError(error.message, error.remedy) from error
    more = {RETENTION.name: RETENTION.maximum} if args.keep else {}
    more |= {WORK_LIMIT.name: REPLAYED_WORK} if args.replay else {}
    return replace(day, tuning={**day.tuning, **more})


@contextlib.contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is None:
        with tempfile.TemporaryDirectory(prefix="dispatcher-demo-") as made:
            yield Path(made)
        return
    with writing(chosen):
        chosen.mkdir(parents=True, exist_ok=True)
        if any(chosen.iterdir()):
            raise UserError(f"{chosen} is not empty.", "A day starts with an empty folder: name another one.")
        try_to_write(chosen / "lock")
    yield chosen


def _write(args: argparse.Namespace, summary: object) -> None:
    import msgspec

    if args.json is None:
        return
    text = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    if args.json == STANDARD_OUTPUT:
        print(text.decode())
    else:
        with writing(Path(args.json)):
            Path(args.json).write_bytes(text + b"\n")
