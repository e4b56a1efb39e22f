"""A second kind of record is one file: filed, listed, timed, forgotten and judged by what it declares."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import RequestState
from contracts.instants import HOUR_MS
from dispatcher.audit.auditor import audit
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import kind_named, kind_of, kinds, register, with_kind
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.refusals import WrongState
from dispatcher.jobs.timers import Timers
from dispatcher.service.service import Service
from dispatcher.store import events
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.records import Records
from dispatcher.store.store import Store
from dispatcher.store.streams import Streams
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.store.conftest import everything
from tests.store.loans import BACK, LOAN_KIND, OUT, Loan, lent, loan, returned
from tests.store.made import (
    DAY,
    NOW_MS,
    booking,
    cancelled,
    offered,
    pools,
    received,
    record,
    trip,
    vendor,
)

CHAIR = loan("chair")


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """Loans are known while a test runs."""
    with with_kind(LOAN_KIND):
        yield


@pytest.fixture
def loans(market: MarketStore) -> Records[Loan]:
    return market.records(LOAN_KIND)


async def receive(market: MarketStore, *ids: str) -> None:
    requests = [trip(each) for each in ids]
    assert (await market.commit([received(each) for each in ids], requests=requests)).ok


async def listed(loans: Records[Loan], *names: str, limit: int = 10) -> list[str]:
    """All loans of these lists, page by page."""
    ids, cursor = list[str](), None
    while True:
        page, cursor = await loans.page(names, Cursor.parse(cursor), limit)
        ids += [each.id for each in page]
        if cursor is None:
            return ids


async def findings(store: Store, market: MarketStore) -> list[tuple[str, str]]:
    report = await audit(store.reader, market.name, streams=True)
    return [(each["rule"], each["subject"]) for each in report["findings"]]


def both(request: Decision, other: Decision) -> Decision:
    """One decision that changes a request and a loan."""
    return replace(
        request, changes=(*request.changes, *other.changes), messages=(*request.messages, *other.messages)
    )


async def test_it_is_committed_together_with_a_request(market: MarketStore, loans: Records[Loan]) -> None:
    assert (await market.commit([both(received("a"), lent("chair"))], requests=[trip("a")])).ok
    assert await market.requests.records.get("a") == record("a")
    assert await loans.get("chair") == loan("chair")
    over = both(cancelled(record("a")), returned(loan("chair")))
    assert (await market.commit([over])).ok
    assert (await market.requests.counts())[RequestState.CANCELLED] == 1
    assert await listed(loans, BACK) == ["chair"]


def offer_and_return(request_id: str, chair: Loan, **more: Any) -> Decision:
    return replace(both(offered(record(request_id)), returned(chair)), **more)


# What stands in the way, and what is told of it.
REFUSED: dict[str, tuple[Callable[[], Decision], Status, str]] = {
    "the request has moved on": (lambda: offer_and_return("old", CHAIR), Status.STALE, "old"),
    "the loan has moved on": (
        lambda: offer_and_return("a", replace(CHAIR, version=2)),
        Status.STALE,
        "chair",
    ),
    "the loan is there already": (lambda: both(offered(record("a")), lent("chair")), Status.STALE, "chair"),
    "a vendor has changed": (
        lambda: offer_and_return("a", CHAIR, preconditions=(Precondition("v1", "", 1),)),
        Status.OUTDATED,
        "v1",
    ),
    "there is no room": (lambda: offer_and_return("a", CHAIR, book=(booking(2),)), Status.FULL, ""),
}


@pytest.mark.parametrize("obstacle", REFUSED)
async def test_what_stands_in_the_way_of_one_leaves_both_untouched(
    market: MarketStore, raw: Redis, keys: Keys, obstacle: str
) -> None:
    await receive(market, "a", "old")
    await market.commit([cancelled(record("old")), lent("chair")])
    await market.capacity.put("v1", DAY, pools(1))
    for _ in range(2):
        await market.vendors.put(vendor())
    before = await everything(raw, keys)
    decide, status, about = REFUSED[obstacle]
    outcome = await market.commit([decide()])
    assert (outcome.status, outcome.stale_id) == (status, about)
    assert await everything(raw, keys) == before


async def test_of_two_decisions_in_one_commit_each_is_of_its_own_kind(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    """A record of one kind may be called like one of another; a record is changed once in a commit."""
    assert (await market.commit([received("a"), lent("a")], requests=[trip("a")])).ok
    before = await everything(raw, keys)
    with pytest.raises(ValueError, match="2 changes are of 1 records"):
        await market.commit([returned(loan("a")), returned(loan("a"))])
    assert await everything(raw, keys) == before


async def test_the_messages_of_two_records_of_one_name_are_told_apart(
    store: Store, market: MarketStore, streams: Streams, keys: Keys
) -> None:
    """Whoever reads a stream knows a replay by its id: two events must not share one."""
    await market.commit([received("a"), lent("a")], requests=[trip("a")])
    told = [events.unpack_event(entry.event) for entry in await streams.read(keys.events)]
    assert [each.subject for each in told] == ["a", "loan a"]
    assert told[0].id == "a.1.0"
    assert len({each.id for each in told}) == 2
    assert await findings(store, market) == []


async def test_it_stands_in_the_lists_that_it_declares(market: MarketStore, loans: Records[Loan]) -> None:
    for number in (3, 1, 2):
        await market.commit([lent(f"l{number}", due_ms=number)])
    assert await listed(loans, OUT) == ["l1", "l2", "l3"]
    assert await listed(loans, OUT, limit=1) == ["l1", "l2", "l3"]
    await market.commit([returned(loan("l2", 2))])
    assert (await listed(loans, OUT), await listed(loans, BACK)) == (["l1", "l3"], ["l2"])
    assert await listed(loans, OUT, BACK, limit=2) == ["l1", "l2", "l3"]
    assert list(await loans.get_all(["l3", "none", "l1"])) == ["l3", "l1"]


async def test_it_is_due_by_timers_of_its_own(market: MarketStore, loans: Records[Loan]) -> None:
    await receive(market, "a")
    await market.commit([lent("soon", NOW_MS + 1), lent("later", NOW_MS + 2)])
    assert await loans.due(NOW_MS, 10) == []
    assert await loans.due(NOW_MS + 2, 10) == ["soon", "later"]
    assert await loans.due(NOW_MS + 2, 1) == ["soon"]
    assert await loans.next_due_ms() == NOW_MS + 1
    assert await market.requests.records.next_due_ms() == record("a").timer_ms


async def test_its_timer_fires_again_until_it_is_back_and_then_nothing_is_left_of_it(
    store: Store, market: MarketStore, loans: Records[Loan], raw: Redis, keys: Keys
) -> None:
    clock = ManualClock(NOW_MS)
    timers = Timers(Service(store, clock, {market.name: ZoneInfo("UTC")}, Registry.found()))
    await market.commit([lent("chair")])
    assert await timers.fire_due(market.name) == 0
    for reminders in (1, 2):
        clock.ms += HOUR_MS
        assert await timers.fire_due(market.name) == 1
        found = await loans.get("chair")
        assert found == loan("chair", clock.ms + HOUR_MS, version=1 + reminders, reminders=reminders)
    assert await findings(store, market) == []
    await market.commit([returned(found)])
    clock.ms += HOUR_MS
    assert await timers.fire_due(market.name) == 1
    assert await loans.get("chair") is None
    assert list(await everything(raw, keys)) == [keys.events.encode()]
    assert await findings(store, market) == [], "what is told of its end is no replay of what was told before"


async def test_a_step_that_it_does_not_have_is_refused_before_the_store() -> None:
    back = returned(loan("chair")).after
    steps = {
        "new and back": (None, replace(back, version=1)),
        "back and out again": (back, replace(back, version=3, back=False)),
        "forgotten while out": (loan("chair"), None),
        "two versions on": (loan("chair"), replace(back, version=3)),
    }
    for before, after in steps.values():
        with pytest.raises(WrongState, match="loan chair cannot go from"):
            Change(before, after)


async def test_it_touches_no_file_of_the_first_kind(market: MarketStore, raw: Redis, keys: Keys) -> None:
    await market.capacity.put("v1", DAY, pools(1))
    await receive(market, "a")
    await market.commit([offered(record("a"), booking())])
    before = await everything(raw, keys)
    await market.commit([lent("chair")])
    await market.commit([returned(loan("chair"))])
    after = await everything(raw, keys)
    own = {keys.record(LOAN_KIND, "chair"), keys.list(BACK), keys.list(LOAN_KIND.timers)}
    assert {name.decode() for name in after.keys() - before.keys()} == own
    touched = {name.decode() for name in before if after.get(name) != before[name]}
    assert touched == {keys.events}, "where it is told"


DAMAGES: dict[str, Callable[[Redis, Keys], Awaitable[object]]] = {
    "unreadable": lambda raw, keys: raw.setrange(keys.record(LOAN_KIND, "chair"), 4, b"\xc1"),
    "another version inside": lambda raw, keys: raw.setrange(keys.record(LOAN_KIND, "chair"), 0, b"\0\0\0\7"),
    "not listed": lambda raw, keys: raw.zrem(keys.list(OUT), "chair"),
    "listed twice": lambda raw, keys: raw.zadd(keys.list(BACK), {"chair": 5}),
    "no timer": lambda raw, keys: raw.zrem(keys.list(LOAN_KIND.timers), "chair"),
    "another timer": lambda raw, keys: raw.zadd(keys.list(LOAN_KIND.timers), {"chair": 5}),
    "gone": lambda raw, keys: raw.delete(keys.record(LOAN_KIND, "chair")),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_the_audit_judges_it_like_any_other(
    store: Store, market: MarketStore, raw: Redis, keys: Keys, damage: str
) -> None:
    await receive(market, "a")
    await market.commit([lent("chair"), lent("other")])
    assert await findings(store, market) == []
    await DAMAGES[damage](raw, keys)
    found = await findings(store, market)
    assert {subject for _, subject in found} == {"chair"}
    whole = damage in ("unreadable", "another version inside")
    assert {rule for rule, _ in found} == ({"whole"} if whole else {"lists"})


async def test_kinds_are_told_apart_by_name_key_and_timers() -> None:
    assert (kind_named("loan"), kind_of(loan("chair"))) == (LOAN_KIND, LOAN_KIND)
    for each in kinds():
        with pytest.raises(ValueError, match="two kinds of record"):
            register(each)
