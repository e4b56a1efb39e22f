"""One script commits everything or nothing, and says which check failed."""

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.codes import RequestState
from dispatcher.domain.decision import Decision
from dispatcher.store import ledger
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.outcome import Command, Status
from dispatcher.store.script import BrokenLedger
from dispatcher.store.store import Store
from tests.store.made import (
    DAY,
    PATIENT,
    booking,
    changed,
    moved,
    offered,
    pools,
    received,
    record,
    released,
    trip,
)

VANS = LedgerKey("v1", "vans", DAY.isoformat())


async def receive(store: Store, market: str, *ids: str) -> None:
    outcome = await store.commit(
        market, [received(each) for each in ids], requests=[trip(each) for each in ids]
    )
    assert outcome.status is Status.OK


async def everything(raw: Redis, keys: Keys) -> dict[bytes, bytes]:
    """All that is stored for the market, to compare before and after."""
    names = [name async for name in raw.scan_iter(match=f"{keys.prefix}*")]
    return {name: await raw.dump(name) for name in sorted(names)}


async def used(store: Store, market: str) -> tuple[int, ...]:
    return ledger.unpack((await store.ledger(market, [VANS]))[VANS].used)


async def test_a_received_request_is_stored_whole(store: Store, market: str) -> None:
    await receive(store, market, "a")
    assert await store.record(market, "a") == record("a")
    assert await store.request(market, "a") == trip("a", patient=None)
    assert await store.patient(market, "a") == PATIENT
    assert await store.open_ids(market, 10) == ["a"]
    assert await store.due(market, record("a").timer_ms, 10) == ["a"]


async def test_a_batch_is_stored_whole_or_not_at_all(
    store: Store, market: str, raw: Redis, keys: Keys
) -> None:
    await receive(store, market, "b7")
    before = await everything(raw, keys)
    ids = [f"b{number}" for number in range(10)]
    outcome = await store.commit(
        market, [received(each) for each in ids], requests=[trip(each) for each in ids]
    )
    assert (outcome.status, outcome.stale_id) == (Status.STALE, "b7")
    assert await everything(raw, keys) == before


async def test_a_repeated_command_has_one_effect_and_the_same_answer(
    store: Store, market: str, raw: Redis, keys: Keys
) -> None:
    command = Command.of("platform", "key-1", b"body", answer=b"202 a")
    first = await store.commit(market, [received("a")], requests=[trip("a")], command=command)
    before = await everything(raw, keys)
    again = await store.commit(market, [received("a")], requests=[trip("a")], command=command)
    assert first.status is Status.OK
    assert (again.status, again.answer, again.ok) == (Status.DUPLICATE, b"202 a", True)
    assert await everything(raw, keys) == before
    assert await store.answered(market, command) == again


async def test_a_command_id_with_another_body_is_refused(store: Store, market: str) -> None:
    first, other = (Command.of("platform", "key-1", body) for body in (b"body", b"another"))
    await store.commit(market, [received("a")], requests=[trip("a")], command=first)
    outcome = await store.commit(market, [received("b")], requests=[trip("b")], command=other)
    assert outcome.status is Status.REUSED
    assert await store.record(market, "b") is None


async def test_the_commit_of_an_old_matcher_is_refused(store: Store, market: str) -> None:
    await receive(store, market, "a")
    await store.put_capacity(market, "v1", DAY, pools(1))
    old = await store.acquire(market, "matcher-1", 60_000)
    assert await store.release(market, "matcher-1")
    new = await store.acquire(market, "matcher-2", 60_000)
    refused = await store.commit(market, [offered(record("a"), booking())], fence=old)
    assert refused.status is Status.FENCED
    assert (await used(store, market))[0] == 0
    assert (await store.commit(market, [offered(record("a"), booking())], fence=new)).ok


async def test_a_decision_on_an_old_record_is_stale_and_says_whose(store: Store, market: str) -> None:
    await receive(store, market, "a", "b")
    first = await store.commit(market, [cancelled("a")])
    second = await store.commit(market, [cancelled("b"), offered(record("a"))])
    assert first.ok
    assert (second.status, second.stale_id) == (Status.STALE, "a")
    assert await store.record(market, "b") == record("b")


async def test_a_hold_beyond_the_units_is_refused_and_names_the_bucket(store: Store, market: str) -> None:
    await receive(store, market, "a", "b")
    await store.put_capacity(market, "v1", DAY, pools(2))
    assert (await store.commit(market, [offered(record("a"), booking(2, first=170))])).ok
    outcome = await store.commit(market, [offered(record("b"), booking(1, first=166))])
    assert (outcome.status, outcome.bucket) == (Status.FULL, 170)
    assert outcome.booking == booking(1, first=166)
    assert await store.record(market, "b") == record("b")


