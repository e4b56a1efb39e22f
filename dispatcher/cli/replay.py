"""Make saved decisions again, from their records alone: the store need not run.

A decision that ended by steps of work, or that no optimiser made, gives the same bytes again. One that a time
limit ended is judged by the choice that was recorded: every rule, every constraint, its cost and its bound.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher.cli import OPERATE
from dispatcher.runtime.arguments import STANDARD_OUTPUT, a_date, an_id, output, writing
from dispatcher.runtime.errors import UsageError, UserError

if TYPE_CHECKING:
    from dispatcher.decisions.record import Raw
    from dispatcher.decisions.replay import Replayed
    from dispatcher.decisions.store import DecisionStore

NAME = "replay"
HELP = "make saved decisions again, and say whether they are the same"
GROUP = OPERATE
EXAMPLE = "dispatcher replay --day 2026-03-02"
SHOWN = 20  # decisions that differ, printed for people; --json has all
UNREADABLE = "unreadable"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which decisions, and where they are kept."""
    parser.add_argument(
        "digest", nargs="?", type=an_id, help="of the decision, as a match has it in `snapshot`"
    )
    parser.add_argument("--all", action="store_true", help="all that is kept, of whatever day")
    parser.add_argument(
        "--day", type=a_date, metavar="YYYY-MM-DD", help="all of that local day of the market"
    )
    parser.add_argument(
        "--market", action="append", type=an_id, help="only this one; may be repeated; default: all"
    )
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="the service's data folder")
    parser.add_argument(
        "--decisions", metavar="PLACE", help="a folder or s3://… (default: DISPATCHER_DECISIONS)"
    )
    parser.add_argument(
        "--json", type=output, metavar="FILE", help="write the summary as JSON; - is standard output"
    )


def run(args: argparse.Namespace) -> int:
    """0: all replay; 1: one differs or cannot be read."""
    from dispatcher.blobs.places import decisions_of
    from dispatcher.decisions.store import DecisionStore
    from dispatcher.security.key_files import read_patient_keys
    from dispatcher.security.vault import Vault
    from dispatcher.settings import Settings
    from dispatcher.tuning import plugins

    if (args.digest and args.all) or not (args.digest or args.all or args.day):
        raise UsageError("one decision or all?", "Give a DIGEST, a --day, or --all.")
    folder = args.data_dir and str(args.data_dir)
    options = {"data_dir": ("--data-dir", folder), "decisions": ("--decisions", args.decisions)}
    settings = Settings.read(os.environ, options)
    plugins.load(settings.rules)
    blobs = decisions_of(settings)
    store = DecisionStore(blobs, Vault(read_patient_keys(settings.patient_keys_file)))
    markets = list(dict.fromkeys(args.market or settings.markets))
    try:
        found = list(_records(store, markets, args))
    except OSError as error:
        raise UserError(
            f"the decisions in {blobs} cannot be read: {error}.", "Maybe --data-dir or --decisions."
        ) from error
    if not found:
        what = f"decision {args.digest}" if args.digest else "decision"
        on = f" of {args.day}" if args.day else ""
        raise UserError(
            f"{blobs} keeps no {what}{on} of {', '.join(markets)}.",
            "Maybe it was forgotten (decisions_days, decisions_mb), or --data-dir is another.",
        )
    summary = replayed(store, found)
    _write(args.json, summary)
    return 0 if not summary["differ"] else 1


def replayed(store: DecisionStore, found: list[tuple[str, str, str]]) -> dict[str, Any]:
    """How these replay: counts, and each that differs."""
    return _summary([_replayed(store, *each) for each in _shown(found)])


def _records(
    store: DecisionStore, markets: list[str], args: argparse.Namespace
) -> Iterator[tuple[str, str, str]]:
    """Market, day and name of each record that is asked for."""
    for market in markets:
        for day in [args.day.isoformat()] if args.day else store.days(market):
            for name in store.names(market, day):
                if args.digest is None or name.partition("-")[0] == args.digest:
                    yield market, day, name


def _shown(found: list[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """With a bar for whoever waits at a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(found, "replaying", console=console, disable=not console.is_terminal or len(found) < 3)


def _replayed(store: DecisionStore, market: str, day: str, name: str) -> tuple[str, dict[str, Any], Replayed]:
    from dispatcher.decisions.record import Unsaved
    from dispatcher.decisions.replay import DIFFERS, Replayed, replay
    from dispatcher.decisions.store import Place, read_at
    from dispatcher.security.vault import UnreadablePatient

    about: dict[str, Any] = {"market": market, "day": day}
    try:
        raw = read_at(Place(market, day, name), store.raw(market, day, name) or b"")
        about |= _about(raw)
        return name, about, replay(store.opened(raw))
    except (Unsaved, UnreadablePatient, OSError) as error:
        words, _, hint = str(error).partition("\n")
        return name, about | {"unreadable": True}, Replayed(name, DIFFERS, (words,), hint)


def _about(raw: Raw) -> dict[str, Any]:
    header = raw.header
    return {
        "kind": header.kind,
        "solver": header.solver,
        "limited_by": "work" if header.work_limit else "time" if header.solver == "optimiser" else "nothing",
        "requests": len(header.requests),
        "matched": header.matched,
        "cost": header.cost,
        "bound": header.bound,
    }


def _summary(results: list[tuple[str, dict[str, Any], Replayed]]) -> dict[str, Any]:
    counts = Counter(UNREADABLE if UNREADABLE in about else each.how for _, about, each in results)
    differ = [
        {"decision": name, **about, "how": each.how, "problems": list(each.problems), "hint": each.hint}
        for name, about, each in results
        if not each.ok
    ]
    kinds = Counter(about.get("kind", UNREADABLE) for _, about, _ in results)
    one = {"decision": results[0][0], **results[0][1], "how": results[0][2].how} if len(results) == 1 else {}
    return {"decisions": len(results), **counts, "kinds": dict(kinds), **one, "differ": differ}


def _write(target: str | None, summary: dict[str, Any]) -> None:
    text = json.dumps(summary, indent=2)
    if target == STANDARD_OUTPUT:
        print(text)
        return
    if target is not None:
        with writing(Path(target)):
            Path(target).write_text(text + "\n", encoding="utf-8")
    print(told(summary))
    for each in summary["differ"][:SHOWN]:
        print(f"  {each['decision']}: {each['how']}: {'; '.join(each['problems'][:3])}", file=sys.stderr)
        if each["hint"]:
            print(f"    {each['hint']}", file=sys.stderr)


def told(summary: dict[str, Any]) -> str:
    """The summary: how many of how many, and of which kinds."""
    all_, same, verified = summary["decisions"], summary.get("identical", 0), summary.get("verified", 0)
    more = f", {verified:,} verified (a time limit ended their solve)" if verified else ""
    more += f", {len(summary['differ']):,} differ" if summary["differ"] else ""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(summary["kinds"].items()))
    return f"{all_:,} decisions ({kinds}): {same:,} of {all_:,} byte-identical{more}"
