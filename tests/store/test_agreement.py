"""A key comes in two rounds; at no moment is something sealed that a running process cannot open."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.requests import Request
from dispatcher.domain.refusals import PatientKeyMissing, Unavailable
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.security.key_files import PatientKeyFile, RingFile, write_patient_keys
from dispatcher.security.rings import prints_of
from dispatcher.security.vault import key_of
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import StoreError
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from tests.store.made import PATIENT, received, trip

A, B = bytes([1]) * 32, bytes([2]) * 32
OLD = PatientKeyFile("a", {"a": A})
ROUND_1 = PatientKeyFile("a", {"a": A, "b": B}, next="b")
ROUND_2 = PatientKeyFile("b", {"a": A, "b": B})
LAST = PatientKeyFile("b", {"b": B})


class Process:
    """A process that takes part, with a key file of its own."""

    def __init__(
        self, name: str, server: EmbeddedRedis, market: str, path: Path, ring: PatientKeyFile
    ) -> None:
        self.path = path
        write_patient_keys(path, ring)
        file = RingFile(path)
        self.store = Store(server.url, file.ring)
        self.store.agreement.take_part(name, file)
        self.market: MarketStore = self.store.market(market)

    async def look(self, ring: PatientKeyFile | None = None) -> None:
        """As it does every few seconds; `ring`: its key file was changed."""
        if ring is not None:
            write_patient_keys(self.path, ring)
        await self.store.agreement.reach(self.market.name, self.market.rings)

    async def seal(self, request_id: str) -> str:
        """The key that a new request was sealed under."""
        assert (await self.market.commit([received(request_id)], requests=[trip(request_id)])).ok
        raw = await self.store.reader.get(self.market.keys.body(REQUEST_KIND, request_id))
        assert raw is not None
        head = int.from_bytes(raw[:3], "big") & 0x7FFFFF
        return key_of(raw[3 + head :])

    async def open(self, request_id: str) -> Request | None:
        assert await self.market.requests.patient(request_id) == PATIENT
        return await self.market.requests.body(request_id)

    async def end(self) -> None:
        await self.store.agreement.leave(self.market.name, self.market.rings)
        await self.store.aclose()


@contextlib.asynccontextmanager
async def two(
    server: EmbeddedRedis, market: str, folder: Path, *rings: PatientKeyFile
) -> AsyncIterator[tuple[Process, Process]]:
    first, second = (
        Process(f"web {name}:1", server, market, folder / f"{name}.json", ring)
        for name, ring in zip("xy", rings, strict=True)
    )
    try:
        yield first, second
    finally:
        await first.end()
        await second.end()


async def test_a_rolling_rotation_never_seals_what_a_process_cannot_open(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path
) -> None:
    async with two(server, market.name, tmp_path, OLD, OLD) as (x, y):
        steps = [  # (whose file changes, to what, what x and y seal under then)
            (None, None, "aa"),
            (x, ROUND_1, "aa"),
            (x, ROUND_2, "aa"),  # too early: y has not read it
            (y, ROUND_1, "ba"),
            (y, ROUND_2, "bb"),
            (x, LAST, "bb"),
            (y, LAST, "bb"),
        ]
        for at, (who, ring, sealed) in enumerate(steps):
            if who is not None:
                await who.look(ring)
            for each in (x, y, x):
                await each.look()
            assert [await x.seal(f"x{at}"), await y.seal(f"y{at}")] == list(sealed), at
            assert await y.open(f"x{at}") == await x.market.requests.body(f"x{at}") is not None
            assert await x.open(f"y{at}") is not None
        assert {each.process: each.sealing for each in await market.rings.living()} == {
            "web x:1": "b",
            "web y:1": "b",
        }
        assert {each.id for each in await market.rings.used()} == {"a", "b"}


async def test_nothing_is_sealed_before_the_others_were_heard(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path
) -> None:
    async with two(server, market.name, tmp_path, ROUND_2, OLD) as (x, y):
        assert (await x.store.health()).reasons == (
            "which patient key every process can read is not known yet",
        )
        with pytest.raises(Unavailable, match="not known yet"):
            await x.seal("r1")
        await y.look()
        await x.look()
        assert await x.seal("r1") == "a"
        assert (await x.store.health()).reasons == ()


async def test_a_process_without_a_key_in_use_says_so_and_answers_that_the_key_is_missing(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path
) -> None:
    async with two(server, market.name, tmp_path, ROUND_2, OLD) as (x, y):
        await x.look()
        assert await x.seal("r1") == "b"
        with capture_logs() as lines:
            await y.look()
            await y.look()
        assert [(each["event"], each.get("key")) for each in lines if each["log_level"] == "error"] == [
            ("patient_key_missing", "b")
        ]
        (reason,) = (await y.store.health()).reasons
        assert reason.startswith(f"the patient key 'b', under which data of {market.name} is sealed, is not")
        assert (await y.store.health()).durable
        for read in (y.market.requests.body, y.market.requests.patient):
            with pytest.raises(PatientKeyMissing, match="under the patient key 'b'") as refused:
                await read("r1")
            assert (refused.value.status, refused.value.facts["key_id"]) == (503, "b")
        assert y.store.agreement.has_another(market.name, "b")
        await y.look(ROUND_2)
        assert (await y.store.health()).reasons == ()
        assert await y.open("r1") is not None


async def test_another_key_under_the_same_name_is_missing_too(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path
) -> None:
    async with two(server, market.name, tmp_path, OLD, PatientKeyFile("a", {"a": B})) as (x, y):
        await x.look()
        await y.look()
        assert y.store.agreement.missing(market.name) == ("a",)
        (mine,) = (each for each in await market.rings.living() if each.process == "web y:1")
        assert mine.keys == prints_of(PatientKeyFile("a", {"a": B}))


async def test_a_process_that_ended_is_not_waited_for(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path
) -> None:
    async with two(server, market.name, tmp_path, ROUND_2, OLD) as (x, y):
        await y.look()
        await x.look()
        assert x.store.vault.sealing(market.name) == "a"
        await y.store.agreement.leave(market.name, y.market.rings)
        await x.look()
        assert x.store.vault.sealing(market.name) == "b"


async def test_what_a_process_says_anew_leaves_no_moment_in_which_others_do_not_hear_it(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one that looks just then takes a key that it has not. A clock that is wrong is said anew often."""
    async with two(server, market.name, tmp_path, ROUND_2, OLD) as (x, y):
        await y.look()
        announce, leave = y.market.rings.announce, y.market.rings.leave

        async def x_looks_before(ask: Any, *words: Any) -> Any:
            await x.look()
            return await ask(*words)

        monkeypatch.setattr(y.market.rings, "announce", partial(x_looks_before, announce))
        monkeypatch.setattr(y.market.rings, "leave", partial(x_looks_before, leave))
        y.store.skew._ahead_s[market.name] = 600
        await y.look()
        assert x.store.vault.sealing(market.name) == "a", "y cannot read b"
        monkeypatch.undo()
        (mine,) = (each for each in await market.rings.living() if each.process == "web y:1")
        assert mine.ahead_s == 600


