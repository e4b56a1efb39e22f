"""One script commits everything or nothing, and says which check failed."""

import asyncio

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.codes import RequestState
from dispatcher.store import ledger
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.script import BrokenLedger
from dispatcher.store.streams import Streams
from tests.store.conftest import everything
from tests.store.made import (
    DAY,
    PATIENT,
    booking,
    cancelled,
    forgotten,
    offered,
    pools,
    received,
    record,
    released,
    trip,
)

VANS = LedgerKey("v1", "vans", DAY.isoformat())


async def receive(market: MarketStore, *ids: str) -> None:
    outcome = await market.commit([received(each) for each in ids], requests=[trip(each) for each in ids])
    assert outcome.status is Status.OK


async def used(market: MarketStore) -> tuple[int, ...]:
    return ledger.unpack((await market.capacity.ledger([VANS]))[VANS].used)


async def test_a_received_request_is_stored_whole(market: MarketStore) -> None:
    await receive(market, "a")
    assert await market.requests.records.get("a") == record("a")
    assert await market.requests.body("a") == trip("a", patient=None)
    assert await market.requests.patient("a") == PATIENT
    assert await market.requests.open_ids(10) == ["a"]
    assert await market.requests.records.due(record("a").timer_ms, 10) == ["a"]


async def test_a_batch_is_stored_whole_or_not_at_all(market: MarketStore, raw: Redis, keys: Keys) -> None:
    await receive(market, "b7")
    before = await everything(raw, keys)
    ids = [f"b{number}" for number in range(10)]
    outcome = await market.commit([received(each) for each in ids], requests=[trip(each) for each in ids])
    assert (outcome.status, outcome.stale_id) == (Status.STALE, "b7")
    assert await everything(raw, keys) == before


async def test_a_commit_that_cannot_be_written_out_fails_alone_among_those_sent_with_it(
    market: MarketStore,
) -> None:
    ids = [f"b{number}" for number in range(6)]
    twice = [[received(each)] * (1 + (each == "b3")) for each in ids]  # a commit takes one change a record
    given = zip(ids, twice, strict=True)
    commits = [market.commit(decided, requests=[trip(each)]) for each, decided in given]
    told = await asyncio.gather(*commits, return_exceptions=True)
    assert isinstance(told[3], ValueError)
    assert await market.requests.open_ids(10) == [each for each in ids if each != "b3"]
    assert market.node.committer.waiting == 0
    await receive(market, "b3")


