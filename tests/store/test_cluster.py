"""On a cluster: markets lie on its servers, move between them, and outlive one that dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from client.streams import VendorStream
from contracts.events import CloudEvent
from contracts.streams import FIELD
from dispatcher import cli
from dispatcher.audit.auditor import audit
from dispatcher.cli.audit import LOST
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.errors import UserError
from dispatcher.security import key_files
from dispatcher.serve.backup import back_up, restore
from dispatcher.serve.backup_source import reader_of
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.supervisor import ServeError, looked_at
from dispatcher.settings import Settings
from dispatcher.store import health
from dispatcher.store.cluster import Cluster
from dispatcher.store.connection import BadUrl
from dispatcher.store.copying import copy
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program
from dispatcher.store.routed_reader import key_of
from dispatcher.store.store import Store
from dispatcher.store.topology import Topology
from dispatcher.store.vendor_access import apply_to_all
from tests.store.cluster import NODE_TIMEOUT_MS, SLOTS, LocalCluster, free_ports, local_cluster
from tests.store.conftest import RING
from tests.store.made import DAY, NOW_MS, booking, offered, pools, received, trip, vendor
from tests.store.work import Writers

pytestmark = pytest.mark.asyncio(loop_scope="module")
AT = datetime(2026, 11, 29, tzinfo=UTC)
HANGS = 2  # the primary that hangs in the last but one
AWAY = 1  # the primary that dies in the last test
COVERAGE, LONG_MS = "cluster-require-full-coverage", 600_000
LOST_LATER = range(100, 105)  # of the requests then: acknowledged while its replica was cut off


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCluster]:
    """Three primaries with a replica each, set as `deploy` has it; none of them fails over unasked."""
    async with local_cluster(Path(tmp_path_factory.mktemp("c"))) as made:
        await made.configure(COVERAGE, "no")
        await made.configure("cluster-node-timeout", LONG_MS)
        yield made


@contextlib.asynccontextmanager
async def failing_over(cluster: LocalCluster) -> AsyncIterator[None]:
    """Meanwhile a primary that is silent for a moment is taken for dead, as one is on a busy machine."""
    await cluster.configure("cluster-node-timeout", NODE_TIMEOUT_MS)
    try:
        yield
    finally:
        await cluster.configure("cluster-node-timeout", LONG_MS)


@pytest_asyncio.fixture(loop_scope="module")
async def store(cluster: LocalCluster) -> AsyncIterator[Store]:
    async with Store(cluster.url, RING) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def patient(cluster: LocalCluster) -> AsyncIterator[Store]:
    """Waits a minute for its answer: a busy machine is slow to move keys and to promote a replica."""
    async with Store(cluster.url, RING, timeout_s=60.0) as opened:
        yield opened


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is slow to say that all is well."""
    for name in ("SILENCE_S", "PATIENCE_S"):
        monkeypatch.setattr(health, name, 60.0)


async def market_on(cluster: LocalCluster, store: Store, place: int, prefix: str) -> MarketStore:
    """A market that nobody has used, on that primary."""
    for number in range(1_000):
        name = f"{prefix}{number}"
        if await cluster.owner(Keys(name).events) == place:
            return store.market(name)
    raise LookupError(place)


