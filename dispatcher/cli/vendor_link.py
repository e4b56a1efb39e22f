"""Print a one-time link, and a code, that sign one of a vendor's people in to the vendor's page."""

import argparse
import os

from contracts.vendor_sign_ins import CODE_MINUTES, LONGEST_H, LONGEST_MINUTES, SESSION_H
from dispatcher.cli import OPERATE
from dispatcher.runtime.arguments import an_id, whole

NAME = "vendor-link"
HELP = "print a one-time link that opens a vendor's page on a phone"
GROUP = OPERATE
EXAMPLE = "dispatcher vendor-link --market metro --vendor careful-vans --subject Ana"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whom, where, and for how long."""
    parser.add_argument("--market", required=True, metavar="ID", help="the market")
    parser.add_argument("--vendor", required=True, type=an_id, metavar="ID", help="the vendor's id")
    parser.add_argument("--subject", default="", help="whose phone it is, for the audit")
    parser.add_argument(
        "--hours",
        type=whole(1, LONGEST_H),
        default=SESSION_H,
        help="how long the session holds (default: %(default)s)",
    )
    parser.add_argument(
        "--minutes",
        type=whole(1, LONGEST_MINUTES),
        default=CODE_MINUTES,
        help="how long the link may be used (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the link on one line; on the next the code, for who types it."""
    import asyncio

    from contracts.vendor_sign_ins import NewSignInLink
    from dispatcher.runtime.errors import UsageError
    from dispatcher.serve.vendor_entrance import vendor_entrance
    from dispatcher.settings import Settings

    settings = Settings.read(os.environ)
    if args.market not in settings.markets:
        raise UsageError(f"there is no market '{args.market}'.", f"Known: {', '.join(settings.markets)}")
    asked = NewSignInLink(subject=args.subject, hours=args.hours, minutes=args.minutes)
    made = asyncio.run(vendor_entrance(settings, args.market, args.vendor, asked))
    print(f"{made.url}\n{made.code}")
    return 0
