"""Mint a bearer token for development, signed with the key in the data folder."""

import argparse
import os
from typing import Any

from dispatcher.cli import OPERATE
from dispatcher.runtime.arguments import an_id, number
from dispatcher.runtime.own_command import as_typed

NAME = "token"
HELP = "mint a bearer token for development"
GROUP = OPERATE
EXAMPLE = "dispatcher token --role vendor --vendor v1 --market metro"
SHORTEST_H, LONGEST_H = 0.001, 87_600.0  # four seconds; ten years


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who the token speaks for, where, and how long."""
    parser.add_argument("--role", choices=("platform", "vendor", "ops"), required=True)
    parser.add_argument("--vendor", type=an_id, metavar="ID", help="the vendor's id (role vendor)")
    parser.add_argument(
        "--market", action="append", metavar="ID", help="a market it may touch; repeat it (default: all)"
    )
    parser.add_argument(
        "--hours",
        type=number(SHORTEST_H, LONGEST_H),
        default=12.0,
        help="how long it holds (default: %(default)g)",
    )
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
    role, markets = Role(args.role), list(dict.fromkeys(args.market or settings.markets))
    if role is Role.VENDOR and args.vendor is None:
        raise UsageError("--role vendor needs --vendor: whose token is it?", f"Maybe: {as_typed(EXAMPLE)}")
    if role is not Role.VENDOR and args.vendor is not None:
        raise UsageError(
            f"--vendor {args.vendor} goes with --role vendor, not with --role {role}.",
            "Maybe leave --vendor out.",
        )
    if unknown := [each for each in markets if each not in settings.markets]:
        raise UsageError(f"there is no market '{unknown[0]}'.", f"Known: {', '.join(settings.markets)}")
    if settings.token_keys is None:
        ensure_token_keys(settings.token_keys_file)
    now_ms = make_clock(*settings.clock).now_ms()
    made = claims(
        role,
        markets=markets,
        vendor_id=args.vendor or "",
        now_ms=now_ms,
        hours=args.hours,
        subject=args.subject,
    )
    keys = read_token_keys(settings.token_keys_file)
    token = mint(keys, made)
    _refuse_what_is_refused(keys, token, now_ms)
    print(token)
    return 0


def _refuse_what_is_refused(keys: dict[str, Any], token: str, now_ms: int) -> None:
    """Raises UsageError if the service would: better told here than by every call."""
    from contracts.problems import Unauthenticated
    from dispatcher.runtime.errors import UsageError
    from dispatcher.security.tokens import Authenticator

    try:
        Authenticator(keys).verify(token, now_ms)
    except Unauthenticated as refusal:
        raise UsageError(
            f"the service would refuse this token: {refusal.detail.partition(chr(10))[0]}.",
            "Maybe a shorter --subject, or fewer markets.",
        ) from refusal
