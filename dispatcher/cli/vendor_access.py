"""Give a vendor its access to Redis: print the ACL line with a new secret, or apply it to the server.

The vendor's user reads the vendor's own stream, appends to the vendor's own reply stream, and can do nothing
else. Asked again, it gets a new secret, and the old one ends. On a cluster --apply makes the user on every
server, replicas included; without it the line is for each of them. The reply key, with which the vendor signs
its replies, is made from the patient keys: it stays the same until these are rotated.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dispatcher.cli import OPERATE
from dispatcher.cli._named_store import add_store, settings_of
from dispatcher.runtime.arguments import an_id
from dispatcher.runtime.errors import UserError

if TYPE_CHECKING:
    from dispatcher.security.rings import KeyPrint

NAME = "vendor-access"
HELP = "give a vendor its user on Redis: its own streams, nothing else"
GROUP = OPERATE
EXAMPLE = "dispatcher vendor-access --market metro --vendor careful-vans --apply"

SECRET_BYTES = 24
TIMEOUT_S = 5.0
NOT_KEPT = (
    "dispatcher: the server has no ACL file: at its next start this user is gone.\n"
    "Maybe set `aclfile`, or keep what this command prints without --apply in the server's settings."
)
NOT_ALL = (
    "dispatcher: {away} did not answer and has no such user, or still the old secret.\n"
    "Maybe give access again when all are back: the vendor gets a new secret then."
)

NOT_LOOKED_UP = (
    "dispatcher: the store does not answer, so nobody has looked whether there is a vendor {vendor}, or\n"
    "whether the key file is the service's.\n"
    "Maybe see --url and --data-dir; or look yourself that both are no other."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whom, where, and whether to do it."""
    parser.add_argument("--market", required=True, metavar="ID", help="the market")
    parser.add_argument("--vendor", type=an_id, required=True, metavar="ID", help="the vendor's id")
    parser.add_argument("--apply", action="store_true", help="make the user now, instead of printing how")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Print what the vendor gets; without --apply first the line for the server.

    Exit code 1: some server of a cluster lacks the user.
    """
    from dispatcher.security.key_files import read_patient_keys
    from dispatcher.security.reply_keys import ReplyKeys
    from dispatcher.security.rings import KeyPrint, prints_of
    from dispatcher.security.vault import Vault
    from dispatcher.serve.embedded import EmbeddedRedis
    from dispatcher.store.vendor_access import set_user, user_of

    settings = settings_of(args)
    _refuse_unknown(args, settings.markets)
    ring = read_patient_keys(settings.patient_keys_file)
    key = ReplyKeys(Vault(ring)).current(args.market, args.vendor)
    made_from, secret = (
        KeyPrint(ring.current, prints_of(ring)[ring.current]),
        secrets.token_urlsafe(SECRET_BYTES),
    )
    url = settings.redis_url or EmbeddedRedis(settings.data_dir).url
    away: Sequence[str] = ()
    if args.apply:
        kept, away = asyncio.run(_asked(url, args.market, args.vendor, made_from, secret))
        if not kept:
            print(NOT_KEPT, file=sys.stderr)
        if away:
            print(NOT_ALL.format(away=", ".join(away)), file=sys.stderr)
    else:
        if not asyncio.run(_is_known(url, args.market, args.vendor, made_from)):
            print(NOT_LOOKED_UP.format(vendor=args.vendor), file=sys.stderr)
        print(" ".join(map(_quoted, set_user(args.market, args.vendor, secret))))
    print(f"user       {user_of(args.market, args.vendor)}\npassword   {secret}")
    print(f"reply key  {key}")
    return 1 if away else 0


def _refuse_unknown(args: argparse.Namespace, markets: Mapping[str, object]) -> None:
    from dispatcher.runtime.errors import UsageError

    if args.market not in markets:
        raise UsageError(f"there is no market '{args.market}'.", f"Known: {', '.join(markets)}")


async def _is_known(url: str, market: str, vendor_id: str, made_from: KeyPrint) -> bool:
    """False if the store does not answer: the line is for a server that may not run yet."""
    from dispatcher.domain.refusals import Unavailable

    try:
        await _asked(url, market, vendor_id, made_from, "")
        return True
    except UserError as error:
        if isinstance(error.__cause__, Unavailable):
            return False
        raise


async def _asked(
    url: str, market: str, vendor_id: str, made_from: KeyPrint, secret: str
) -> tuple[bool, Sequence[str]]:
    """Look for the vendor and the key; with a secret make its user: whether it will be kept, who lacks it."""
    from dispatcher.domain.refusals import Unavailable
    from dispatcher.store.servers import servers_of
    from dispatcher.store.vendor_access import apply_to_all, refuse_other_key, refuse_unknown

    servers = servers_of(url, timeout_s=TIMEOUT_S)
    try:
        await refuse_unknown(servers.reader, market, vendor_id)
        await refuse_other_key(servers.reader, market, made_from)
        return await apply_to_all(servers, market, vendor_id, secret) if secret else (True, ())
    except Unavailable as refusal:
        raise UserError(*refusal.detail.split("\n", 1)) from refusal
    finally:
        await servers.aclose()


def _quoted(word: str) -> str:
    """A selector is one word with spaces in it."""
    return f'"{word}"' if " " in word else word
