"""Read everything stored and say whether it keeps the promises. Nothing is changed; patients are not read.

Checked: no request ended twice or went a way the table does not have; each has its timer, index entry and
body; the ledgers equal what the offers hold, within what is posted; vendors' lists agree; acknowledged ids
exist.
"""

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

from dispatcher.cli import OPERATE

NAME = "audit"
HELP = "check all that is stored against the promises (read-only)"
GROUP = OPERATE
EXAMPLE = "dispatcher audit --market metro --streams"

SHOWN = 50  # findings printed for people; --json has all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to look, and how."""
    parser.add_argument(
        "--url", help="the store; default: DISPATCHER_REDIS_URL, else the one in the data folder"
    )
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="folder of an embedded store")
    parser.add_argument("--market", action="append", help="only this one; may be repeated; default: all")
    parser.add_argument("--ids", type=Path, metavar="FILE", help="request ids that must exist, one a line")
    parser.add_argument("--streams", action="store_true", help="also look for messages that are there twice")
    parser.add_argument(
        "--settle", type=float, default=0.5, metavar="S", help="look again after S (default .5)"
    )
    parser.add_argument("--patience", type=float, default=5.0, metavar="S", help="wait S for the store (5)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: sound; 1: something is wrong."""
    from dispatcher.serve.embedded import EmbeddedRedis
    from dispatcher.settings import Settings

    settings = Settings.read(os.environ, data_dir=args.data_dir, redis_url=args.url)
    url = settings.redis_url or EmbeddedRedis(settings.data_dir).url
    acknowledged = args.ids.read_text(encoding="utf-8").split() if args.ids else []
    markets = args.market or list(settings.markets)
    reports = asyncio.run(_audit_all(url, markets, acknowledged, args))
    print(json.dumps(reports, indent=2) if args.json else "\n".join(map(_told, reports)))
    return 1 if any(report["findings"] for report in reports) else 0


async def _audit_all(
    url: str, markets: list[str], acknowledged: list[str], args: argparse.Namespace
) -> list[dict[str, Any]]:
    from dispatcher.audit.auditor import audit
    from dispatcher.store.connection import Reader, connect

    client = connect(url)
    try:
        reader = Reader(client, args.patience)
        return [
            await audit(reader, market, acknowledged, streams=args.streams, settle_s=args.settle)
            for market in markets
        ]
    finally:
        await client.aclose()


def _told(report: dict[str, Any]) -> str:
    states = ", ".join(f"{count} {state}" for state, count in report["states"].items()) or "none"
    lines = [f"{report['market']}: {report['requests']} requests ({states}), {report['ledgers']} ledgers"]
    if report["unsettled"]:
        lines.append(
            f"  {report['unsettled']} ledgers were at work and not compared: look again in a quieter minute"
        )
    lines += [f"  set aside, its ids were used up: {name}" for name in report["streams_set_aside"]]
    findings = report["findings"]
    lines += [f"  {each['rule']}: {each['subject']} {each['detail']}" for each in findings[:SHOWN]]
    if len(findings) > SHOWN:
        lines.append(f"  and {len(findings) - SHOWN} more: --json shows all")
    return "\n".join([*lines, f"  {len(findings)} wrong" if findings else "  sound"])
