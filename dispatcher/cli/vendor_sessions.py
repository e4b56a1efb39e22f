"""List the phones that are signed in to a vendor's page, and end one person's sessions, or all."""

import argparse
import os
from typing import TYPE_CHECKING

from dispatcher.cli import OPERATE
from dispatcher.runtime.arguments import an_id

if TYPE_CHECKING:
    from client.ops import OpsClient

NAME = "vendor-sessions"
HELP = "list who is signed in to a vendor's page, and end one person's sessions"
GROUP = OPERATE
EXAMPLE = "dispatcher vendor-sessions --market metro --vendor careful-vans --end Ana"
ROW = "{:<40} {:<20} {}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose, and what is to end first."""
    parser.add_argument("--market", required=True, metavar="ID", help="the market")
    parser.add_argument("--vendor", required=True, type=an_id, metavar="ID", help="the vendor's id")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--end", metavar="SUBJECT", help="end this person's, by the name that is listed")
    what.add_argument("--end-all", action="store_true", help="end all of the vendor's")


def run(args: argparse.Namespace) -> int:
    """End what is to end, and print who is still signed in."""
    import asyncio

    from dispatcher.runtime.errors import UsageError
    from dispatcher.serve.vendor_entrance import as_ops
    from dispatcher.settings import Settings

    settings = Settings.read(os.environ)
    if args.market not in settings.markets:
        raise UsageError(f"there is no market '{args.market}'.", f"Known: {', '.join(settings.markets)}")
    if args.end == "":
        raise UsageError("--end names nobody.", "Maybe --end-all, or a name as it is listed.")
    print("\n".join(asyncio.run(as_ops(settings, args.market, NAME, lambda ops: _done(ops, args)))))
    return 0


async def _done(ops: "OpsClient", args: argparse.Namespace) -> list[str]:
    if args.end or args.end_all:
        await ops.end_sessions(args.vendor, args.end or "")
    rows = [
        ROW.format(
            each.subject, *(f"{at.astimezone():%Y-%m-%d %H:%M}" for at in (each.opened_at, each.expires_at))
        )
        for each in (await ops.sessions(args.vendor)).sessions
    ]
    return [ROW.format("who", "since", "until"), *rows] if rows else ["nobody is signed in"]