async def test_every_part_of_the_store_works_on_each_server(cluster: LocalCluster, store: Store) -> None:
    for place in range(cluster.primaries):
        market = await market_on(cluster, store, place, "part")
        keys = market.keys
        await market.vendors.put(vendor(), 0)
        await market.capacity.put("v1", DAY, pools(2))
        assert (await market.lease.acquire("matcher", 10_000) or "").startswith("1-")
        writers = Writers(market, seed=3)
        await writers.run(4, "w", 6)
        await store.streams.ensure_group(keys.events, "g")
        entries = await store.streams.read_group(keys.events, "g", "c")
        await market.dead_letters.bury(entries[0], "g", "a test")
        assert len((await market.requests.page(None, None, 200)).records) == len(writers.acknowledged)
        assert await market.requests.records.due(NOW_MS * 2, 10)
        assert list(await market.vendors.get_all()) == ["v1"]
        about = [await store.reader.ask_at(keys.events, "INFO", "server")]
        about += (await store.reader.ask_all([("INFO", "server"), ("GET", keys.fence)]))[:1]
        assert [each["tcp_port"] for each in about] == [cluster.servers[place].port] * 2, "its own server's"
        await market.retention.trim_streams()
        await market.retention.forget_days(DAY + timedelta(days=1))
        report = await audit(store.reader, market.name, writers.acknowledged, streams=True, settle_s=0.1)
        assert report["findings"] == []
    assert await store.once.first("said", 60)
    assert not await store.once.first("said", 60)
    assert (await store.health()).reasons == ()
    assert await looked_at(cluster.url, ["part0"]) == await looked_at(cluster.url)


async def test_a_market_that_moves_is_written_read_followed_and_woken_where_it_is(
    cluster: LocalCluster, store: Store, patient: Store
) -> None:
    market = await market_on(cluster, store, 0, "moves")
    await market.vendors.put(vendor(), 0)
    await market.capacity.put("v1", DAY, pools(2))
    async with store.tail(wait_s=0.2) as tail, market.wake() as wake:
        assert await tail.read({market.keys.events: "0"}) == []
        writers = Writers(patient.market(market.name), seed=5)
        writing = asyncio.create_task(writers.run(4, "w"))
        for place in (1, 2, 0):
            await asyncio.sleep(0.1)
            await cluster.move(market.keys.events, place)
        await asyncio.sleep(0.1)
        writers.stopping = True
        await writing
        assert "unavailable" not in writers.tally, "who is sent elsewhere goes there"
        assert writers.acknowledged
        heard: set[str] = set()
        after = {market.keys.events: "0"}
        while len(entries := await tail.read(after)) or not heard:
            after = {market.keys.events: entries[-1].id} if entries else after
            heard |= {each.id for each in entries}
        await market.commit([received("late")], requests=[trip("late")])
        while not (hint := await wake.wait(1.0)).look and "late" not in hint.ids:
            pass
    span = await store.streams.span(market.keys.events)
    assert max(heard, key=lambda each: tuple(map(int, each.split("-")))) < span.last
    report = await audit(store.reader, market.name, writers.acknowledged, streams=True, settle_s=0.1)
    assert report["findings"] == []


async def test_a_market_that_moves_key_by_key_is_read_and_its_commits_wait_and_are_whole(
    cluster: LocalCluster, store: Store, patient: Store
) -> None:
    market = await market_on(cluster, store, 0, "keys")
    key = market.keys.events
    await market.vendors.put(vendor(), 0)
    await market.capacity.put("v1", DAY, pools(2))
    writers = Writers(patient.market(market.name), seed=7)
    await writers.run(2, "before", 10)
    ids = sorted(writers.acknowledged)
    writing = asyncio.create_task(writers.run(4, "w"))
    keys = await cluster.begin_moving(key, 1)
    await cluster.move_keys(keys[::2], 0, 1)
    for each in ids:
        assert await market.requests.records.get(each), "half of them are here, half are there"
    assert len(await market.requests.records.get_all(ids)) == len(ids)
    assert await store.streams.read_all({key: "0", market.keys.stream("none"): "0"})
    with pytest.raises(Unavailable, match="rehashing"):
        async with Store(cluster.url, RING, timeout_s=0.2) as hasty:
            await hasty.market(market.name).commit([received("split")], requests=[trip("split")])
    assert await market.requests.records.get("split") is None
    await cluster.end_moving(key, 0, 1)
    count = len(writers.acknowledged)
    while len(writers.acknowledged) < count + 20 and not writing.done():
        await asyncio.sleep(0.01)
    writers.stopping = True
    await writing
    assert await cluster.owner(key) == 1
    assert "unavailable" not in writers.tally, "whoever waits long enough notices nothing"
    report = await audit(store.reader, market.name, writers.acknowledged, streams=True, settle_s=0.1)
    assert report["findings"] == []


