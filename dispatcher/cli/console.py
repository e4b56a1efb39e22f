"""Print a one-time link that opens the console of a running service."""

from __future__ import annotations

import argparse
import os

from dispatcher.cli import OPERATE
from dispatcher.runtime.arguments import number

NAME = "console"
HELP = "print a one-time link that opens the console"
GROUP = OPERATE
EXAMPLE = "dispatcher console --role ops"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom, where, and how long the session holds."""
    from dispatcher.cli.token import LONGEST_H, SHORTEST_H, roles_of

    parser.add_argument(
        "--role",
        type=roles_of,
        action="extend",
        metavar="ROLE",
        help="whose session it is; repeat it, or with commas between (default: ops)",
    )
    parser.add_argument(
        "--market", action="append", metavar="ID", help="a market it may touch; repeat it (default: all)"
    )
    parser.add_argument(
        "--hours",
        type=number(SHORTEST_H, LONGEST_H),
        default=12.0,
        help="how long the session holds (default: %(default)g)",
    )
    parser.add_argument("--subject", default="", help="whose session it is, for the audit")


def run(args: argparse.Namespace) -> int:
    """Print the link, and nothing else, on standard output."""
    from contracts.codes import Role
    from dispatcher.runtime.errors import UsageError
    from dispatcher.serve.entrance import entrance
    from dispatcher.settings import Settings

    settings = Settings.read(os.environ)
    markets = list(dict.fromkeys(args.market or settings.markets))
    if unknown := [each for each in markets if each not in settings.markets]:
        raise UsageError(f"there is no market '{unknown[0]}'.", f"Known: {', '.join(settings.markets)}")
    roles = [Role(each) for each in args.role or ["ops"]]
    print(entrance(settings, roles=roles, markets=markets, hours=args.hours, subject=args.subject))
    return 0
