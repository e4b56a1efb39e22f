"""All that is stored of one market, read without changing anything: what `dispatcher audit` judges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from dispatcher.domain.record import RequestRecord
from dispatcher.store import codec, events
from dispatcher.store.codec import Versioned
from dispatcher.store.connection import Reader
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.listing import Place

SCAN_COUNT = 1_000


class Survey(msgspec.Struct, kw_only=True):
    """What was found, by kind of key. Reading takes a while: a market at work moves on meanwhile."""

    market: str
    records: dict[str, Versioned[RequestRecord]] = {}
    damaged: list[str] = []  # request ids whose record cannot be decoded
    bodies: set[str] = set()
    index: dict[str, set[str]] = {}  # state → request ids
    timers: dict[str, int] = {}  # request id → due, ms
    offers: dict[str, set[str]] = {}  # vendor → offer ids
    limits: dict[LedgerKey, bytes] = {}
    used: dict[LedgerKey, bytes] = {}
    moving: set[LedgerKey] = set()  # ledgers that changed while the records were read
    events: Counter[str] = msgspec.field(default_factory=Counter)  # event id → how often, in its stream


async def survey(reader: Reader, market: str, *, streams: bool = False) -> Survey:
    """Read everything of the market; `streams`: also the ids of all messages."""
    keys, found = Keys(market), Survey(market=market)
    names = await _scan(reader, keys)
    by_kind: dict[str, list[str]] = {}
    for name in names:
        kind, _, rest = name.removeprefix(keys.prefix).partition(":")
        by_kind.setdefault(kind, []).append(rest)
    found.bodies = set(by_kind.get("b", ()))
    found.used = await _read_ledgers(reader, keys.used, by_kind.get("used", []))
    await _read_records(reader, keys, found, by_kind.get("r", []))
    await _read_limits(reader, keys, found, by_kind.get("limit", []))
    await _read_places(reader, keys, found, by_kind)
    if streams:
        for name in (keys.events, keys.matches, *map(keys.stream, by_kind.get("vendor", ()))):
            await _read_stream(reader, found, name)
    return found


async def _scan(reader: Reader, keys: Keys) -> list[str]:
    """Every key of the market; SCAN may tell of a key twice."""
    names, cursor = set[str](), 0
    while True:
        cursor, found = await reader.ask("SCAN", cursor, "MATCH", f"{keys.prefix}*", "COUNT", SCAN_COUNT)
        names.update(name.decode() for name in found)
        if int(cursor) == 0:
            return sorted(names)


async def _read_records(reader: Reader, keys: Keys, found: Survey, ids: Sequence[str]) -> None:
    for each, raw in zip(ids, await reader.get_all([keys.record(each) for each in ids]), strict=True):
        try:
            if raw:  # else it was forgotten since the scan
                found.records[each] = codec.RECORD.unpack(raw)
        except msgspec.MsgspecError:
            found.damaged.append(each)


async def _read_places(reader: Reader, keys: Keys, found: Survey, by_kind: dict[str, list[str]]) -> None:
    for state in by_kind.get("i", ()):
        found.index[state] = {place.id for place in await _places(reader, f"{keys.prefix}i:{state}")}
    for vendor in by_kind.get("o", ()):
        found.offers[vendor] = {place.id for place in await _places(reader, keys.offers(vendor))}
    found.timers = {place.id: place.score for place in await _places(reader, keys.timers)}


async def _places(reader: Reader, key: str) -> list[Place]:
    return list(Place.read(await reader.ask("ZRANGE", key, 0, -1, "WITHSCORES")))


async def _read_limits(reader: Reader, keys: Keys, found: Survey, parts: Sequence[str]) -> None:
    """What is posted; and which ledgers were booked on since they were read."""
    found.limits = await _read_ledgers(reader, keys.limit, parts)
    now = await _read_ledgers(
        reader, keys.used, [":".join(key) for key in found.used.keys() | found.limits.keys()]
    )
    found.moving = {key for key in now.keys() | found.used.keys() if now.get(key) != found.used.get(key)}


async def _read_ledgers(
    reader: Reader, name: Callable[[str, str, str], str], parts: Sequence[str]
) -> dict[LedgerKey, bytes]:
    ledgers = [LedgerKey(*part.split(":")) for part in parts]
    raws = await reader.get_all([name(*each) for each in ledgers])
    return {each: raw for each, raw in zip(ledgers, raws, strict=True) if raw}


async def _read_stream(reader: Reader, found: Survey, stream: str) -> None:
    after: Any = "-"
    while entries := await reader.ask("XRANGE", stream, after, "+", "COUNT", SCAN_COUNT):
        for name, fields in entries:
            after = b"(" + name
            found.events[f"{stream} {_event_id(fields)}"] += 1


def _event_id(fields: dict[bytes, bytes]) -> str:
    try:
        return events.unpack_event(fields.get(events.FIELD.encode(), b"")).id
    except msgspec.MsgspecError:
        return "unreadable"
