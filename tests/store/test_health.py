"""What is not ready says so: an emptied store, another store, a cluster, a user without rights."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as TimedOut

from contracts.codes import RequestState
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.refusals import Unavailable
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.supervisor import looked_at
from dispatcher.store import rights
from dispatcher.store.connection import named, why_unasked
from dispatcher.store.health import AGE_S
from dispatcher.store.identity import IDENTITY
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from tests.store.busy import PLATFORM, Busy
from tests.store.conftest import RING
from tests.store.made import received, trip


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[EmbeddedRedis]:
    """A server that a test may empty, and whose users it may change."""
    async with EmbeddedRedis(tmp_path) as started:
        yield started


@pytest.fixture
async def admin(own: EmbeddedRedis) -> AsyncIterator[Redis]:
    async with Store(own.url, RING) as store:
        yield store.reader.client


async def test_a_new_store_is_ready_without_ceremony_and_named_once(own: EmbeddedRedis, admin: Redis) -> None:
    async with Store(own.url, RING) as one, Store(own.url, RING) as other:
        found = await asyncio.gather(*(store.health() for store in (one, other, one, other)))
        assert [each.reasons for each in found] == [()] * 4
        assert len(await admin.get(IDENTITY)) == 32


async def test_a_store_of_an_earlier_version_is_ready_and_gets_its_name(
    own: EmbeddedRedis, admin: Redis
) -> None:
    await admin.set("dispatch:{metro}:r:a", "a record")
    async with Store(own.url, RING) as store:
        assert (await store.health()).reasons == ()
        assert await admin.get(IDENTITY)


async def test_a_store_that_was_emptied_is_not_ready_and_nothing_is_said_not_to_exist(
    own: EmbeddedRedis, admin: Redis
) -> None:
    async with Store(own.url, RING) as store:
        busy = Busy(store, store.market("metro"))
        await busy.open()
        await busy.submit("a")
        await admin.flushall()
        await asyncio.sleep(AGE_S)
        for _ in range(2):  # asking does not make it a new one
            health = await store.health()
            assert not health.durable
            assert "is now empty" in health.reasons[0]
        with pytest.raises(Unavailable, match="restore the backup"):
            await busy.submit("b")
        with pytest.raises(Unavailable, match="is now empty"):
            await busy.give(PLATFORM, CancelRequest(request_id="a"))
        assert await admin.dbsize() == 0, "nothing was written since"


async def test_another_store_or_one_without_its_name_is_not_ready(own: EmbeddedRedis, admin: Redis) -> None:
    async with Store(own.url, RING) as store:
        assert (await store.health()).durable
        name = await admin.get(IDENTITY)
        await admin.set("dispatch:{metro}:r:a", "a record")
        await admin.delete(IDENTITY)
        assert "lost its key" in (await store.health()).reasons[0]
        await admin.set(IDENTITY, "another")
        assert "another store" in (await store.health()).reasons[0]
        await admin.set(IDENTITY, name)
        assert (await store.health()).durable
    async with Store(own.url, RING, identity="the one before") as expecting:
        assert "another store" in (await expecting.health()).reasons[0]


async def test_a_server_that_is_away_at_the_start_is_waited_for_and_one_that_is_there_is_named(
    own: EmbeddedRedis, admin: Redis
) -> None:
    assert await looked_at("unix:///nowhere/valkey.sock") == ""
    assert (await looked_at(own.url)).encode() == await admin.get(IDENTITY)


async def as_user(admin: Redis, server: EmbeddedRedis, *given: str) -> str:
    await admin.execute_command("ACL", "SETUSER", "svc", "reset", "on", ">secret", *given)
    return server.url.replace("unix://", "unix://svc:secret@")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("~*", "&*", "+@all", "-xadd"), "XADD dispatch:{metro}:events"),
        (("~*", "&*", "+@all", "-xinfo|stream"), "XINFO STREAM"),
        (("~*", "&*", "+@all", "-hincrby"), "HINCRBY dispatch:{metro}:marks"),
        (("~*", "resetchannels", "+@all"), "PUBLISH dispatch:{metro}:wake"),
        (("~*", "resetchannels", "+@all"), "SUBSCRIBE dispatch:{metro}:wake"),
        (("~*", "&*", "+@all", "-publish"), "PUBLISH dispatch:{metro}:wake"),
        (("~*", "&*", "+@all", "-eval"), "EVAL"),
        (("~*", "&*", "+@all", "-info"), "INFO"),
        (("~dispatch:{metro}:*", "&*", "+@all"), IDENTITY),
        (("~dispatch:*", "%R~dispatch:{metro}:events", "&*", "+@all", "-set"), "SET dispatch:identity"),
    ],
)
async def test_a_right_that_is_missing_is_named(
    own: EmbeddedRedis, admin: Redis, given: tuple[str, ...], said: str
) -> None:
    async with Store(await as_user(admin, own, *given), RING) as store:
        store.market("metro")
        health = await store.health()
        assert any(said in each for each in health.lacking), health
        assert health.lacking == health.reasons


async def test_a_hint_that_may_not_be_given_makes_nothing_less_durable(
    own: EmbeddedRedis, admin: Redis
) -> None:
    async with Store(await as_user(admin, own, "~*", "+@all", "resetchannels"), RING) as store:
        store.market("metro")
        health = await store.health()
        assert health.durable
        assert health.reasons
        await store.refuse_unless_durable("metro")


async def test_the_rights_that_are_looked_at_are_enough_for_a_whole_day(
    own: EmbeddedRedis, admin: Redis
) -> None:
    commands = {each[0] for each in (*rights.ANYWHERE, *rights.needed(Keys("metro")))}
    given = [f"+{each.lower()}" for each in (commands | {"EVAL", "SCAN", "CONFIG"})]
    async with Store(await as_user(admin, own, "~dispatch:*", "&dispatch:*", *given), RING) as store:
        market = store.market("metro")
        assert (await store.health()).reasons == ()
        busy = Busy(store, market)
        await busy.play()
        assert (await market.requests.counts())[RequestState.COMPLETED]
        await market.retention.trim_streams()
        await admin.execute_command("XSETID", market.keys.events, f"{(1 << 64) - 1}-0")
        assert (await market.commit([received("new")], requests=[trip("new")])).ok
        async with market.wake() as wake:
            await wake.wait(0.01)
    log = await admin.execute_command("ACL", "LOG")
    refused = [dict(zip(each[::2], each[1::2], strict=True))[b"object"] for each in log]
    assert set(refused) <= {b"client|setinfo"}


async def test_a_store_that_does_not_answer_is_named_by_its_host_and_never_by_its_password() -> None:
    with socket.socket() as nobodys:
        nobodys.bind(("127.0.0.1", 0))  # and nobody listens
        place = f"127.0.0.1:{nobodys.getsockname()[1]}"
        async with Store(f"redis://ann:secret@{place}/0", RING, timeout_s=0) as store:
            assert store.silent == f"the store at {place} gave no answer"
            with pytest.raises(Unavailable, match=r"the store does not answer \(Connection refused\)"):
                await store.reader.ask("PING")
            assert store.silent == f"the store at {place} gave no answer (Connection refused)"


def test_a_name_that_cannot_be_looked_up_and_a_server_that_hangs_are_told_apart() -> None:
    try:
        raise Disconnected("Error -2 connecting to redis.corp:6379") from socket.gaierror(-2, "not known")
    except Disconnected as error:
        assert why_unasked(error) == "its host's name cannot be looked up: not known"
    assert why_unasked(TimedOut("Timeout reading from redis.corp:6379")) == "TimeoutError"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("rediss://ann:p%40ss@cache.corp:6380/2?ssl_cert_reqs=none", "the store at cache.corp:6380"),
        ("redis+cluster://:secret@a:1,b:2", "the store at a:1,b:2"),
        ("unix://ann:secret@/run/valkey.sock?db=1", "the store"),
    ],
)
def test_a_store_is_called_by_where_it_is(url: str, told: str) -> None:
    assert named(url) == told
