"""All that is stored of one market, read without changing anything: what `dispatcher audit` judges."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, ValuesView
from functools import partial
from itertools import chain
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from contracts import streams as streams_named
from contracts.streams import To
from dispatcher.domain.compact import Record
from dispatcher.domain.episodes import EPISODE_KIND, Episode
from dispatcher.domain.kinds import Kind, kinds
from dispatcher.domain.papers import PAPER_KIND, PaperRecord
from dispatcher.domain.proofs import PROOF_KIND, ProofRecord
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.score_disputes import SCORE_DISPUTE_KIND, ScoreDisputeRecord
from dispatcher.domain.standing_orders import STANDING_ORDER, StandingOrderRecord
from dispatcher.domain.tasks import TASK_KIND, TaskRecord
from dispatcher.domain.threads import THREAD_KIND, ThreadRecord
from dispatcher.domain.webhooks import WEBHOOK_KIND, WebhookRecord
from dispatcher.security.rings import KeyPrint, Ring
from dispatcher.store import codec
from dispatcher.store import keys as names
from dispatcher.store.aside import READ_ERRORS
from dispatcher.store.billed import BilledWork, billed_work
from dispatcher.store.bodies import clear_part, key_of_body
from dispatcher.store.codec import Versioned
from dispatcher.store.connection import Reader
from dispatcher.store.formats import NewerFormat
from dispatcher.store.heard import Heard, heard
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.listing import BEFORE, END, Place
from dispatcher.store.records import R
from dispatcher.store.resp import text_of
from dispatcher.store.scored import ScoredDay, scored
from dispatcher.store.sealed import Sealed, sealed_by_key
from dispatcher.store.shelf import Shelf, Values
from dispatcher.store.survey_own import counts_in, look_at_figures, read_own

SCAN_COUNT = PAGE = 1_000
DOCUMENTS: Mapping[str, tuple[str, Callable[[bytes], object]]] = {  # first parts of keys: what they hold
    names.VENDORS: ("vendor", codec.VENDOR.unpack),
    names.CAPACITY: ("posting", codec.CAPACITY.unpack),
    names.TUNING: ("tuning", codec.TUNING.unpack),
    names.SETS: (names.SETS, codec.TUNING_SETS.unpack),
    names.SHADOW: (names.SHADOW, codec.TUNING_SHADOW.unpack),
    names.SHADOW_FOUND: (names.SHADOW_FOUND, codec.TUNING_SHADOW_FOUND.unpack),
    names.EFFECTS: (names.EFFECTS, codec.TUNING_EFFECTS.unpack),
    names.MEASURING: (names.MEASURING, codec.TUNING_MEASURING.unpack),
    names.CANARY: (names.CANARY, codec.TUNING_CANARY.unpack),
    names.PROFILES: (names.PROFILES, codec.TUNING_PROFILES.unpack),
    names.STANDING: (names.STANDING, codec.TUNING_STANDING.unpack),
    names.VIEWS: ("views", codec.VIEWS.unpack),
    REQUEST_KIND.body: ("body of", clear_part),
}


class Survey(msgspec.Struct, kw_only=True):
    """What was found, by kind of record. Reading takes a while: a market at work moves on meanwhile."""

    market: str
    records: dict[str, Mapping[str, Versioned[Record]]] = {}  # by kind and id
    older: dict[str, set[str]] = {}  # ids whose record stands in the form of an earlier version, by kind
    damaged: dict[str, set[str]] = {}  # ids whose record cannot be decoded, by kind
    bodies: dict[str, set[str]] = {}  # ids that have one, by kind
    documents: int = 0  # vendors, postings and tuning that were read
    unreadable: dict[str, str] = {}  # what else cannot be decoded, by kind and id ("vendor v1"), and why
    lists: dict[str, dict[str, int]] = {}  # every sorted list: member → score
    limits: dict[LedgerKey, bytes] = {}
    spent: dict[tuple[str, str], dict[str, int]] = {}  # what is counted against caps, by vendor and year
    cap_limits: dict[str, dict[str, int]] = {}  # caps as the store checks them, by vendor
    used: dict[LedgerKey, bytes] = {}
    moving: set[LedgerKey] = set()  # ledgers that changed while the records were read
    sealed: dict[str, Sealed] = {}  # by patient key
    rings: list[Ring] = []  # what each running process says of its patient keys
    patient_keys: frozenset[KeyPrint] = frozenset()  # all that something may be sealed under
    newer: dict[str, dict[str, str]] = {}  # of what is damaged: ids of a format not known, by kind, in words
    formats: dict[str, int] = {}  # the newest format of each kind, as the versions that wrote it say
    exhausted: list[str] = []  # streams that were moved aside, their ids were used up
    strange: dict[str, str] = {}  # keys that hold what is not theirs to hold, and what is wrong with them
    vendors: set[str] = set()  # vendors that are stored
    listed: set[str] = set()  # vendors that are known to be there
    heard: dict[str, Heard] = {}  # what the streams tell, by key
    billed: BilledWork = msgspec.field(
        default_factory=BilledWork
    )  # what statements say of the requests that are stored
    scored: dict[str, ScoredDay] = {}  # by day: what is counted of vendors' work, and what stands behind it

    def of_kind(self, kind: Kind[R], form: type[R]) -> Mapping[str, R]:
        """The records of a kind that can be read, by id. None is held longer than it is looked at."""
        return Values(self.records.get(kind.name, {}))


async def survey(reader: Reader, market: str, *, streams: bool = False) -> Survey:
    """Read everything of the market; `streams`: also the ids of all messages."""
    keys, found = Keys(market), Survey(market=market)
    parts: dict[str, list[str]] = {}
    for name in await _scan(reader, keys):
        if "\ufffd" in name:
            found.strange[name] = "has a name that no key of ours has"
            continue
        first, rest = keys.parted(name)
        parts.setdefault(first, []).append(rest)
    for first in (names.USED, names.LIMITS):
        parts[first] = [each for each in parts.get(first, ()) if _is_ledger(found, first, each)]
    found.used = await _read_ledgers(reader, keys.used, parts.get(names.USED, []))
    for kind in kinds():
        await _read_records(reader, keys, found, kind, parts)
    await _read_documents(reader, keys, found, parts)
    await _read_caps(reader, keys, found, parts)
    await look_at_figures(reader, keys, found.strange, parts)
    found.formats, found.rings, found.patient_keys = await read_own(reader, keys, found.strange)
    await _read_keys(reader, keys, found, parts.get(REQUEST_KIND.body, ()))
    found.vendors = set(parts.get(names.VENDORS, ()))
    await _read_limits(reader, keys, found, parts.get(names.LIMITS, []))
    await _read_lists(reader, keys, found)
    found.scored = await scored(reader, keys, parts.get(names.SCORECARDS, []), parts.get(names.OUTCOMES, []))
    kept = found.records[REQUEST_KIND.name].keys()
    found.billed = await billed_work(reader, keys, found.strange, parts.get(names.STATEMENT, []), kept)
    aside = filter(None, parts.get(streams_named.EXHAUSTED, ()))
    found.exhausted = [f"{streams_named.EXHAUSTED}:{each}" for each in aside]
    if streams:
        for name in (keys.events, keys.matches, *map(keys.stream, parts.get(To.VENDOR, ()))):
            told = await heard(reader, name)
            if isinstance(told, str):
                found.strange[name.removeprefix(keys.prefix)] = told
            else:
                found.heard[name] = told
    return found


def _is_ledger(found: Survey, first: str, rest: str) -> bool:
    if rest.count(":") == len(LedgerKey._fields) - 1:
        return True
    found.strange[f"{first}:{rest}"] = "names no pool and day"
    return False


async def _scan(reader: Reader, keys: Keys, *options: str) -> list[str]:
    """Every key of the market (that `options` of SCAN let through); SCAN may tell of a key twice."""
    found, cursor = set[str](), 0
    while True:
        words = (cursor, "MATCH", f"{keys.prefix}*", "COUNT", SCAN_COUNT, *options)
        cursor, some = await reader.ask("SCAN", *words)
        found.update(name.decode(errors="replace") for name in some)
        if int(cursor) == 0:
            return sorted(found)


async def _read_records(
    reader: Reader, keys: Keys, found: Survey, kind: Kind[Any], parts: Mapping[str, Sequence[str]]
) -> None:
    ids, document = parts.get(kind.key, ()), codec.document_of(kind)
    records = found.records[kind.name] = Shelf(document.unpack)
    damaged, older = (each.setdefault(kind.name, set()) for each in (found.damaged, found.older))
    if kind.body:
        found.bodies[kind.name] = set(parts.get(kind.body, ()))
    async for each, raw in _in_pages(reader, ids, lambda each: keys.record(kind, each)):
        try:
            if raw is not None:
                records.put(each, raw)
                older |= {each} if document.is_older(raw) else set()
            elif await _is_there(reader, keys.record(kind, each)):  # else it was forgotten since the scan
                damaged.add(each)
        except READ_ERRORS as error:
            damaged.add(each)
            if isinstance(error, NewerFormat):
                found.newer.setdefault(kind.name, {})[each] = str(error)


async def _in_pages(
    reader: Reader, ids: Sequence[str], key_of: Callable[[str], str]
) -> AsyncIterator[tuple[str, bytes | None]]:
    """Each id with what its key holds; never more of them at once than one page."""
    for first in range(0, len(ids), PAGE):
        page = ids[first : first + PAGE]
        for each, raw in zip(page, await reader.get_all(list(map(key_of, page))), strict=True):
            yield each, raw


async def _is_there(reader: Reader, key: str) -> bool:
    """Whether a key that reads as nothing is of another type."""
    return bool(await reader.ask("EXISTS", key))


async def _read_documents(
    reader: Reader, keys: Keys, found: Survey, parts: Mapping[str, Sequence[str]]
) -> None:
    """What is read of a market beside its records: each is decoded, none is kept."""
    for first, (kind, unpack) in DOCUMENTS.items():
        rests, prefix = parts.get(first, ()), f"{keys.prefix}{first}"
        async for each, raw in _in_pages(reader, rests, partial(_joined, prefix)):
            found.documents += 1
            if why := _damage(raw, unpack):
                found.unreadable[f"{kind} {each}".strip()] = why


def _joined(first: str, rest: str) -> str:
    return f"{first}:{rest}" if rest else first


async def _read_caps(reader: Reader, keys: Keys, found: Survey, parts: Mapping[str, Sequence[str]]) -> None:
    """What is counted against caps, and the caps as numbers."""
    for each in parts.get(names.SPENT, ()):
        vendor_id, _, year = each.partition(":")
        found.spent[vendor_id, year] = await counts_in(reader, found.strange, f"{names.SPENT}:{each}", keys)
    for each in parts.get(names.CAP_LIMITS, ()):
        found.cap_limits[each] = await counts_in(reader, found.strange, f"{names.CAP_LIMITS}:{each}", keys)


async def _read_keys(reader: Reader, keys: Keys, found: Survey, ids: Sequence[str]) -> None:
    """Which patient keys are needed."""
    needed = dict[str, str]()
    async for each, raw in _in_pages(reader, ids, lambda each: keys.body(REQUEST_KIND, each)):
        with contextlib.suppress(*READ_ERRORS):  # a damaged one is told of as such
            if raw and (key_id := key_of_body(raw)):
                needed[each] = key_id
    tasks = found.of_kind(TASK_KIND, TaskRecord).values()
    episodes = found.of_kind(EPISODE_KIND, Episode).values()
    hooks = found.of_kind(WEBHOOK_KIND, WebhookRecord).values()
    disputes = found.of_kind(SCORE_DISPUTE_KIND, ScoreDisputeRecord).values()
    words = chain(
        (each.sealed for task in tasks for each in task.comments),
        (each.sealed for one in episodes for each in one.notes),
        (each.sealed for hook in hooks for each in hook.secrets),
        (word for each in disputes for word in (each.sealed, each.reason) if word),
    )
    threads = found.of_kind(THREAD_KIND, ThreadRecord).values()
    messages = (each.sealed for thread in threads for each in thread.messages)
    orders = found.of_kind(STANDING_ORDER, StandingOrderRecord).values()
    proofs = found.of_kind(PROOF_KIND, ProofRecord).values()
    found.sealed = sealed_by_key(
        needed,
        found.of_kind(REQUEST_KIND, RequestRecord),
        words,
        messages,
        orders=orders,
        proofs=proofs,
        papers=found.of_kind(PAPER_KIND, PaperRecord).values(),
    )


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
        short = name.removeprefix(keys.prefix)
        try:
            places = list(Place.read(await reader.ask("ZRANGE", name, 0, -1, "WITHSCORES")))
        except ResponseError:  # it became something else meanwhile
            continue
        if any(not BEFORE < place.score < END for place in places):
            found.strange[short] = "has a place that is no time"
        if name not in (keys.capacities, keys.unsealed):
            found.lists[short] = {each.id: each.score for each in places if BEFORE < each.score < END}
    try:
        found.listed = set(map(text_of, await reader.ask("SMEMBERS", keys.vendors)))
    except ResponseError:
        found.strange[keys.vendors.removeprefix(keys.prefix)] = "is no set"


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


def of_kind(found: Survey, name: str, form: type[R]) -> ValuesView[R]:
    """The records of a kind, as far as they can be read: each is decoded as it is looked at."""
    return Values[R](found.records.get(name, {})).values()
