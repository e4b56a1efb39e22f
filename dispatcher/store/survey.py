"""All that is stored of one market, read without changing anything: what `dispatcher audit` judges."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from contracts import streams as streams_named
from contracts.streams import To
from dispatcher.domain.compact import Record
from dispatcher.domain.kinds import Kind, kinds
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.tasks import TASK_KIND, TaskRecord
from dispatcher.security.rings import KeyPrint, Ring
from dispatcher.store import codec, events
from dispatcher.store import keys as names
from dispatcher.store.aside import READ_ERRORS
from dispatcher.store.bodies import clear_part, key_of_body
from dispatcher.store.codec import Versioned
from dispatcher.store.connection import Reader
from dispatcher.store.format_numbers import newest
from dispatcher.store.formats import NewerFormat
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.listing import Place
from dispatcher.store.records import R
from dispatcher.store.resp import text_of
from dispatcher.store.rings import RingPart
from dispatcher.store.sealed import Sealed, sealed_by_key

SCAN_COUNT = 1_000
DOCUMENTS: Mapping[str, tuple[str, Callable[[bytes], object]]] = {  # first parts of keys: what they hold
    names.VENDORS: ("vendor", codec.VENDOR.unpack),
    names.CAPACITY: ("posting", codec.CAPACITY.unpack),
    names.TUNING: ("tuning", codec.TUNING.unpack),
    REQUEST_KIND.body: ("body of", clear_part),
}


class Survey(msgspec.Struct, kw_only=True):
    """What was found, by kind of record. Reading takes a while: a market at work moves on meanwhile."""

    market: str
    records: dict[str, dict[str, Versioned[Record]]] = {}  # by kind and id
    older: dict[str, set[str]] = {}  # ids whose record stands in the form of an earlier version, by kind
    damaged: dict[str, set[str]] = {}  # ids whose record cannot be decoded, by kind
    bodies: dict[str, set[str]] = {}  # ids that have one, by kind
    documents: int = 0  # vendors, postings and tuning that were read
    unreadable: dict[str, str] = {}  # what else cannot be decoded, by kind and id ("vendor v1"), and why
    lists: dict[str, dict[str, int]] = {}  # every sorted list: member → score
    limits: dict[LedgerKey, bytes] = {}
    used: dict[LedgerKey, bytes] = {}
    moving: set[LedgerKey] = set()  # ledgers that changed while the records were read
    sealed: dict[str, Sealed] = {}  # by patient key
    rings: list[Ring] = []  # what each running process says of its patient keys
    patient_keys: frozenset[KeyPrint] = frozenset()  # all that something may be sealed under
    newer: dict[str, dict[str, str]] = {}  # of what is damaged: ids of a format not known, by kind, in words
    formats: dict[str, int] = {}  # the newest format of each kind, as the versions that wrote it say
    exhausted: list[str] = []  # streams that were moved aside, their ids were used up
    events: Counter[str] = msgspec.field(default_factory=Counter)  # event id → how often, in its stream

    def of_kind(self, kind: Kind[R], form: type[R]) -> dict[str, R]:
        """The records of a kind that can be read, by id."""
        read = self.records.get(kind.name, {}).items()
        return {name: each.value for name, each in read if isinstance(each.value, form)}


async def survey(reader: Reader, market: str, *, streams: bool = False) -> Survey:
    """Read everything of the market; `streams`: also the ids of all messages."""
    keys, found = Keys(market), Survey(market=market)
    parts: dict[str, list[str]] = {}
    for name in await _scan(reader, keys):
        first, rest = keys.parted(name)
        parts.setdefault(first, []).append(rest)
    found.used = await _read_ledgers(reader, keys.used, parts.get(names.USED, []))
    for kind in kinds():
        await _read_records(reader, keys, found, kind, parts)
    await _read_documents(reader, keys, found, parts)
    await _read_keys(reader, keys, found, parts.get(REQUEST_KIND.body, ()))
    await _read_limits(reader, keys, found, parts.get(names.LIMITS, []))
    await _read_lists(reader, keys, found)
    found.formats = newest(map(text_of, await reader.ask("HGETALL", keys.formats)))
    aside = filter(None, parts.get(streams_named.EXHAUSTED, ()))
    found.exhausted = [f"{streams_named.EXHAUSTED}:{each}" for each in aside]
    if streams:
        for name in (keys.events, keys.matches, *map(keys.stream, parts.get(To.VENDOR, ()))):
            await _read_stream(reader, found, name)
    return found


async def _scan(reader: Reader, keys: Keys, *options: str) -> list[str]:
    """Every key of the market (that `options` of SCAN let through); SCAN may tell of a key twice."""
    found, cursor = set[str](), 0
    while True:
        words = (cursor, "MATCH", f"{keys.prefix}*", "COUNT", SCAN_COUNT, *options)
        cursor, some = await reader.ask("SCAN", *words)
        found.update(name.decode() for name in some)
        if int(cursor) == 0:
            return sorted(found)


async def _read_records(
    reader: Reader, keys: Keys, found: Survey, kind: Kind[Any], parts: Mapping[str, Sequence[str]]
) -> None:
    ids, document = parts.get(kind.key, ()), codec.document_of(kind)
    records = found.records.setdefault(kind.name, {})
    damaged, older = (each.setdefault(kind.name, set()) for each in (found.damaged, found.older))
    if kind.body:
        found.bodies[kind.name] = set(parts.get(kind.body, ()))
    raws = await reader.get_all([keys.record(kind, each) for each in ids])
    for each, raw in zip(ids, raws, strict=True):
        try:
            if raw:  # else it was forgotten since the scan
                records[each] = document.unpack(raw)
                older |= {each} if document.is_older(raw) else set()
        except READ_ERRORS as error:
            damaged.add(each)
            if isinstance(error, NewerFormat):
                found.newer.setdefault(kind.name, {})[each] = str(error)


async def _read_documents(
    reader: Reader, keys: Keys, found: Survey, parts: Mapping[str, Sequence[str]]
) -> None:
    """What is read of a market beside its records: each is decoded, none is kept."""
    for first, (kind, unpack) in DOCUMENTS.items():
        rests = parts.get(first, ())
        raws = await reader.get_all([keys.prefix + ":".join(filter(None, (first, each))) for each in rests])
        for each, raw in zip(rests, raws, strict=True):
            found.documents += 1
            if why := _damage(raw, unpack):
                found.unreadable[f"{kind} {each}".strip()] = why


async def _read_keys(reader: Reader, keys: Keys, found: Survey, ids: Sequence[str]) -> None:
    """Which patient keys are needed, and who says to have which."""
    part = RingPart(reader, keys)
    found.rings, found.patient_keys = await part.living(), await part.used()
    needed = dict[str, str]()
    raws = await reader.get_all([keys.body(REQUEST_KIND, each) for each in ids])
    for each, raw in zip(ids, raws, strict=True):
        with contextlib.suppress(*READ_ERRORS):  # a damaged one is told of as such
            if raw and (key_id := key_of_body(raw)):
                needed[each] = key_id
    requests, tasks = (
        found.of_kind(*each) for each in ((REQUEST_KIND, RequestRecord), (TASK_KIND, TaskRecord))
    )
    found.sealed = sealed_by_key(needed, requests, tasks.values())


def _damage(raw: bytes | None, unpack: Callable[[bytes], object]) -> str:
    """Why it cannot be read; "" if it can. A key of a wrong type reads as none."""
    if raw is None:
        return "is no document, or went while the store was read"
    try:
        unpack(raw)
    except READ_ERRORS as error:
        return str(error) if isinstance(error, NewerFormat) else "cannot be decoded"
    return ""


async def _read_lists(reader: Reader, keys: Keys, found: Survey) -> None:
    for name in await _scan(reader, keys, "TYPE", "zset"):
        places = Place.read(await reader.ask("ZRANGE", name, 0, -1, "WITHSCORES"))
        if name != keys.capacities:
            found.lists[name.removeprefix(keys.prefix)] = {place.id: place.score for place in places}


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
