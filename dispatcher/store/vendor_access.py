"""What a vendor may do on Redis: read its own stream in a consumer group, append to its own reply stream."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from redis.exceptions import ResponseError

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.own_command import typed
from dispatcher.security.rings import KeyPrint, is_known
from dispatcher.store.connection import Reader
from dispatcher.store.keys import Keys
from dispatcher.store.resp import text_of
from dispatcher.store.rings import RingPart
from dispatcher.store.servers import Servers

SET_INFO = "+client|setinfo"  # clients of today say their name and version; a command since Redis 7.2
READING = ("+ping", SET_INFO, "+xreadgroup", "+xack", "+xgroup|create", "+xautoclaim", "+xpending")
SELECTORS_SINCE, SET_INFO_SINCE = (7, 0), (7, 2)


def user_of(market: str, vendor_id: str) -> str:
    """The name of the vendor's user: it has one in each market, since a vendor may be in several."""
    return f"{market}.{vendor_id}"


def rules(market: str, vendor_id: str) -> tuple[str, ...]:
    """What ACL SETUSER gives the user, after its password.

    In a selector of its own XADD reaches the reply stream alone: on the vendor's own stream it could use up
    the entry ids that the service needs.
    """
    keys = Keys(market)
    return (
        "resetchannels",
        "-@all",
        *READING,
        f"%RW~{keys.stream(vendor_id)}",
        f"(+xadd %W~{keys.replies(vendor_id)})",
    )


def set_user(market: str, vendor_id: str, secret: str) -> tuple[str, ...]:
    """The command that makes the user, or makes it anew; it holds the secret's SHA-256 only."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    user = user_of(market, vendor_id)
    return "ACL", "SETUSER", user, "reset", "on", f"#{digest}", *rules(market, vendor_id)


async def refuse_unknown(reader: Reader, market: str, vendor_id: str) -> None:
    """Raises UserError for a vendor that the market does not have."""
    if not await reader.ask("SISMEMBER", Keys(market).vendors, vendor_id):
        raise UserError(f"{market} has no vendor {vendor_id}.", "Maybe register it first, or it is misspelt.")


async def refuse_other_key(reader: Reader, market: str, key: KeyPrint) -> None:
    """Raises UserError for a patient key that the service does not have: a reply key of it is worthless."""
    part = RingPart(reader, Keys(market))
    used, living = await part.used(), await part.living()
    if is_known(key, used, living):
        return
    known = {each.id for each in used}.union(*(each.keys for each in living))
    which = f"has another key by the name {key.id}" if key.id in known else f"does not have the key {key.id}"
    raise UserError(
        f"the service {which} in {market}: a reply made with the reply key would be refused.",
        "Maybe this is another key file than the service's: see DISPATCHER_PATIENT_KEYS and --data-dir; or\n"
        f"no process has read it yet: `{typed('keys status')}`.",
    )


async def apply_to_all(
    servers: Servers, market: str, vendor_id: str, secret: str
) -> tuple[bool, Sequence[str]]:
    """As `apply`, on every server: a replica that is promoted knows only users of its own.

    And which of a cluster's did not answer: they lack the user.
    """
    kept, away = True, list[str]()
    for name, reader in await servers.everyone():
        try:
            kept &= await apply(reader, market, vendor_id, secret)
        except Unavailable:
            if not name:
                raise
            away.append(name)
    return kept, away


async def apply(reader: Reader, market: str, vendor_id: str, secret: str) -> bool:
    """Make the user on the server; whether it will outlive the server's restart.

    Raises UserError: a server without selectors, or one that does not let us.
    """
    words = _known_to(await _version(reader), set_user(market, vendor_id, secret))
    try:
        await reader.ask(" ".join(words[:2]), *words[2:])
    except ResponseError as error:
        remedy = "Maybe our own user may not use ACL SETUSER."
        raise UserError(f"the server refused: {str(error).rstrip('.')}.", remedy) from error
    return await _saved(reader)


def _known_to(version: tuple[int, ...], words: Sequence[str]) -> list[str]:
    if version < SELECTORS_SINCE:
        told = ".".join(map(str, version))
        raise UserError(f"the server is {told}; rights by selector need 7.0.", "Let its vendors use HTTP.")
    return [each for each in words if each != SET_INFO or version >= SET_INFO_SINCE]


async def _version(reader: Reader) -> tuple[int, ...]:
    """Of the Redis that the server is, or is like."""
    found = (await reader.ask("INFO", "server"))["redis_version"]
    return tuple(int(each) for each in text_of(found).split(".")[:2])


async def _saved(reader: Reader) -> bool:
    """Into the server's ACL file, if it has one."""
    try:
        await reader.ask("ACL SAVE")
    except ResponseError:
        return False
    return True