async def test_while_all_keys_are_there_and_the_slot_is_not_yet_work_goes_on_there(
    cluster: LocalCluster, store: Store
) -> None:
    """As far as it has no new key: for those nobody is let in before the slot is whole."""
    market = await market_on(cluster, store, 0, "asked")
    keys, fence = market.keys, await market.lease.acquire("matcher", 60_000) or ""
    await market.vendors.put(vendor(), 0)
    await cluster.move_keys(await cluster.begin_moving(keys.events, 1), 0, 1)

    def program(token: str, vendor_id: str) -> Program:
        made = Program()
        made.fence(keys.fence, token)
        made.write(keys.vendors, "SADD", vendor_id)
        return made

    assert (await store.committer.commit(program(fence, "v2"))).ok
    assert (await store.committer.commit(program("another", "v3"))).status is Status.FENCED
    async with Store(cluster.url, RING, replicas=1) as careful:
        assert (await careful.committer.commit(program(fence, "v4"))).ok
    assert await market.lease.renew("matcher", 60_000)
    await cluster.end_moving(keys.events, 0, 1)
    assert await store.reader.ask("SMEMBERS", keys.vendors) == {b"v1", b"v2", b"v4"}


async def test_what_no_replica_has_is_not_told_as_done_where_that_is_set(
    cluster: LocalCluster, store: Store
) -> None:
    place, replica = 0, cluster.primaries
    name = (await market_on(cluster, store, place, "waits")).name
    command = IdempotencyRecord.of("platform", "r1", b"body")
    async with Store(cluster.url, RING, replicas=1, timeout_s=0.1) as careful:
        market = careful.market(name)
        await market.commit([received("r0")], requests=[trip("r0")])
        await cluster.cut_off(replica)
        try:
            for _ in range(2):  # asked again it writes nothing, and proves as little
                with pytest.raises(Unavailable, match="0 of 1 replicas") as refused:
                    await market.commit([received("r1")], requests=[trip("r1")], idempotency=command)
                assert refused.value.facts["outcome"] == "unknown"
            assert "0 replicas" in (await careful.health()).problems[0]
            await cluster.ask(place, "CONFIG", "SET", "min-replicas-to-write", 1)
            assert "takes no writes" in (await store.health()).problems[0]
        finally:
            await cluster.ask(place, "CONFIG", "SET", "min-replicas-to-write", 0)
            await cluster.let_in(replica)
        again = await market.commit([received("r1")], requests=[trip("r1")], idempotency=command)
        assert again.status.value == "duplicate"
        assert (await careful.health()).reasons == ()