async def test_a_hold_beyond_the_daily_cap_is_refused(store: Store, market: str) -> None:
    await receive(store, market, "a", "b")
    await store.put_capacity(market, "v1", DAY, pools(9, daily_cap=1))
    assert (await store.commit(market, [offered(record("a"), booking(first=1))])).ok
    outcome = await store.commit(market, [offered(record("b"), booking(first=200))])
    assert (outcome.status, outcome.bucket) == (Status.FULL, None)


async def test_the_tail_of_work_over_midnight_does_not_count_against_the_day(
    store: Store, market: str
) -> None:
    await receive(store, market, "a")
    await store.put_capacity(market, "v1", DAY, pools(1, daily_cap=0))
    outcome = await store.commit(market, [offered(record("a"), booking(first=0, count=2, daily=0))])
    assert outcome.ok
    assert (await used(store, market))[:4] == (0, 1, 1, 0)


async def test_two_holds_of_one_commit_add_up(store: Store, market: str) -> None:
    await receive(store, market, "a")
    await store.put_capacity(market, "v1", DAY, pools(2))
    outcome = await store.commit(market, [offered(record("a"), booking(1), booking(2))])
    assert outcome.status is Status.FULL
    assert not any(await used(store, market))


async def test_work_moves_within_a_full_pool(store: Store, market: str) -> None:
    await receive(store, market, "a", "b")
    await store.put_capacity(market, "v1", DAY, pools(1))
    first = offered(record("a"), booking())
    await store.commit(market, [first])
    outcome = await store.commit(market, [offered(record("b"), booking()), released(first.after)])
    assert outcome.ok
    assert (await used(store, market))[168:176] == (0, 1, 1, 1, 1, 1, 1, 0)


async def test_without_a_posting_nothing_can_be_held(store: Store, market: str) -> None:
    await receive(store, market, "a")
    assert (await store.commit(market, [offered(record("a"), booking())])).status is Status.FULL


async def test_a_release_of_what_was_never_booked_is_an_error_and_changes_nothing(
    store: Store, market: str, raw: Redis, keys: Keys
) -> None:
    await receive(store, market, "a")
    before = await everything(raw, keys)
    unbooked = msgspec.structs.replace(offered(record("a"), booking()), book=(), unbook=(booking(),))
    with pytest.raises(BrokenLedger, match="cell 169"):
        await store.commit(market, [unbooked])
    assert await everything(raw, keys) == before


async def test_messages_are_in_their_streams_in_the_same_commit(
    store: Store, market: str, keys: Keys
) -> None:
    await receive(store, market, "a")
    await store.put_capacity(market, "v1", DAY, pools(1))
    await store.commit(market, [offered(record("a"), booking())])
    told = await store.read(keys.events)
    vendor_sees = await store.read(keys.stream("v1"))
    assert [event_id(each.event) for each in told] == ["a.1.0", "a.2.0"]
    assert [event_id(each.event) for each in vendor_sees] == ["a.2.1"]


async def test_index_timer_and_vendor_list_follow_the_record(store: Store, market: str) -> None:
    await receive(store, market, "a")
    await store.put_capacity(market, "v1", DAY, pools(1))
    offer = offered(record("a"), booking())
    await store.commit(market, [offer])
    assert await store.open_ids(market, 10) == []
    assert (await store.counts(market))[RequestState.OFFERED] == 1
    assert await store.offers(market, "v1") == ["a.1"]
    assert await store.next_due_ms(market) == offer.after.timer_ms
    await store.commit(market, [released(offer.after)])
    assert await store.offers(market, "v1") == []
    assert await store.open_ids(market, 10) == ["a"]


async def test_a_forgotten_request_leaves_nothing(store: Store, market: str, raw: Redis, keys: Keys) -> None:
    await receive(store, market, "a")
    await store.commit(market, [cancelled("a")])
    last = cancelled("a").after
    later = msgspec.structs.replace(last, version=last.version + 1)
    assert (await store.commit(market, [Decision(before=last, after=later, forget=True)])).ok
    assert [name for name in await everything(raw, keys) if name != keys.events.encode()] == []


def cancelled(request_id: str) -> Decision:
    after = moved(record(request_id), RequestState.CANCELLED)
    return Decision(before=record(request_id), after=after, messages=(changed(after),))


def event_id(raw_event: bytes) -> str:
    event: dict[str, str] = msgspec.msgpack.decode(raw_event)
    return event["id"]
