"""Lost, cut and repeated answers: each command has one effect, and every caller learns the truth."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError

from contracts.instants import to_instant
from dispatcher.domain.quarters import What
from dispatcher.domain.refusals import Unavailable
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store import ledger, tail
from dispatcher.store.commit_connection import CommitConnection, Job
from dispatcher.store.committer import Committer
from dispatcher.store.connection import NoGroup, Reader, is_retryable, server_words
from dispatcher.store.events import Entry
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.market import MarketStore
from dispatcher.store.once import Once
from dispatcher.store.outcome import UNKNOWN, Status
from dispatcher.store.pipe import Pipe
from dispatcher.store.program import Deferred
from dispatcher.store.replicated import ReplicatedConnection
from dispatcher.store.sign_ins import SignIns
from dispatcher.store.store import Store
from dispatcher.store.streams import Streams
from tests.proxy import Proxy
from tests.store.conftest import RING
from tests.store.made import DAY, NOW_MS, booking, offered, pools, received, record, released, trip

VANS = LedgerKey("v1", "vans", DAY.isoformat())


@pytest.fixture
async def proxy(server: EmbeddedRedis) -> AsyncIterator[Proxy]:
    async with Proxy(server.socket) as between:
        yield between


@pytest.fixture
async def far(proxy: Proxy, market: MarketStore) -> AsyncIterator[MarketStore]:
    """The same market behind the proxy, its one connection for commits made."""
    async with Store(proxy.url, RING, connections=1) as opened:
        await submit(opened.market("warm"), "x")
        yield opened.market(market.name)


async def booked(market: MarketStore) -> int:
    return ledger.unpack((await market.capacity.ledger([VANS]))[VANS].used)[0]


async def submit(market: MarketStore, request_id: str, command: IdempotencyRecord | None = None) -> Status:
    outcome = await market.commit([received(request_id)], requests=[trip(request_id)], idempotency=command)
    return outcome.status


async def test_a_lost_answer_to_a_command_is_asked_for_again_and_has_one_effect(
    far: MarketStore, proxy: Proxy, keys: Keys, streams: Streams
) -> None:
    proxy.losing = 1
    status = await submit(far, "a", IdempotencyRecord.of("platform", "key", b"body", answer=b"kept"))
    assert (status, proxy.faults) == (Status.DUPLICATE, 1)
    assert len(await streams.read(keys.events)) == 1


async def test_a_lost_answer_without_a_command_id_is_settled_by_what_is_stored(
    far: MarketStore, market: MarketStore, proxy: Proxy, keys: Keys, streams: Streams
) -> None:
    await market.capacity.put("v1", DAY, pools(3))
    await submit(far, "a")
    proxy.losing = 1
    offer = offered(record("a"), booking())
    assert (await far.commit([offer])).status is Status.OK
    proxy.losing = 1
    assert (await far.commit([released(offer.after)])).status is Status.OK
    assert proxy.faults == 2
    assert await booked(market) == 0
    assert len(await streams.read(keys.events)) == 3


async def test_a_reply_is_put_aside_once_though_the_answer_is_lost(
    far: MarketStore, market: MarketStore, proxy: Proxy
) -> None:
    proxy.losing = 1
    await far.dead_letters.bury(Entry(far.keys.shared_replies, "1-1", b""), "g", "a test")
    assert (proxy.faults, await market.dead_letters.count()) == (1, 1)


class Forgetful(Reader):
    """The answer of the next command of a name is lost."""

    losing: str | bytes = ""

    async def _send_to(self, *given: Any, **named: Any) -> list[Any]:
        answers, name = await super()._send_to(*given, **named), given[1][0][0]
        if name == self.losing:
            self.losing = ""
            raise Disconnected("its answer was lost")
        return answers


async def test_what_may_happen_once_is_not_lost_with_an_answer(server: EmbeddedRedis, raw: Redis) -> None:
    """Else a link or a code that signs in is used up, and nobody is signed in."""
    reader, another = Forgetful(raw), SignIns(Reader(raw))
    for lost in ("GET", b"SET", "DEL"):
        await another.keep(f"code {lost!r}", b"worth", 60)
        reader.losing = lost
        assert await SignIns(reader).take(f"code {lost!r}") == b"worth"
        assert reader.losing == ""
        assert await another.take(f"code {lost!r}") is None
    reader.losing = b"SET"
    assert await Once(reader).first("said amid faults", 60)
    assert not await Once(reader).first("said amid faults", 60)
    assert not await Once(Reader(raw)).first("said amid faults", 60)


async def test_a_connection_cut_within_a_question_has_one_effect(
    far: MarketStore, proxy: Proxy, keys: Keys, streams: Streams
) -> None:
    for number, length in enumerate((0, 1, 200, 900)):
        proxy.cutting_after = length
        assert await submit(far, f"r{number}") is Status.OK
    assert proxy.faults == 4
    assert len(await streams.read(keys.events)) == 4


async def test_a_repeated_answer_is_never_taken_for_the_answer_to_the_next_question(
    far: MarketStore, proxy: Proxy, keys: Keys, streams: Streams
) -> None:
    await submit(far, "taken")
    for number in range(8):
        proxy.repeating = 1
        assert await submit(far, f"r{number}") is Status.OK
        other = received("taken", match_by_ms=number)
        outcome = await far.commit([other], requests=[trip("taken")])
        assert outcome.status is Status.STALE
    assert proxy.faults == 8
    assert len(await streams.read(keys.events)) == 9


async def test_two_hundred_commits_under_a_storm_of_cuts_have_one_effect_each(
    far: MarketStore, market: MarketStore, proxy: Proxy, keys: Keys, streams: Streams
) -> None:
    async def cuts() -> None:
        for _ in range(10):
            await asyncio.sleep(0.01)
            proxy.cut()

    commits = [submit(far, f"r{number}") for number in range(200)]
    statuses, _ = await asyncio.gather(asyncio.gather(*commits), cuts())
    assert set(statuses) == {Status.OK}
    assert len(await streams.read(keys.events, count=1000)) == 200


async def test_a_caller_that_leaves_does_not_take_its_write_back(far: MarketStore) -> None:
    task = asyncio.create_task(submit(far, "a"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await submit(far, "b") is Status.OK
    assert await far.requests.records.get("a") == record("a")


async def test_commits_go_on_after_a_fault_of_ours_and_who_waited_is_told(
    market: MarketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.timeout(20):
        with monkeypatch.context() as patched:
            patched.setattr(CommitConnection, "exchange", leaves_all)
            patched.setattr(Committer, "_put_back", no_memory)
            failed = await asyncio.gather(*(submit(market, each) for each in "abc"), return_exceptions=True)
        assert [type(each) for each in failed] == [MemoryError] * 3
        with monkeypatch.context() as patched:
            patched.setattr(Deferred, "write_out", ends)
            with pytest.raises(RuntimeError):
                await submit(market, "d")
        assert await asyncio.gather(*(submit(market, each) for each in "def")) == [Status.OK] * 3
    committer = market.node.committer
    assert isinstance(committer, Committer)
    assert (committer.waiting, committer._load) == (0, 0)


async def leaves_all(_: object, batch: list[Job]) -> list[Job]:
    return batch


def no_memory(*_: object) -> None:
    raise MemoryError


def ends(*_: object) -> None:
    raise StopIteration


@pytest.mark.parametrize("replicas", [0, 1])
async def test_what_was_sent_when_all_ends_is_unknown_and_never_told_as_not_sent(
    server: EmbeddedRedis, market: MarketStore, monkeypatch: pytest.MonkeyPatch, replicas: int
) -> None:
    """Who is told that it was not sent takes what is stored for another's."""
    reached = asyncio.Event()

    async def no_answer(*_: object) -> int:
        reached.set()
        return await asyncio.Event().wait()

    async with Store(server.url, RING, timeout_s=0.05, connections=1, replicas=replicas) as ends_soon:
        one = ends_soon.market(market.name)
        if replicas:
            monkeypatch.setattr(ReplicatedConnection, "_has_replicas", no_answer)
        else:
            monkeypatch.setattr(Pipe, "ask", answers_no_commit(Pipe.ask, no_answer))
        asked = asyncio.create_task(submit(one, "a"))
        await reached.wait()
    with pytest.raises(Unavailable) as refusal:
        await asked
    assert refusal.value.facts["outcome"] == UNKNOWN


