"""Every way in which what is stored can be damaged: what is done, which rules it breaks, what is told."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.amendments import AmendmentOutcome
from contracts.authorizations import AuthorizationState, Counted
from contracts.codes import RequestState, Requirement
from contracts.tasks import TaskKind
from dispatcher.domain.amendments import Amendment
from dispatcher.domain.authorizations import AUTHORIZATION_KIND, AuthorizationRecord, record_id
from dispatcher.domain.authorizations import listed as in_state
from dispatcher.domain.context import Context
from dispatcher.domain.links import Link
from dispatcher.domain.needed import Needed
from dispatcher.domain.request_kind import REQUEST_KIND, index_of, offers_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.tasks import TASK_KIND, opened
from dispatcher.store import codec
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import CELLS, LedgerKey
from tests.store.made import (
    DAY,
    NOW_MS,
    moved,
    record,
)

VANS = LedgerKey("v1", "vans", DAY.isoformat())
Damage = Callable[[Redis, Keys], Awaitable[object]]


def written(changed: RequestRecord) -> Damage:
    return lambda raw, keys: raw.set(of(keys, changed.id), codec.pack(changed.version, changed))


def of(keys: Keys, request_id: str) -> str:
    return keys.record(REQUEST_KIND, request_id)


def body(keys: Keys, request_id: str) -> str:
    return keys.body(REQUEST_KIND, request_id)


def listed(name: str, member: str) -> Damage:
    return lambda raw, keys: raw.zadd(keys.list(name), {member: 5})


def unlisted(name: str, member: str) -> Damage:
    return lambda raw, keys: raw.zrem(keys.list(name), member)


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


def both(*damages: Damage) -> Damage:
    """One after another."""

    async def hurt(raw: Redis, keys: Keys) -> None:
        for each in damages:
            await each(raw, keys)

    return hurt


def authorized(**changes: int) -> Damage:
    """An authorization of two visits, as it stands in its lists."""
    issued = AuthorizationRecord(
        id=record_id("a1"),
        version=1,
        state=AuthorizationState.ACTIVE,
        number="A-1",
        payer="Medicaid",
        services=("wheelchair",),
        counted=Counted.VISITS,
        granted=2,
        first_day=DAY.isoformat(),
        last_day=DAY.isoformat(),
        from_ms=NOW_MS,
        until_ms=NOW_MS + 1,
        timer_ms=NOW_MS + 1,
        requests=("b",),
    )

    async def hurt(raw: Redis, keys: Keys) -> None:
        stored = codec.pack(1, replace(issued, **changes))
        await raw.set(keys.record(AUTHORIZATION_KIND, issued.id), stored)
        await raw.zadd(keys.list(AUTHORIZATION_KIND.timers), {issued.id: issued.timer_ms})
        await raw.zadd(keys.list(in_state(issued.state)), {issued.id: issued.until_ms})

    return hurt


async def made_alone(raw: Redis, keys: Keys) -> None:
    await written(replace(moved(record("a"), RequestState.CANCELLED), before=("b",)))(raw, keys)
    await written(replace(record("b"), return_of="a", after=(Link(request_id="a", broken="cancelled"),)))(
        raw, keys
    )


ended_twice = moved(moved(record("b"), RequestState.CANCELLED), RequestState.COMPLETED)

WAITING = Amendment(
    at_ms=NOW_MS,
    by="platform",
    subject="",
    fields=("dropoff",),
    outcome=AmendmentOutcome.PENDING,
    before=b"before",
    proposed=b"after",
    attempt=1,
    expires_ms=NOW_MS,
)
ORPHAN = opened(TaskKind.UNMATCHED, "gone", Context(now_ms=NOW_MS))

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
    "a person is needed, and nobody is asked": (
        written(moved(record("b"), RequestState.UNMATCHED)),
        {"lists", "tasks", "told"},
        "is unmatched and names no task",
    ),
    "a task that is gone": (
        written(replace(record("b"), tasks=("b.1.overdue",))),
        {"tasks"},
        "names task b.1.overdue, which is not there",
    ),
    "a task without its request": (
        lambda raw, keys: raw.set(keys.record(TASK_KIND, "gone.unmatched"), codec.pack(1, ORPHAN)),
        {"lists", "tasks"},
        "has outlived its request",
    ),
    "after what is not there": (
        written(replace(record("b"), after=(Link(request_id="gone"),))),
        {"sequence"},
        "waits for gone, which is not there",
    ),
    "after what knows nothing of it": (
        written(replace(record("b"), after=(Link(request_id="a"),))),
        {"sequence"},
        "goes after a, which does not say so",
    ),
    "before what knows nothing of it": (
        written(replace(record("b"), before=("a",))),
        {"sequence"},
        "names a as what goes after it, which does not say so",
    ),
    "at risk, and nobody is asked": (
        written(replace(record("b"), risk="predecessor_late")),
        {"sequence"},
        "is at risk (predecessor_late) and names no task",
    ),
    "not called, and nobody is asked": (
        written(replace(moved(record("b"), RequestState.ON_HOLD), requirements=(Requirement.ACTIVATION,))),
        {"will-calls", "lists", "told"},
        "was not called by the evening, and names no task",
    ),
    "back, and not there": (
        made_alone,
        {"legs", "lists", "ledger"},
        "its leg there, a, is cancelled",
    ),
    "a draw on what is not there": (
        written(replace(record("b"), authorization=Needed(("wheelchair",), authorization="a1", drawn=1))),
        {"authorizations"},
        "is received, and draws on authorization a1",
    ),
    "a draw of more than it is": (
        both(
            authorized(used=2),
            written(replace(record("b"), authorization=Needed(("wheelchair",), 2, "a1", drawn=2))),
        ),
        {"authorizations"},
        "draws 2 on authorization a1, and is 1",
    ),
    "a balance that nobody draws": (
        authorized(used=1),
        {"authorizations"},
        "has 1 in use, and requests draw 0",
    ),
    "a balance that is overdrawn": (
        authorized(used=3, spent=3),
        {"authorizations"},
        "has 3 used (3 of it long ago) of 2",
    ),
    "an amendment that waits for nobody, for ever": (
        written(replace(record("b"), amendments=(WAITING,))),
        {"amendments"},
        "amendment 1 waits for a vendor that has not the work",
    ),
    "an amendment without what it replaced": (
        written(replace(record("b"), amendments=(replace(WAITING, proposed=b""),))),
        {"amendments"},
        "amendment 1 is pending without its bodies",
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
    "fewer posted than booked": (
        lambda raw, keys: raw.setrange(keys.limit(*VANS), 2 * 169, b"\0\1"),
        {"overbooked"},
        "2 booked, 1 posted",
    ),
}
