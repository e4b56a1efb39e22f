"""What statements say of the dispatches whose requests are still stored, for the audit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from redis.exceptions import ResponseError

from dispatcher.domain.requests import request_id_of
from dispatcher.domain.statements import disputed_line, is_correction, offer_of
from dispatcher.store.aside import READ_ERRORS
from dispatcher.store.connection import Reader
from dispatcher.store.keys import STATEMENT, Keys
from dispatcher.store.resp import text_of
from dispatcher.store.statements import decode

AT_ONCE = 64  # vendors' days: read at once


class BilledWork(msgspec.Struct):
    """Cents, and lines that are disputed, by dispatch; and since when there are statements at all.

    `work`: dispatches whose end stands there, and not a correction alone: that is what is left of work that
    ended before there were statements, or whose month went.
    """

    work: set[str] = set()
    cents: dict[str, int] = {}
    disputed: dict[str, int] = {}
    first_ms: int = 0  # when the earliest item was written that is kept
    last_ms: int = 0  # and the latest
    odd: bool = False  # something of them cannot be read


async def billed_work(
    reader: Reader, keys: Keys, strange: dict[str, str], rests: Sequence[str], kept: Collection[str]
) -> BilledWork:
    """Of the requests `kept`; `rests`: of the keys that there are, `<vendor>:<day>`."""
    found = BilledWork()
    for first in range(0, len(rests), AT_ONCE):
        some = rests[first : first + AT_ONCE]
        asked = [("HGETALL", f"{keys.prefix}{STATEMENT}:{each}") for each in some]
        for rest, fields in zip(some, await reader.ask_each(asked), strict=True):
            if isinstance(fields, ResponseError):
                strange[f"{STATEMENT}:{rest}"], found.odd = "is no hash as the service makes it", True
            else:
                _add(found, strange, rest, fields, kept)
    return found


def _add(
    found: BilledWork,
    strange: dict[str, str],
    rest: str,
    fields: Mapping[bytes, bytes],
    kept: Collection[str],
) -> None:
    for field, raw in fields.items():
        name = text_of(field)
        offer = offer_of(name)
        try:
            item = decode(raw)
        except READ_ERRORS:
            strange[f"{STATEMENT}:{rest}"], found.odd = f"has an item {name} that cannot be read", True
            continue
        found.first_ms = min(found.first_ms or item.at_ms, item.at_ms)
        found.last_ms = max(found.last_ms, item.at_ms)
        if request_id_of(offer) not in kept:
            continue
        if disputed_line(name):
            found.disputed[offer] = found.disputed.get(offer, 0) + 1
        else:
            found.work |= set() if is_correction(name) else {offer}
            found.cents[offer] = found.cents.get(offer, 0) + item.cents
