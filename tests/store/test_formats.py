"""Records that the version before stored are read as what they mean now, and written in the new form."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import OfferState, RequestState, Requirement, TrackingStatus
from contracts.instants import MINUTE_MS
from contracts.tasks import TaskKind
from contracts.tuning import Tuning
from contracts.unmatched import Unmatched
from contracts.vendors import RateCard
from dispatcher.audit.auditor import audit
from dispatcher.domain.booking import PoolBooking
from dispatcher.domain.context import Context
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.refusals import Unreadable
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord, Transition
from dispatcher.domain.tasks import TASK_KIND, opened
from dispatcher.serve.supervisor import looked_at
from dispatcher.store import codec, formats
from dispatcher.store.compression import decompress
from dispatcher.store.format_numbers import NewerData
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from tests.domain import make
from tests.store import old_market
from tests.store.made import DAY, pools, received, trip, vendor
from tests.store.old_market import END_MS, NOW_MS, START_MS

S, O, T = RequestState, OfferState, TrackingStatus  # noqa: E741  (as in dispatcher.domain.states)
KEPT_MS = 72 * 60 * MINUTE_MS
TAKEN = (PoolBooking("v1", "vans", "2026-03-02", 144, 6, 1),)
Reading = Callable[[], Awaitable[object]]
REQUESTS = codec.document_of(REQUEST_KIND)


# What each stored request means, in full.


def request(name: str, *steps: Transition, version: int, timer_ms: int, **facts: Any) -> RequestRecord:
    history = (Transition(S.RECEIVED, NOW_MS, "platform"), *steps)
    return RequestRecord(
        id=name,
        version=version,
        state=history[-1].state,
        kind="trip",
        received_ms=NOW_MS,
        match_by_ms=END_MS,
        earliest_ms=START_MS,
        latest_ms=END_MS,
        timer_ms=timer_ms,
        history=history,
        **facts,
    )


def offer(state: OfferState, **facts: Any) -> OfferRecord:
    usual: dict[str, Any] = {
        "attempt": 1,
        "vendor_id": "v1",
        "made_ms": NOW_MS + 1_000,
        "expires_ms": NOW_MS + 1_440_900,
        "bookings": TAKEN,
    }
    return OfferRecord(
        state=state,
        pool_id="vans",
        start_ms=START_MS,
        end_ms=END_MS,
        price_cents=4_500,
        assumed=False,
        tuning_version=3,
        snapshot="abc",
        distance_m=4_300,
        **(usual | facts),
    )


def dispatch(state: OfferState = O.ACCEPTED, **facts: Any) -> OfferRecord:
    return offer(state, reference="T-77", **facts)


def step(state: RequestState, after_ms: int, by: str = "vendor:v1", code: str = "") -> Transition:
    return Transition(state, NOW_MS + after_ms, by, code)


OFFERED, ACCEPTED = step(S.OFFERED, 1_000, "matcher"), step(S.ACCEPTED, 60_000)
FORGET_MS = END_MS + KEPT_MS
ENDED_MS = START_MS + 20 * MINUTE_MS  # of the work that failed, and of the one where nobody was there

MEANT = [
    request("received", version=1, timer_ms=END_MS),
    request(
        "on_hold",
        step(S.ON_HOLD, 0, "platform", "predecessor"),
        version=1,
        timer_ms=END_MS,
        requirements=(Requirement.PREDECESSOR,),
    ),
    request(
        "held_twice",  # nobody said that it was authorized
        step(S.ON_HOLD, 0, "platform", "authorization"),
        step(S.ON_HOLD, 5_000, "platform", "predecessor"),
        version=2,
        timer_ms=END_MS,
        requirements=(Requirement.AUTHORIZATION, Requirement.PREDECESSOR),
    ),
    request(
        "matching",
        step(S.MATCHING, 2_000, "matcher", "hours"),
        version=2,
        timer_ms=END_MS,
        unmatched=Unmatched(
            vendors=3, last_rule="hours", explained_at=datetime(2026, 3, 2, 8, 0, 2, tzinfo=UTC)
        ),
    ),
    request("offered", OFFERED, version=2, timer_ms=NOW_MS + 1_440_900, offers=(offer(O.REQUESTED),)),
    request(
        "returned",  # by its first vendor; offered to a second
        OFFERED,
        ACCEPTED,
        step(S.MATCHING, 7_200_000, code="turned_back"),
        step(S.OFFERED, 7_201_000, "matcher"),
        version=5,
        timer_ms=NOW_MS + 7_920_900,
        offers=(
            dispatch(O.TURNED_BACK, closed_ms=NOW_MS + 7_200_000, code="turned_back", bookings=()),
            offer(
                O.REQUESTED,
                attempt=2,
                vendor_id="v2",
                made_ms=NOW_MS + 7_201_000,
                expires_ms=NOW_MS + 7_920_900,
                bookings=(replace(TAKEN[0], vendor_id="v2"),),
            ),
        ),
    ),
    request(
        "overdue",
        OFFERED,
        ACCEPTED,
        version=5,
        timer_ms=START_MS + 60 * MINUTE_MS,
        offers=(dispatch(overdue=2),),
    ),
    request(
        "in_progress",  # and its end is overdue
        OFFERED,
        ACCEPTED,
        step(S.IN_PROGRESS, 13_800_000, code="en_route"),
        step(S.IN_PROGRESS, 14_700_000, code="at_pickup"),
        step(S.IN_PROGRESS, 14_940_000, code="on_board"),
        version=7,
        timer_ms=END_MS + 40 * MINUTE_MS,
        offers=(dispatch(status=T.ON_BOARD, arrived_ms=START_MS + 5 * MINUTE_MS, overdue=1),),
    ),
    request(
        "completed",
        OFFERED,
        ACCEPTED,
        step(S.IN_PROGRESS, 14_400_000, code="at_pickup"),
        step(S.COMPLETED, 16_080_000, code="completed"),
        version=5,
        timer_ms=FORGET_MS,
        offers=(
            dispatch(
                O.COMPLETED,
                status=T.COMPLETED,
                arrived_ms=START_MS,
                closed_ms=START_MS + 28 * MINUTE_MS,
                code="completed",
            ),
        ),
    ),
    request(
        "failed",
        OFFERED,
        ACCEPTED,
        step(S.FAILED, 15_600_000, code="failed"),
        version=4,
        timer_ms=FORGET_MS,
        offers=(dispatch(O.FAILED, status=T.FAILED, closed_ms=ENDED_MS, code="failed"),),
    ),
    request(
        "no_show",
        OFFERED,
        ACCEPTED,
        step(S.NO_SHOW, 15_600_000, code="no_show"),
        version=4,
        timer_ms=FORGET_MS,
        offers=(dispatch(O.COMPLETED, status=T.NO_SHOW, closed_ms=ENDED_MS, code="no_show"),),
    ),
    request(
        "unmatched",
        step(S.UNMATCHED, 16_200_000, "timer", "match_by"),
        version=2,
        timer_ms=FORGET_MS,
        unmatched=Unmatched(
            vendors=0, last_rule="match_by", explained_at=datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
        ),
    ),
    request(
        "cancelled",  # after its vendor had declined
        OFFERED,
        step(S.MATCHING, 90_000, code="NO_VEHICLES_AVAILABLE"),
        step(S.CANCELLED, 120_000, "platform", "patient stays"),
        version=4,
        timer_ms=NOW_MS + 120_000 + KEPT_MS,
        offers=(offer(O.REJECTED, closed_ms=NOW_MS + 90_000, code="NO_VEHICLES_AVAILABLE", bookings=()),),
    ),
]


@pytest.mark.parametrize("meant", MEANT, ids=lambda each: each.id)
def test_each_stored_request_is_read_as_what_it_means_now(meant: RequestRecord) -> None:
    assert REQUESTS.unpack(old_market.stored(f"r:{meant.id}")) == (meant.version, meant, 0)


@pytest.mark.parametrize("meant", MEANT, ids=lambda each: each.id)
def test_what_was_read_and_written_again_is_of_the_new_form(meant: RequestRecord) -> None:
    again = codec.pack(meant.version, meant)
    assert format_number(again) == formats.known()["request"]
    assert REQUESTS.unpack(again) == (meant.version, meant, 0)


@pytest.mark.parametrize("number", [2, 3])
def test_a_request_of_format_2_or_3_is_read_without_what_came_after(number: int) -> None:
    now = replace(MEANT[0], service_class="wheelchair", tasks=("t",))
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(now))
    older = codec.pack(now.version, [number, *plain[1:]])
    assert REQUESTS.unpack(older).value == now
    assert REQUESTS.is_older(older)


@pytest.mark.parametrize("length", [1, 31, 32, 64])
def test_an_id_of_any_length_tells_the_old_form_from_the_new(length: int) -> None:
    name = "x" * length
    old = formats.Request1(name, 1, S.RECEIVED, "trip", NOW_MS, END_MS, START_MS, END_MS, END_MS)
    meant = RequestRecord(name, 1, S.RECEIVED, "trip", NOW_MS, END_MS, START_MS, END_MS, END_MS)
    for stored in (old, meant):
        assert REQUESTS.unpack(codec.pack(1, stored)).value == meant


def format_number(raw: bytes) -> int | None:
    first = msgspec.msgpack.decode(decompress(raw[4:]))[0]
    return first if isinstance(first, int) else None


# What a newer version stored is told as such, and never read by half.

NEWER_KINDS = ["vendor", "posting", "tuning", "body", "request", "task"]


async def of_a_newer_version(market: MarketStore, raw: Redis, kind: str) -> tuple[str, Reading]:
    """One item of that kind, as the next version would number it: its id, and how it is read by itself."""
    keys, requests = market.keys, market.requests
    await market.vendors.put(vendor())
    await market.capacity.put("v1", DAY, pools(2))
    await market.tuning.put(Tuning(version=1, by="ops", reason="a test"))
    await market.commit([received("a"), received("b")], requests=[trip("a"), trip("b")])
    task = opened(TaskKind.UNMATCHED, "b", Context(now_ms=NOW_MS))
    await raw.set(keys.record(TASK_KIND, task.id), codec.pack(1, task))
    where: dict[str, tuple[str, str, Reading]] = {
        "vendor": (keys.vendor("v1"), "v1", lambda: market.vendors.get("v1")),
        "posting": (
            keys.capacity("v1", "2026-11-23"),
            "v1:2026-11-23",
            lambda: market.capacity.get("v1", DAY),
        ),
        "tuning": (keys.tuning, market.name, market.tuning.get),
        "body": (keys.body(REQUEST_KIND, "b"), "b", lambda: requests.body("b")),
        "request": (keys.record(REQUEST_KIND, "b"), "b", lambda: requests.records.get("b")),
        "task": (keys.record(TASK_KIND, task.id), task.id, lambda: market.tasks.records.get(task.id)),
    }
    key, name, read = where[kind]
    await raw.set(key, _numbered_on(kind, await raw.get(key)))
    return name, read


def _numbered_on(kind: str, stored: bytes) -> bytes:
    """The same under the next format number."""
    if kind == "body":
        return bytes([stored[0] | 0b0010_0000]) + stored[1:]
    if kind in ("request", "task"):
        content = msgspec.msgpack.decode(decompress(stored[4:]))
        return stored[:4] + msgspec.msgpack.encode([content[0] + 1, *content[1:], "new"])
    at = 4 if kind == "tuning" else 12
    assert stored[at] == 0x40 + formats.known()[kind]
    return stored[:at] + bytes([stored[at] + 1]) + stored[at + 1 :]


@pytest.mark.parametrize("kind", NEWER_KINDS)
async def test_what_a_newer_version_stored_is_set_aside_with_its_number(
    market: MarketStore, store: Store, raw: Redis, kind: str
) -> None:
    name, read = await of_a_newer_version(market, raw, kind)
    number = formats.known()[kind]
    told = f"is of format {number + 1}, this version of the service knows {number}"
    with pytest.raises(Unreadable, match=told) as refused:
        await read()
    assert (refused.value.facts["kind"], refused.value.facts["id"]) == (kind, name)
    assert "docs/upgrading.md" in refused.value.detail
    assert {each.kind for each in store.aside.known(market.name)} == {kind}
    assert list(await market.requests.bodies(["a"])) == ["a"], "what is beside it is read"
    found = (await audit(store.reader, market.name))["findings"]
    assert any(told in each["detail"] for each in found)


@pytest.mark.parametrize("kind", ["vendor", "posting"])
async def test_what_a_newer_version_stored_is_not_written_over(
    market: MarketStore, raw: Redis, kind: str
) -> None:
    await of_a_newer_version(market, raw, kind)
    keys = market.keys
    names = [keys.vendor("v1"), keys.capacity("v1", DAY.isoformat())]
    stored = await raw.mget(names)
    with pytest.raises(Unreadable, match=f"is of format {formats.known()[kind] + 1}"):
        await (market.vendors.put(vendor()) if kind == "vendor" else market.capacity.put("v1", DAY, pools(3)))
    assert await raw.mget(names) == stored


def test_a_record_with_more_than_is_known_is_not_read_by_half() -> None:
    stored = codec.pack(1, replace(MEANT[0], tasks=("x",)))
    content = msgspec.msgpack.decode(decompress(stored[4:]))
    assert REQUESTS.unpack(stored[:4] + msgspec.msgpack.encode(content)).value.tasks == ("x",)
    with pytest.raises(msgspec.ValidationError):
        REQUESTS.unpack(stored[:4] + msgspec.msgpack.encode([*content, "new"]))


async def test_a_document_of_before_has_no_number_and_is_read_as_format_1(
    market: MarketStore, raw: Redis
) -> None:
    await market.vendors.put(vendor())
    key = market.keys.vendor("v1")
    stored = await raw.get(key)
    await raw.set(key, stored[:12] + stored[13:])
    assert await market.vendors.get("v1") == codec.VENDOR.unpack(stored)


async def test_every_version_tells_the_store_its_numbers_and_refuses_those_it_does_not_know(
    market: MarketStore, store: Store, raw: Redis
) -> None:
    assert (await store.health()).reasons == ()
    names = {each.decode() for each in await raw.hkeys(market.keys.formats)}
    assert names == {f"{kind} {number}" for kind, number in formats.known().items()}
    assert {"vendor 3", "request 4", "task 1", "layout 1"} <= names
    await raw.hset(market.keys.formats, "vendor 4", 1 << 50)
    await raw.hset(market.keys.formats, "omen 1", 1 << 50)
    reasons = [
        f"{market.name}: what is stored of kind '{kind}' is of format {number}, this version of the service "
        f"knows {most}"
        for kind, number, most in (("omen", 1, "none"), ("vendor", 4, 3))
    ]
    health = await store.health()
    assert (health.durable, list(health.reasons)) == (True, reasons)
    with pytest.raises(NewerData, match="'vendor' is of format 4") as refused:
        await store.formats.refuse([market.name])
    assert "restore the backup" in refused.value.remedy
    with pytest.raises(NewerData):
        await looked_at(store.url, [market.name])
    findings = (await audit(store.reader, market.name))["findings"]
    assert [each["rule"] for each in findings] == ["readable", "readable"]


def test_a_vendor_that_names_the_price_of_waiting_is_read_without_it() -> None:
    plain = msgspec.to_builtins(make.vendor(), builtin_types=())
    plain["rate_card"] = {"night_cents": 1, "wait_half_hour_cents": 2_000}
    raw = codec.pack(3, plain, 5)
    read = codec.VENDOR.unpack(raw)
    assert (read.version, read.changed_ms) == (3, 5)
    assert read.value == replace(make.vendor(), rate_card=RateCard(night_cents=1))


def test_every_number_that_a_market_tells_is_in_the_table_of_formats() -> None:
    page = (Path(__file__).parents[2] / "docs/upgrading.md").read_text()
    table = page.split("## Formats")[1].split("\n\n")[1]
    words = {name: {"body": "bodies"}.get(name, name.replace("_", " ")) for name in formats.known()}
    assert [name for name, word in words.items() if word not in table] == []