async def test_a_key_by_the_name_of_one_in_use_seals_nothing_and_leaves_no_trace(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path
) -> None:
    """As after a restore, where a service that finds no key file makes one: the right file helps at once."""
    another = PatientKeyFile("a", {"a": B})
    async with two(server, market.name, tmp_path, OLD, another) as (right, wrong):
        await right.look()
        await right.seal("r1")
        used = await market.rings.used()
        for _ in range(2):
            await wrong.look()
            with pytest.raises(Unavailable):
                await wrong.seal("r2")
            assert "another has its name there" in wrong.store.agreement.reasons([market.name])[0]
        await wrong.look(OLD)
        assert wrong.store.agreement.reasons([market.name]) == ()
        assert await wrong.seal("r2") == "a"
        await wrong.look(another)  # put there while it runs
        with pytest.raises(Unavailable):
            await wrong.seal("r3")
        await right.look()
        assert (await right.seal("r3"), await market.rings.used()) == ("a", used)


async def test_one_markets_rings_of_a_wrong_type_keep_no_other_market_from_being_ready(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path
) -> None:
    """Such a market seals nothing; the process is ready as soon as another market is."""
    async with two(server, market.name, tmp_path, OLD, OLD) as (x, _):
        agreement, other = x.store.agreement, x.store.market(f"{market.name}b")
        served = (market.name, other.name)
        await x.store.reader.ask("SET", market.keys.rings, "no hash")
        with pytest.raises(StoreError):
            await x.look()
        assert agreement.reasons(served), "no market is there yet that could be served"
        await agreement.reach(other.name, other.rings)
        assert agreement.reasons(served) == ()
        with pytest.raises(Unavailable):
            await x.seal("r1")
        await x.store.reader.ask("DEL", market.keys.rings)
        await x.look()
        await x.seal("r1")
        await agreement.leave(other.name, other.rings)