async def test_a_repeated_command_has_one_effect_and_the_same_answer(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    idempotency = IdempotencyRecord.of("platform", "key-1", b"body", answer=b"202 a")
    first = await market.commit([received("a")], requests=[trip("a")], idempotency=idempotency)
    before = await everything(raw, keys)
    again = await market.commit([received("a")], requests=[trip("a")], idempotency=idempotency)
    assert first.status is Status.OK
    assert (again.status, again.answer, again.ok) == (Status.DUPLICATE, b"202 a", True)
    assert await everything(raw, keys) == before
    assert await market.answered(idempotency) == again


async def test_a_command_id_with_another_body_is_refused(market: MarketStore) -> None:
    first, other = (IdempotencyRecord.of("platform", "key-1", body) for body in (b"body", b"another"))
    await market.commit([received("a")], requests=[trip("a")], idempotency=first)
    outcome = await market.commit([received("b")], requests=[trip("b")], idempotency=other)
    assert outcome.status is Status.REUSED
    assert await market.requests.records.get("b") is None


async def test_a_command_that_changed_nothing_is_remembered_and_its_repetition_changes_nothing(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    nothing, other = (
        IdempotencyRecord.of("platform", "key-1", body, b"200 a") for body in (b"body", b"another")
    )
    assert await market.answered(nothing) is None
    assert (await market.remember(nothing)).status is Status.OK
    before = await everything(raw, keys)
    again = await market.remember(nothing)
    assert (again.status, again.answer, again.ok) == (Status.DUPLICATE, b"200 a", True)
    reused = await market.remember(other)
    assert (reused.status, reused.ok) == (Status.REUSED, False)
    assert await everything(raw, keys) == before, "neither of them wrote"
    assert await market.answered(nothing) == again
    assert await market.answered(other) == reused
    assert 0 < await raw.pttl(keys.command(nothing.digest)) <= nothing.ttl_ms


async def test_a_remembered_command_has_no_effect_later_either(market: MarketStore) -> None:
    """It came when there was nothing to do; a late repetition must not find something to do after all."""
    command = IdempotencyRecord.of("platform", "key-1", b"body", answer=b"200 a")
    await market.remember(command)
    late = await market.commit([received("a")], requests=[trip("a")], idempotency=command)
    assert (late.status, late.answer) == (Status.DUPLICATE, b"200 a")
    assert await market.requests.records.get("a") is None


async def test_the_commit_of_an_old_matcher_is_refused(market: MarketStore) -> None:
    await receive(market, "a")
    await market.capacity.put("v1", DAY, pools(1))
    old = await market.lease.acquire("matcher-1", 60_000)
    assert await market.lease.release("matcher-1")
    new = await market.lease.acquire("matcher-2", 60_000)
    refused = await market.commit([offered(record("a"), booking())], fence=old)
    assert refused.status is Status.FENCED
    assert (await used(market))[0] == 0
    assert (await market.commit([offered(record("a"), booking())], fence=new)).ok


async def test_a_lease_ends_in_time_though_the_servers_clock_went_back(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    """It is kept as the instant of its end: an hour off, then, for an owner who died in that moment."""
    await market.lease.acquire("killed", 3_600_000)
    assert await market.lease.acquire("waits", 6_000) is None
    assert 0 < await raw.pttl(keys.lease) <= 6_000
    assert await market.lease.renew("killed", 5_000)
    assert await market.lease.acquire("waits", 6_000) is None
    assert await raw.pttl(keys.lease) <= 5_000  # never longer than its owner asked for


async def test_nobody_is_believed_to_live_for_longer_than_who_asks(market: MarketStore) -> None:
    """So long would a word last that was said before the server's clock went back."""
    await market.matchers.announce("killed", 3_600_000)
    async with asyncio.timeout(20):
        assert await market.matchers.announce("lives", 50) == {"killed", "lives"}
        while await market.matchers.announce("lives", 50) != {"lives"}:
            await asyncio.sleep(0.06)
    await market.matchers.leave("lives")


@pytest.mark.parametrize("forgotten", ["the last increment", "all of it"])
async def test_no_fence_comes_twice_though_a_fail_over_lost_it(
    market: MarketStore, raw: Redis, keys: Keys, forgotten: str
) -> None:
    await receive(market, "a")
    await market.capacity.put("v1", DAY, pools(1))
    await market.lease.acquire("matcher-0", 60_000)
    await market.lease.release("matcher-0")
    before = await raw.get(keys.fence)
    old = await market.lease.acquire("matcher-1", 60_000)
    await raw.delete(keys.lease, keys.fence)
    if forgotten == "the last increment":
        await raw.set(keys.fence, before)
    new = await market.lease.acquire("matcher-2", 60_000)
    assert forgotten == "all of it" or str(new).partition("-")[0] == str(old).partition("-")[0]
    refused = await market.commit([offered(record("a"), booking())], fence=old)
    assert refused.status is Status.FENCED
    assert (await market.commit([offered(record("a"), booking())], fence=new)).ok


async def test_a_matcher_whose_fence_is_of_the_form_before_may_finish(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await receive(market, "a")
    await market.capacity.put("v1", DAY, pools(1))
    await raw.set(keys.fence, 41)
    assert (await market.commit([offered(record("a"), booking())], fence="41")).ok


async def test_a_decision_on_an_old_record_is_stale_and_says_whose(market: MarketStore) -> None:
    await receive(market, "a", "b")
    first = await market.commit([cancelled(record("a"))])
    second = await market.commit([cancelled(record("b")), offered(record("a"))])
    assert first.ok
    assert (second.status, second.stale_id) == (Status.STALE, "a")
    assert await market.requests.records.get("b") == record("b")


async def test_a_hold_beyond_the_units_is_refused_and_names_the_bucket(market: MarketStore) -> None:
    await receive(market, "a", "b")
    await market.capacity.put("v1", DAY, pools(2))
    assert (await market.commit([offered(record("a"), booking(2, first=170))])).ok
    outcome = await market.commit([offered(record("b"), booking(1, first=166))])
    assert (outcome.status, outcome.bucket) == (Status.FULL, 170)
    assert outcome.booking == booking(1, first=166)
    assert await market.requests.records.get("b") == record("b")


async def test_a_hold_beyond_the_daily_cap_is_refused(market: MarketStore) -> None:
    await receive(market, "a", "b")
    await market.capacity.put("v1", DAY, pools(9, daily_cap=1))
    assert (await market.commit([offered(record("a"), booking(first=1))])).ok
    outcome = await market.commit([offered(record("b"), booking(first=200))])
    assert (outcome.status, outcome.bucket) == (Status.FULL, None)


async def test_the_tail_of_work_over_midnight_does_not_count_against_the_day(market: MarketStore) -> None:
    await receive(market, "a")
    await market.capacity.put("v1", DAY, pools(1, daily_cap=0))
    outcome = await market.commit([offered(record("a"), booking(first=0, count=2, daily=0))])
    assert outcome.ok
    assert (await used(market))[:4] == (0, 1, 1, 0)


async def test_two_holds_of_one_commit_add_up(market: MarketStore) -> None:
    await receive(market, "a")
    await market.capacity.put("v1", DAY, pools(2))
    outcome = await market.commit([offered(record("a"), booking(1), booking(2))])
    assert outcome.status is Status.FULL
    assert not any(await used(market))


async def test_work_moves_within_a_full_pool(market: MarketStore) -> None:
    await receive(market, "a", "b")
    await market.capacity.put("v1", DAY, pools(1))
    first = offered(record("a"), booking())
    await market.commit([first])
    outcome = await market.commit([offered(record("b"), booking()), released(first.after)])
    assert outcome.ok
    assert (await used(market))[168:176] == (0, 1, 1, 1, 1, 1, 1, 0)


async def test_without_a_posting_nothing_can_be_held(market: MarketStore) -> None:
    await receive(market, "a")
    assert (await market.commit([offered(record("a"), booking())])).status is Status.FULL


async def test_a_release_of_what_was_never_booked_is_an_error_and_changes_nothing(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await receive(market, "a")
    before = await everything(raw, keys)
    unbooked = msgspec.structs.replace(offered(record("a"), booking()), book=(), unbook=(booking(),))
    with pytest.raises(BrokenLedger, match="cell 169"):
        await market.commit([unbooked])
    assert await everything(raw, keys) == before


async def test_messages_are_in_their_streams_in_the_same_commit(
    market: MarketStore, keys: Keys, streams: Streams
) -> None:
    await receive(market, "a")
    await market.capacity.put("v1", DAY, pools(1))
    await market.commit([offered(record("a"), booking())])
    told = await streams.read(keys.events)
    vendor_sees = await streams.read(keys.stream("v1"))
    assert [event_id(each.event) for each in told] == ["a.1.0", "a.2.0"]
    assert [event_id(each.event) for each in vendor_sees] == ["a.2.1"]


async def test_index_timer_and_vendor_list_follow_the_record(market: MarketStore) -> None:
    await receive(market, "a")
    await market.capacity.put("v1", DAY, pools(1))
    offer = offered(record("a"), booking())
    await market.commit([offer])
    assert await market.requests.open_ids(10) == []
    assert (await market.requests.counts())[RequestState.OFFERED] == 1
    assert await market.requests.offer_ids("v1") == ["a.1"]
    assert await market.requests.records.next_due_ms() == offer.after.timer_ms
    await market.commit([released(offer.after)])
    assert await market.requests.offer_ids("v1") == []
    assert await market.requests.open_ids(10) == ["a"]


async def test_a_forgotten_request_leaves_nothing(market: MarketStore, raw: Redis, keys: Keys) -> None:
    await receive(market, "a")
    over = cancelled(record("a"))
    await market.commit([over])
    assert (await market.commit([forgotten(over.after)])).ok
    assert [name for name in await everything(raw, keys) if name != keys.events.encode()] == []


def event_id(raw_event: bytes) -> str:
    event: dict[str, str] = msgspec.msgpack.decode(raw_event)
    return event["id"]
