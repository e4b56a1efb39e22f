"""Mint a bearer token for development, signed with the key in the data folder."""

import argparse
import os

from dispatcher.cli import OPERATE

NAME = "token"
HELP = "mint a bearer token for development"
GROUP = OPERATE
EXAMPLE = "dispatcher token --role vendor --vendor v1 --market metro"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who the token speaks for, where, and how long."""
    parser.add_argument("--role", choices=("platform", "vendor", "ops"), required=True)
    parser.add_argument("--vendor", default="", metavar="ID", help="the vendor's id (role vendor)")
    parser.add_argument(
        "--market", action="append", metavar="ID", help="a market it may touch; repeat it (default: all)"
    )
    parser.add_argument("--hours", type=float, default=12.0, help="how long it holds (default: %(default)g)")
    parser.add_argument("--subject", default="", help="who holds it, for the audit")


def run(args: argparse.Namespace) -> int:
    """Print the token, and nothing else, on standard output."""
    from contracts.codes import Role
    from dispatcher.runtime.clock import make_clock
    from dispatcher.runtime.errors import UsageError
    from dispatcher.security.key_files import ensure_token_keys, read_token_keys
    from dispatcher.security.tokens import claims, mint
    from dispatcher.settings import Settings

    settings = Settings.read(os.environ)
    role, markets = Role(args.role), args.market or list(settings.markets)
    if (role is Role.VENDOR) != bool(args.vendor):
        raise UsageError("--vendor goes with --role vendor, and with no other.")
    if unknown := [each for each in markets if each not in settings.markets]:
        raise UsageError(f"there is no market '{unknown[0]}'.", f"Known: {', '.join(settings.markets)}")
    if args.hours <= 0:
        raise UsageError(f"--hours is {args.hours:g}; it must be above 0.")
    if settings.token_keys is None:
        ensure_token_keys(settings.token_keys_file)
    now_ms = make_clock(settings.clock_start_ms, settings.clock_anchor_s, settings.clock_speed).now_ms()
    made = claims(
        role,
        markets=markets,
        vendor_id=args.vendor,
        now_ms=now_ms,
        hours=args.hours,
        subject=args.subject,
    )
    print(mint(read_token_keys(settings.token_keys_file), made))
    return 0