def answers_no_commit(ask: Any, no_answer: Any) -> Any:
    async def asked(pipe: Pipe, commands: Any, heard: Any = None) -> Any:
        return await (ask(pipe, commands, heard) if heard is None else no_answer())

    return asked


async def test_a_full_queue_refuses_before_anything_is_sent(
    server: EmbeddedRedis, market: MarketStore
) -> None:
    async with Store(server.url, RING, queue_limit=2) as small:
        one = small.market(market.name)
        results = await asyncio.gather(
            *(submit(one, f"r{number}") for number in range(5)), return_exceptions=True
        )
    refused = [number for number, result in enumerate(results) if isinstance(result, Unavailable)]
    assert refused == [2, 3, 4]
    assert all(result.facts["retry_after_s"] > 0 for result in results if isinstance(result, Unavailable))
    stored = await market.requests.records.get_all([f"r{number}" for number in range(5)])
    assert sorted(stored) == ["r0", "r1"]


async def test_a_large_batch_counts_for_as_much_as_it_asks(
    server: EmbeddedRedis, market: MarketStore
) -> None:
    batch = [f"b{number}" for number in range(50)]
    async with Store(server.url, RING, queue_limit=50) as small:
        one = small.market(market.name)
        large = one.commit([received(each) for each in batch], requests=[trip(each) for each in batch])
        results = await asyncio.gather(large, submit(one, "one"), return_exceptions=True)
        assert isinstance(results[1], Unavailable)
        assert await submit(one, "one") is Status.OK