async def test_a_replica_that_is_connected_and_says_nothing_is_none_to_wait_for(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(cluster.url, RING, replicas=1) as careful:
        assert (await careful.health()).reasons == ()
        monkeypatch.setattr(health, "LAG_S", -1)  # none speaks so often: each is as one that hangs
        told = (await careful.health()).problems
    assert len(told) == cluster.primaries
    assert all(
        "it has 0 replicas that keep up, of 1, and DISPATCHER_WAIT_REPLICAS is 1" in each for each in told
    )


async def test_one_server_that_is_not_durable_is_named_and_stops_its_own_markets_alone(
    cluster: LocalCluster, store: Store
) -> None:
    well, unwell = [await market_on(cluster, store, place, "ill") for place in (0, 2)]
    await cluster.ask(2, "CONFIG", "SET", "appendfsync", "everysec")
    try:
        named = f"127.0.0.1:{cluster.servers[2].port}: appendfsync is everysec, it must be always"
        assert (await store.health()).problems == (named,)
        await store.refuse_unless_durable(well.name)
        found = await store.health()
        assert (found.durable, found.ready, found.served) == (False, True, (well.name,))
        with pytest.raises(Unavailable, match="appendfsync is everysec"):
            await store.refuse_unless_durable(unwell.name)
    finally:
        await cluster.ask(2, "CONFIG", "SET", "appendfsync", "always")


async def test_each_primary_is_backed_up_by_itself_and_restored_where_its_slots_are(
    cluster: LocalCluster, store: Store, tmp_path: Path
) -> None:
    """One of them has the store's name, and only that one."""
    assert (await store.health()).ready  # it has its name by then
    made: dict[str, list[int]] = {"store": [], "one": []}
    for place in range(3):
        market = await market_on(cluster, store, place, "kept")
        assert (await market.commit([received(f"k{place}")], requests=[trip(f"k{place}")])).ok
        at = Settings(redis_url=cluster.servers[place].url, data_dir=tmp_path)
        about = await back_up(at, tmp_path / f"{place}.tar", with_keys=False, with_decisions=False)
        made[about.called.partition(" ")[0]].append(place)
        if made["one"] == [place]:  # the first of those without the name
            folder = Settings(data_dir=tmp_path / f"{place}")
            await restore(folder, tmp_path / f"{place}.tar", replace=False, with_keys=False)
            async with EmbeddedRedis(folder.data_dir) as alone, Store(alone.url, RING) as again:
                assert await again.market(market.name).requests.records.get(f"k{place}")
                async with reader_of(cluster.servers[(place + 1) % 3].url) as elsewhere:
                    with pytest.raises(UserError, match="others have the slots"):
                        await copy(again.reader, elsewhere)
    assert [len(each) for each in made.values()] == [1, 2]


async def test_a_vendor_on_streams_has_its_user_everywhere_and_follows_its_stream(
    cluster: LocalCluster, store: Store
) -> None:
    """Its slot moves key by key, then whole; a server that it was told of is not there."""
    market = await market_on(cluster, store, 0, "vendor")
    await market.vendors.put(vendor(), 0)
    kept, away = await apply_to_all(store.servers, market.name, "v1", "secret")
    assert (kept, list(away)) == (False, [])
    nowhere, names = free_ports(1)[0], cluster.url.partition("://")[2]
    url = f"redis+cluster://{market.name}.v1:secret@127.0.0.1:{nowhere},{names}"
    heard: list[str] = []
    async with VendorStream(url, market.name, "v1", "token") as stream, asyncio.timeout(60):
        answering = asyncio.create_task(_answers(stream, heard))
        for number in range(4):
            if number == 1:
                await cluster.begin_moving(market.keys.events, 1)
                await cluster.end_moving(market.keys.events, 0, 1)
            elif number == 2:
                await cluster.move(market.keys.events, 2)
            event = CloudEvent(id=f"o{number}", source="s", type="dispatch.offer.made", time=AT)
            content = msgspec.msgpack.encode(msgspec.to_builtins(event))
            await store.reader.ask("XADD", market.keys.stream("v1"), "*", FIELD, content)
            while len(heard) <= number and not answering.done():
                await asyncio.sleep(0.01)
        answering.cancel()
    assert heard == [f"o{number}" for number in range(4)]
    assert await store.reader.ask("XLEN", market.keys.replies("v1")) == 4


async def _answers(stream: VendorStream, heard: list[str]) -> None:
    async for entry in stream.entries():
        assert entry.event is not None
        await stream.accept(entry.event.id, AT)
        await stream.acknowledge(entry)
        heard.append(entry.event.id)


async def test_addresses_that_name_another_kind_of_store_are_refused(
    cluster: LocalCluster, store: Store
) -> None:
    plain = f"redis://127.0.0.1:{cluster.servers[0].port}"
    async with Store(plain, RING) as single:
        assert (await single.health()).problems == (health.CLUSTER,)
    with pytest.raises(ServeError, match="is a node of a cluster"):
        await looked_at(plain)


async def test_who_is_cut_off_or_was_reset_is_outvoted(cluster: LocalCluster, tmp_path: Path) -> None:
    alone = EmbeddedRedis(tmp_path, port=free_ports(1)[0], settings={"cluster-enabled": "yes"})
    hosts = cluster.url.partition("://")[2]
    topology = Topology(f"redis+cluster://127.0.0.1:{alone.port},{hosts}")
    ours = sorted(each.port for each in cluster.servers[: cluster.primaries])
    await alone.start()
    client = Redis(host="127.0.0.1", port=alone.port)
    try:
        assert [each.port for each in await topology.primaries()] == ours, "it was reset: it has no slot"
        await client.execute_command(b"CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)  # type: ignore[no-untyped-call]
        await topology.refresh(topology.age)
        assert [each.port for each in await topology.primaries()] == ours, "it says that it has them all"
    finally:
        await client.aclose()
        alone.kill()
        await alone.stop()


async def test_a_wrong_password_is_told_as_such(cluster: LocalCluster) -> None:
    async with Store(cluster.url.replace("://", "://nobody:wrong@"), RING) as store:
        assert "refuses the name or password" in (await store.health()).problems[0]
        with pytest.raises(UserError, match="refuses the name or password"):
            await audit(store.reader, "metro", ["r1"], streams=True, settle_s=0.1)


async def test_a_market_whose_server_hangs_goes_on_at_its_replica(
    cluster: LocalCluster, patient: Store
) -> None:
    """A hanging server closes no connection: who waits looks whether another has its slots by now.

    Where one server's trouble is everybody's, the others' markets wait for the promotion, too.
    """
    await cluster.configure(COVERAGE, "yes")
    market, other = [await market_on(cluster, patient, place, "hangs") for place in (HANGS, 0)]
    assert (await market.commit([received("before")], requests=[trip("before")])).ok
    servers = patient.servers
    assert isinstance(servers, Cluster)
    servers.reader.topology.client = partial(servers.topology.client, timeout_s=600.0)  # type: ignore[method-assign]
    assert await market.requests.records.get("before")
    await cluster.catch_up(HANGS + cluster.primaries)
    async with failing_over(cluster):
        os.kill(cluster.servers[HANGS].pid or 0, signal.SIGSTOP)
        try:
            assert await market.requests.records.get("before"), "its replica has it"
            assert (await market.commit([received("after")], requests=[trip("after")])).ok
            assert (await other.commit([received("r1")], requests=[trip("r1")])).ok
        finally:
            os.kill(cluster.servers[HANGS].pid or 0, signal.SIGCONT)
        await cluster.until(lambda told: "cluster_state:ok" in told, "CLUSTER", "INFO")
    await cluster.configure(COVERAGE, "no")
    report = await audit(patient.reader, market.name, ["before", "after"], streams=True, settle_s=0.1)
    assert report["findings"] == []


async def test_a_market_whose_server_dies_goes_on_at_its_replica(cluster: LocalCluster, store: Store) -> None:
    """The last: the cluster has a server less then."""
    market, other = [await market_on(cluster, store, place, "dies") for place in (AWAY, 0)]
    told: list[str] = []
    await market.vendors.put(vendor(), 0)
    await market.capacity.put("v1", DAY, pools(2))

    async def submit(number: int) -> None:
        name = f"r{number}"
        command = IdempotencyRecord.of("platform", name, b"body")
        while True:
            try:
                outcome = await market.commit([received(name)], requests=[trip(name)], idempotency=command)
            except Unavailable:
                continue  # as a platform: the same again
            assert outcome.ok or outcome.status.value == "duplicate"
            return told.append(name)

    async def offer(number: int) -> bool:
        record = await market.requests.records.get(f"r{number}")
        assert record is not None
        return (await market.commit([offered(record, booking())])).ok

    await asyncio.gather(*(submit(each) for each in range(20)))
    await cluster.cut_off(AWAY + cluster.primaries)
    assert [await offer(each) for each in range(3)] == [True, True, False], "nobody has room for a third"
    await asyncio.gather(*(submit(each) for each in LOST_LATER))
    async with failing_over(cluster):
        cluster.servers[AWAY].kill()
        going_on = asyncio.gather(*(submit(each) for each in range(20, 40)))
        assert (await other.commit([received("r1")], requests=[trip("r1")])).ok, "it waits for nobody"
        await going_on
    report = await audit(store.reader, market.name, told, streams=True, settle_s=0.1)
    assert [each for each in report["findings"] if each["rule"] != LOST] == []
    lost = {each["subject"] for each in report["findings"]}
    assert lost == {f"r{each}" for each in LOST_LATER}, "what its replica had not yet is named"
    assert {each.id for each in (await market.requests.page(None, None, 200)).records} == set(told) - lost
    await asyncio.gather(*(submit(each) for each in LOST_LATER))
    assert [await offer(each) for each in range(3, 6)] == [True, True, False], "the same room, once"
    report = await audit(store.reader, market.name, told, streams=True, settle_s=0.1)
    assert report["findings"] == []
    assert (await store.health()).durable


async def test_while_a_shard_is_away_the_other_markets_are_judged_and_it_is_named(
    cluster: LocalCluster,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its primary died in the test before."""
    there, away = [await market_on(cluster, store, place, "shard") for place in (0, AWAY + cluster.primaries)]
    assert (await there.commit([received("r1")], requests=[trip("r1")])).ok
    cluster.servers[AWAY + cluster.primaries].kill()
    (tmp_path / "ids").write_text("r1 r2\n")
    key_files.ensure_patient_keys(tmp_path / "patient-keys.json")
    monkeypatch.setenv("DISPATCHER_MARKETS", f"{away.name}=UTC,{there.name}=UTC")
    monkeypatch.setenv("DISPATCHER_REDIS_URL", cluster.url)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    words = ["audit", "--timeout", "0.5", "--settle", "0"]
    assert await asyncio.to_thread(cli.main, words) == 3
    told = capsys.readouterr().out
    assert f"{away.name}: not looked at: " in told
    assert f"{there.name}: 1 requests (1 received)" in told
    assert await asyncio.to_thread(cli.main, [*words, "--ids", str(tmp_path / "ids"), "--json"]) == 3
    reports = {each["market"]: each for each in json.loads(capsys.readouterr().out)}
    assert reports[away.name]["not_found"] == ["r2"], "it may be there: nobody says that it is lost"
    assert await asyncio.to_thread(cli.main, ["audit", "--market", away.name, "--timeout", "0.5"]) == 1
    assert await asyncio.to_thread(cli.main, ["keys", "status", "--timeout", "0.5"]) == 3
    assert f"{away.name} cannot be asked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("GET", "dispatch:{metro}:x"), "dispatch:{metro}:x"),
        (("EVAL", b"return {1}", 1, "dispatch:{metro}:x", "{a}"), "dispatch:{metro}:x"),
        (("XREADGROUP", "GROUP", "g", "c", "STREAMS", "dispatch:{metro}:e", ">"), "dispatch:{metro}:e"),
        (("SCAN", 0, "MATCH", "dispatch:{metro}:*"), "dispatch:{metro}:*"),
        (("XINFO", "STREAM", "plain"), "plain"),
        (("SET", "dispatch:once:1", "{", "NX"), "dispatch:once:1"),
        (("INFO", "memory"), None),
    ],
)
async def test_a_command_goes_where_its_key_is(words: tuple[object, ...], key: str | None) -> None:
    assert key_of(words) == key


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis+cluster://", "names no server"),
        ("redis+cluster://a:1,b:0", "the port 0"),
        ("redis+cluster://a:1/2", "one database"),
        ("redis+cluster://:x@a:port", "port"),
    ],
)
async def test_an_address_that_names_no_cluster_is_refused(url: str, said: str) -> None:
    with pytest.raises(BadUrl, match=said):
        Topology(url)
    known = Topology("rediss+cluster://ops:a%40b@[::1]:7000,there")
    assert [str(each) for each in known.seeds] == ["[::1]:7000", "there:6379"]
