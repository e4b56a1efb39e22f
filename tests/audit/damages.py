"""Every way in which what is stored can be damaged: what is done, which rules it breaks, what is told."""

from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import RequestState
from dispatcher.domain.request_kind import REQUEST_KIND, index_of, offers_of
from dispatcher.store import codec
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import CELLS, LedgerKey
from tests.audit.hurting import Damage, body, listed, of, unlisted, written
from tests.store.made import (
    DAY,
    moved,
    record,
)

VANS = LedgerKey("v1", "vans", DAY.isoformat())


async def cut_sealed(raw: Redis, keys: Keys) -> None:
    stored = await raw.get(body(keys, "b"))
    clear = int.from_bytes(stored[:3], "big") & 0x7FFFFF
    await raw.set(body(keys, "b"), stored[: 3 + clear + 9])


async def record_as_hash(raw: Redis, keys: Keys) -> None:
    await raw.delete(of(keys, "b"), body(keys, "b"))
    await raw.hset(of(keys, "b"), "x", "y")
    await raw.hset(body(keys, "b"), "x", "y")


async def own_as_texts(raw: Redis, keys: Keys) -> None:
    for name in (keys.formats, keys.rings, keys.patient_keys, keys.matchers):
        await raw.set(name, "of a wrong type")


ended_twice = moved(moved(record("b"), RequestState.CANCELLED), RequestState.COMPLETED)