async def test_a_server_out_of_reach_is_told_after_a_timeout_and_nothing_hangs(
    proxy: Proxy, market: MarketStore
) -> None:
    proxy.refusing = True
    async with Store(proxy.url, RING, timeout_s=0.2) as lost:
        with pytest.raises(Unavailable) as refusal:
            await submit(lost.market(market.name), "a")
        assert refusal.value.facts == {"retry_after_s": 1, "outcome": "not sent"}
        with pytest.raises(Unavailable):
            await lost.market(market.name).requests.records.get("a")
        assert not (await lost.health()).durable


async def test_the_store_comes_back_by_itself_when_the_server_does(proxy: Proxy, market: MarketStore) -> None:
    proxy.refusing = True
    async with Store(proxy.url, RING, timeout_s=10) as patient:
        task = asyncio.create_task(submit(patient.market(market.name), "a"))
        await asyncio.sleep(0.1)
        proxy.refusing = False
        assert await task is Status.OK


async def test_a_subscription_whose_link_died_without_a_word_is_made_anew(
    proxy: Proxy, far: MarketStore, raw: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "SILENT_S", 0.1)
    monkeypatch.setattr(tail, "SOCKET_TIMEOUT_S", 0.2)
    async with far.wake() as wake:
        proxy.forget()
        async with asyncio.timeout(20):
            while not await wake.wait(0.05):
                assert await raw.publish(far.keys.wake, "r1")


async def test_a_server_that_forgot_its_scripts_is_taught_again(raw: Redis, market: MarketStore) -> None:
    assert await submit(market, "a") is Status.OK
    await raw.script_flush()
    assert await submit(market, "b") is Status.OK
    assert await market.lease.acquire("m", 1_000)


async def test_a_server_that_takes_no_writes_is_waited_for_like_one_that_is_away(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as store:
        await store.reader.ask("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(Unavailable, match="read only replica\\.\nMaybe"):
            await store.streams.ensure_group("stream", "group")
        assert any("replica" in each for each in (await store.health()).problems)
        await store.reader.ask("REPLICAOF", "NO", "ONE")
        await store.streams.ensure_group("stream", "group")


async def test_a_server_without_room_is_not_healthy(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as store:
        await store.reader.ask("CONFIG", "SET", "maxmemory", "100000")
        (problem,) = (await store.health()).problems
        assert problem.startswith("its memory is full")
        with pytest.raises(Unavailable, match="not durable: its memory is full"):
            await store.refuse_unless_durable("metro")
        market, counts = store.market("metro"), {(DAY.isoformat(), "others"): {"v1": 1}}
        market.losses.note(counts)
        market.quarters.note([offered(record("a"), booking())])
        for write in (market.losses.write, partial(market.quarters.write, 60_000)):
            with pytest.raises(Unavailable, match="takes no writes"):
                await write()
        assert not store.aside.known("metro")  # nothing is wrong with what it counts on
        await store.reader.ask("CONFIG", "SET", "maxmemory", "0")
        await market.losses.write()
        await market.quarters.write(60_000)
        assert await market.losses.of("v1", [DAY]) == {"others": 1}
        found = await market.quarters.of([to_instant(NOW_MS).date()])
        assert [count for cell, count in found.items() if cell.what is What.OFFERED] == [1]


async def test_a_wrong_password_is_told_at_once(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as known:
        await known.reader.ask("CONFIG", "SET", "requirepass", "secret")
        async with Store(server.url, RING) as stranger:
            (problem,) = (await stranger.health()).problems
            assert problem == "the store refuses the name or password of DISPATCHER_REDIS_URL."
        await known.reader.ask("CONFIG", "SET", "requirepass", "")


async def test_what_the_server_says_is_understood_when_several_commands_were_sent(
    store: Store, keys: Keys
) -> None:
    one, several = (
        [("XACK", keys.shared_replies, "g", "1-0")],
        [("PING",), ("XREADGROUP", "GROUP", "g", "c", "STREAMS", keys.shared_replies, ">")],
    )
    assert await store.reader.ask_all(one) == [0]
    with pytest.raises(NoGroup):
        await store.reader.ask_all(several)
    error = ResponseError("Command # 2 (XADD s * of pipeline) of pipeline caused error: ('MISCONF Errors',)")
    assert is_retryable(error)
    assert server_words(error) == "MISCONF Errors"
