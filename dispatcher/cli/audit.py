"""Read everything stored and say whether it keeps the promises. Nothing is changed; patients are not read.

Checked: no request ended twice or went a way the table does not have; each has its timer, index entry and
body; what asks for a person has an open task of one owner; the ledgers equal what the offers have booked,
within what is posted; vendors' lists agree; episodes and requests agree, no bundle is left in halves, work
stays in sequence; balances of authorizations are what is drawn; occurrences are made once, in turn; nobody
is told twice; requests know what is proved; every picture that a proof names, and every document that a
credential has, is there as it was put; acknowledged ids exist; every running process has the patient keys in
use.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher.audit.told import AWAY, told
from dispatcher.cli import OPERATE
from dispatcher.cli._named_store import add_store, settings_of
from dispatcher.runtime.arguments import an_id, number, read_text
from dispatcher.runtime.errors import UserError

if TYPE_CHECKING:
    from dispatcher.security.rings import Ring
    from dispatcher.settings import Settings

NAME = "audit"
HELP = "check all that is stored against the promises (read-only)"
GROUP = OPERATE
EXAMPLE = "dispatcher audit --market metro --streams"

LONGEST_S = 3_600
NOT_ALL = 3  # exit code: what there is to say is not all
LOST = "lost"  # the rule of `dispatcher.audit.judge` about acknowledged ids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to look, and how."""
    add_store(parser)
    parser.add_argument(
        "--market", action="append", type=an_id, help="only this one; may be repeated; default: all"
    )
    parser.add_argument(
        "--ids",
        type=Path,
        metavar="FILE",
        help="request ids that must exist, one a line; what no market has is told with the first",
    )
    parser.add_argument("--streams", action="store_true", help="also look for messages that are there twice")
    seconds = number(0, LONGEST_S)
    parser.add_argument(
        "--settle", type=seconds, default=0.5, metavar="S", help="look again after S (default .5)"
    )
    parser.add_argument("--timeout", type=seconds, default=5.0, metavar="S", help="wait S for the store (5)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: sound; 1: something is wrong; 3: nothing is of what can be read, and a market is away."""
    settings = settings_of(args)
    acknowledged = _ids(args.ids) if args.ids else []
    markets = list(dict.fromkeys(args.market or settings.markets))
    reports = asyncio.run(_audit_there(markets, acknowledged, args, settings))
    _refuse_unknown([each for each in reports if AWAY not in each], settings.markets)
    print(json.dumps(reports, indent=2) if args.json else "\n".join(map(told, reports)))
    if any(report["findings"] for report in reports):
        return 1
    return NOT_ALL if any(AWAY in report for report in reports) else 0


def _ids(path: Path) -> list[str]:
    """The ids of a file. Raises UserError: an odd word would be told as a loss, and no word as soundness."""
    words = [(at, word) for at, line in enumerate(read_text(path).split("\n"), 1) for word in line.split()]
    for at, word in words:
        try:
            an_id(word)
        except argparse.ArgumentTypeError as error:
            raise UserError(
                f"'{path}', line {at}: {error}.", "Maybe it is no list of ids, one a line."
            ) from None
    if not words:
        raise UserError(
            f"'{path}' holds no id.", "Maybe it was not written to its end; without --ids none is asked for."
        )
    return [word for _, word in words]


def _ring(path: Path) -> Ring | None:
    """The keys of the key file here; None where there is none that we may read: an audit needs no key."""
    from dispatcher.security.key_files import read_patient_keys
    from dispatcher.security.rings import Ring, prints_of

    if not os.path.exists(path):  # noqa: PTH110 - False for a name that is too long, too
        return None
    try:
        ring = read_patient_keys(path)
    except UserError as error:
        print(f"dispatcher: patient keys are not judged: {error}", file=sys.stderr)
        return None
    return Ring(f"the key file {path}", ring.current, prints_of(ring))


def _refuse_unknown(reports: list[dict[str, Any]], known: Collection[str]) -> None:
    """Raises UserError for a market that is neither set nor stored: an empty one would be told as sound."""
    for report in reports:
        if report["market"] not in known and _is_empty(report):
            raise UserError(
                f"nothing is stored of a market '{report['market']}'.",
                f"Known by DISPATCHER_MARKETS: {', '.join(known)}",
            )


def _is_empty(report: dict[str, Any]) -> bool:
    """Whether nothing of the market is there, nothing that is wrong either; an id is lost anywhere."""
    wrong = any(each["rule"] != LOST for each in report["findings"])
    return not (report["requests"] or report["ledgers"] or wrong)


async def _audit_there(
    markets: list[str], acknowledged: list[str], args: argparse.Namespace, settings: Settings
) -> list[dict[str, Any]]:
    """Of a folder whose service does not run, too: what was restored is looked at before that starts."""
    from dispatcher.serve.backup_source import serving

    async with serving(settings) as url:
        return await _audit_all(url, markets, acknowledged, args, settings)


async def _audit_all(
    url: str, markets: list[str], acknowledged: list[str], args: argparse.Namespace, settings: Settings
) -> list[dict[str, Any]]:
    from dispatcher.store.servers import CLUSTER_SCHEMES, servers_of

    servers = servers_of(url, timeout_s=args.timeout)
    asked = {
        "acknowledged": acknowledged,
        "streams": args.streams,
        "settle_s": args.settle,
        "ring": _ring(settings.patient_keys_file),
    }
    reports, away = list[dict[str, Any]](), dict[str, UserError]()
    try:
        for each in markets:
            try:
                reports.append(await _judged(servers, each, settings, asked))
            except Away as error:
                if not url.startswith(CLUSTER_SCHEMES):  # it has no other server
                    raise
                away[each] = error
            except Elsewhere as error:
                away[each] = error
    finally:
        await servers.aclose()
    if not reports:
        raise next(iter(away.values()))
    reports, nowhere = _without_others(reports, is_all=not away)
    return [*reports, *(_not_looked_at(name, error, nowhere) for name, error in away.items())]


def _not_looked_at(market: str, why: UserError, nowhere: list[str]) -> dict[str, Any]:
    """Its report. `nowhere`: acknowledged ids that are in no other market."""
    words = why.message.removeprefix(f"market {market}: ")
    told = {"requests": 0, "ledgers": 0, "states": {}, "unsettled": 0, "streams_set_aside": []}
    return {"market": market, AWAY: words, "not_found": nowhere, "findings": [], **told}


class Away(UserError):
    """The server that has a market does not answer."""


class Elsewhere(UserError):
    """A market of which nothing is in this store, and whose decisions are kept all the same."""


async def _judged(servers: Any, market: str, settings: Settings, asked: dict[str, Any]) -> dict[str, Any]:
    """One market, whole. Raises Away, Elsewhere. `asked`: see `audit`."""
    from dispatcher.audit.auditor import audit
    from dispatcher.domain.refusals import Unavailable

    try:
        report = await audit(servers.reader, market, **asked)
        await _add_chains(report, servers, settings)
        await _add_pictures(report, servers, settings)
    except Unavailable as error:
        raise Away(error.detail.partition("\n")[0], "Maybe it is back in a moment: ask again.") from error
    except UserError as error:
        if isinstance(error.__cause__, Unavailable):
            raise Away(error.message, error.remedy) from error
        raise
    return report


async def _add_chains(report: dict[str, Any], servers: Any, settings: Settings) -> None:
    """Whether saved decisions, and what nobody may change, are as they were written."""
    from dispatcher.decisions import chain, chains

    market = report["market"]
    try:
        beside, findings = await chains.judge(servers, market, settings)
    except OSError as error:
        place = settings.decisions or settings.data_dir / "decisions"
        print(f"dispatcher: decisions in {place} are not judged: {error}", file=sys.stderr)
        return
    has_gone = chain.LEDGER in [each["subject"] for each in findings]
    if has_gone and _is_empty(report) and not await _was_matched(servers, market):
        raise Elsewhere(
            f"market {market}: decisions of it are kept, and nothing else of it is in this store.",
            "Maybe it lies on another primary: a backup of a cluster's is of the markets that it had.",
        )
    report |= beside
    report["findings"] += findings


async def _was_matched(servers: Any, market: str) -> bool:
    """Whether a matcher ever had it: its fence stays."""
    from dispatcher.store.keys import Keys

    return bool(await servers.reader.ask("EXISTS", Keys(market).fence))


async def _add_pictures(report: dict[str, Any], servers: Any, settings: Settings) -> None:
    """Whether the pictures of proofs and the documents of credentials lie where they should, whole."""
    from dispatcher.audit import papers, proofs
    from dispatcher.blobs.places import proofs_of

    blobs = proofs_of(settings)
    for judge in (proofs.judge_pictures, papers.judge_documents):
        try:
            beside, findings = await judge(servers, report["market"], blobs)
        except OSError as error:
            print(f"dispatcher: what lies in {blobs} is not judged: {error}", file=sys.stderr)
            return
        report |= beside
        report["findings"] += findings


def _without_others(reports: list[dict[str, Any]], *, is_all: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """An id is lost if it is in none of the markets: each has its own, and the list does not say whose.

    So it is told once, with the first. Where a market is away (not `is_all`), it may be there: these are told
    beside.
    """
    lost = [{each["subject"] for each in report["findings"] if each["rule"] == LOST} for report in reports]
    everywhere = set.intersection(*lost)
    for nth, report in enumerate(reports):
        report["findings"] = [
            each
            for each in report["findings"]
            if each["rule"] != LOST or (is_all and nth == 0 and each["subject"] in everywhere)
        ]
    return reports, [] if is_all else sorted(everywhere)