DAMAGES: dict[str, tuple[Damage, set[str], str]] = {  # what was done, the rules it breaks, what is told
    "ended twice": (
        written(ended_twice),
        {"one end", "table", "lists", "told"},
        "has ended as cancelled and completed",
    ),
    "ended without a step": (
        written(replace(record("b"), state=RequestState.FAILED)),
        {"one end", "table", "lists", "tasks"},
        "its place in i:failed is missing",
    ),
    "a step the table does not have": (
        written(moved(record("b"), RequestState.IN_PROGRESS)),
        {"table", "lists", "told"},
        "went from received to in_progress",
    ),
    "another version inside": (
        lambda raw, keys: raw.set(of(keys, "b"), codec.pack(7, record("b"))),
        {"whole"},
        "holds version 1 of b under version 7",
    ),
    "unreadable record": (
        lambda raw, keys: raw.setrange(of(keys, "b"), 4, b"\xc1"),
        {"whole"},
        "cannot be decoded",
    ),
    "cut record": (lambda raw, keys: raw.set(of(keys, "b"), bytes(5)), {"whole"}, "cannot be decoded"),
    "empty record": (lambda raw, keys: raw.set(of(keys, "b"), bytes(4)), {"whole"}, "cannot be decoded"),
    "no body": (lambda raw, keys: raw.delete(body(keys, "b")), {"whole"}, "has a record and no body"),
    "a figure that is no count": (
        lambda raw, keys: raw.hset(keys.fairness("2026-03-02"), "asked:bls@0,0", "many"),
        {"readable"},
        "is no hash as the service makes it",
    ),
    "figures of another type": (
        lambda raw, keys: raw.set(keys.calls("2026-03"), "x"),
        {"readable"},
        "is no hash as the service makes it",
    ),
    "left over": (
        lambda raw, keys: raw.set(body(keys, "gone"), b"sealed"),
        {"whole", "readable"},
        "has a body and no record",
    ),
    "cut body": (lambda raw, keys: raw.set(body(keys, "b"), bytes(5)), {"readable"}, "cannot be decoded"),
    "cut vendor": (
        lambda raw, keys: raw.setrange(keys.vendor("v1"), 14, b"\xc1\xc1"),
        {"readable"},
        "cannot be decoded",
    ),
    "cut posting": (
        lambda raw, keys: raw.set(keys.capacity("v1", DAY.isoformat()), bytes(13)),
        {"readable"},
        "cannot be decoded",
    ),
    "a vendor of a wrong type": (
        lambda raw, keys: raw.rename(keys.vendors, keys.vendor("v1")),
        {"readable", "vendors"},
        "is no document",
    ),
    "what processes tell each other is of a wrong type": (own_as_texts, {"readable"}, "is no hash"),
    "cut sealed block": (cut_sealed, {"readable"}, "cannot be decoded"),
    "a record of a wrong type": (record_as_hash, {"whole", "readable"}, "its record cannot be decoded"),
    "events that are no stream": (
        lambda raw, keys: raw.set(keys.events, "x"),
        {"readable"},
        "is no stream (WRONGTYPE)",
    ),
    "an entry that is no event": (
        lambda raw, keys: raw.xadd(keys.stream("v1"), {"x": "y"}),
        {"readable"},
        "is no event",
    ),
    "a ledger of no day": (
        lambda raw, keys: raw.set(f"{keys.prefix}used:x", b""),
        {"readable"},
        "names no pool and day",
    ),
    "a name that is no text": (
        lambda raw, keys: raw.set(keys.prefix.encode() + b"r:\xff", b"x"),
        {"readable"},
        "no key of ours",
    ),
    "a place that is no time": (
        lambda raw, keys: raw.zadd(keys.list("o:v9"), {"a.1": float("inf")}),
        {"readable"},
        "has a place that is no time",
    ),
    "an offer that nobody was told of": (
        lambda raw, keys: raw.delete(keys.stream("v1")),
        {"told"},
        "was made, and no message tells v1",
    ),
    "events that are gone": (
        lambda raw, keys: raw.delete(keys.events),
        {"told"},
        "is received, and no message says so",
    ),
    "a vendor that is not listed": (
        lambda raw, keys: raw.srem(keys.vendors, "v1"),
        {"vendors"},
        "the list of vendors does not name it",
    ),
    "cut tuning": (lambda raw, keys: raw.set(keys.tuning, b"\0\0"), {"readable"}, "cannot be decoded"),
    "a ledger that is too long": (
        lambda raw, keys: raw.setrange(keys.limit(*VANS), 2 * CELLS, b"\0\1"),
        {"readable"},
        "more cells than a day",
    ),
    "no timer": (unlisted(REQUEST_KIND.timers, "b"), {"lists"}, "its place in timers is missing"),
    "another timer": (listed(REQUEST_KIND.timers, "b"), {"lists"}, "its place in timers is at 5"),
    "a timer for nobody": (listed(REQUEST_KIND.timers, "ghost"), {"lists"}, "stands in timers"),
    "listed twice": (listed(index_of(RequestState.FAILED), "b"), {"lists"}, "stands in i:failed"),
    "listed nowhere": (
        unlisted(index_of(RequestState.RECEIVED), "b"),
        {"lists"},
        "its place in i:received is missing",
    ),
    "not in the vendor's list": (unlisted(offers_of("v1"), "a.1"), {"lists"}, "its place in o:v1 is missing"),
    "a stray offer": (listed(offers_of("v2"), "a.1"), {"lists"}, "stands in o:v2"),
    "booked without an offer": (
        lambda raw, keys: raw.setrange(keys.used(*VANS), 20, b"\0\1"),
        {"ledger"},
        "1 booked, 0 held by offers",
    ),
    "not booked": (
        lambda raw, keys: raw.delete(keys.used(*VANS)),
        {"ledger"},
        "0 booked, 2 held by offers",
    ),
    "counted against a cap, and held by nobody": (
        lambda raw, keys: raw.hset(keys.spent("v1", "2026"), "medicaid:2026:trips", 1),
        {"caps"},
        "1 counted, 0 held by offers",
    ),
    "a cap that nobody set": (
        lambda raw, keys: raw.hset(keys.cap_limits("v1"), "medicaid:day:trips", 1),
        {"caps"},
        "are not those that the store checks",
    ),
    "a count of a cap that is none": (
        lambda raw, keys: raw.set(keys.spent("v1", "2026"), "x"),
        {"readable"},
        "is no hash",
    ),
    "fewer posted than booked": (
        lambda raw, keys: raw.setrange(keys.limit(*VANS), 2 * 169, b"\0\1"),
        {"overbooked"},
        "2 booked, 1 posted",
    ),
}
