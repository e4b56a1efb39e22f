"""Mint a bearer token for development, signed with the key in the data folder.

It reads the settings that the service reads: DISPATCHER_DATA_DIR and DISPATCHER_TOKEN_KEYS for the key,
DISPATCHER_MARKETS for the markets that there are.
"""

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
VENDOR, FACILITY = "vendor", "facility"
ROLES = (
    "platform",
    VENDOR,
    "ops",
    "coordinator",
    "case_manager",
    FACILITY,
)  # `Role`, which is slow to import here
SHORTEST_H, LONGEST_H = 0.001, 87_600.0  # four seconds; ten years


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who the token speaks for, where, and how long."""
    parser.add_argument(
        "--role",
        type=roles_of,
        action="extend",
        required=True,
        metavar="ROLE",
        help=f"{', '.join(ROLES)}; several: repeat it, or with commas between (vendor, facility: one alone)",
    )
    parser.add_argument("--vendor", type=an_id, metavar="ID", help="the vendor's id (role vendor)")
    parser.add_argument("--facility", type=an_id, metavar="ID", help="the facility's id (role facility)")
    parser.add_argument(
        "--market",
        action="append",
        metavar="ID",
        help="a market it may touch; repeat it (default: all of DISPATCHER_MARKETS)",
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
    from dispatcher.runtime.errors import UsageError
    from dispatcher.security.key_files import ensure_token_keys, read_token_keys
    from dispatcher.security.tokens import claims, mint
    from dispatcher.serve.whereabouts import moment
    from dispatcher.settings import Settings

    settings = Settings.read(os.environ)
    roles, markets = [Role(each) for each in args.role], list(dict.fromkeys(args.market or settings.markets))
    _refuse_strange_id(VENDOR, args.role, args.vendor)
    _refuse_strange_id(FACILITY, args.role, args.facility)
    if unknown := [each for each in markets if each not in settings.markets]:
        known = f"Known, by DISPATCHER_MARKETS: {', '.join(settings.markets)}"
        raise UsageError(f"there is no market '{unknown[0]}'.", known)
    if settings.token_keys is None:
        ensure_token_keys(settings.token_keys_file)
    now = moment(settings)
    made = claims(
        *roles,
        markets=markets,
        vendor_id=args.vendor or "",
        facility_id=args.facility or "",
        now_ms=now.now_ms,
        hours=now.hours(args.hours),
        subject=args.subject,
    )
    keys = read_token_keys(settings.token_keys_file)
    token = mint(keys, made)
    _refuse_what_is_refused(keys, token, now.now_ms)
    print(token)
    return 0


def roles_of(text: str) -> list[str]:
    """One role or several. Raises ArgumentTypeError."""
    named = [each.strip() for each in text.split(",")]
    if unknown := [each for each in named if each not in ROLES]:
        raise argparse.ArgumentTypeError(f"there is no role '{unknown[0]}'; known: {', '.join(ROLES)}")
    return named


def _refuse_strange_id(alone: str, roles: list[str], name: str | None) -> None:
    """Raises UsageError where an id goes without its role, or that role without it or with others."""
    from dispatcher.runtime.errors import UsageError

    others = [each for each in roles if each != alone]
    if alone in roles and others:
        raise UsageError(
            f"--role {alone} goes with no other, and here is {others[0]}.", "Maybe mint a token for each."
        )
    if alone in roles and name is None:
        example = EXAMPLE.replace(VENDOR, alone)
        raise UsageError(f"--role {alone} needs --{alone}: whose token is it?", f"Maybe: {as_typed(example)}")
    if others and name is not None:
        raise UsageError(
            f"--{alone} {name} goes with --role {alone}, not with --role {others[0]}.",
            f"Maybe leave --{alone} out.",
        )


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
