"""Saving never holds up or loses a match: a full disk, a wrong key, a slow writer cost the record alone."""

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from contracts.codes import RequestState
from contracts.tuning import Tuning
from dispatcher.app.saving import saver_of
from dispatcher.app.saving import saving as written_meanwhile
from dispatcher.app.until_told import until_told
from dispatcher.blobs.folder import Folder
from dispatcher.blobs.port import Blob
from dispatcher.decisions import chain
from dispatcher.decisions import saver as saving_module
from dispatcher.decisions.decided import Decided, Looked
from dispatcher.decisions.saver import LOST, SAVED, TOGETHER
from dispatcher.decisions.store import PART, SURE_S, DecisionStore
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.store.connection import StoreError
from solvers.screening import Screening
from tests.decisions.conftest import Saved, Town, saving
from tests.solvers.town import TZ, trip, vendor


def raises() -> Screening:
    """As travel times of somebody's own may."""
    raise ZeroDivisionError


class FullDisk(Folder):
    """No room for what comes."""

    full = True

    def put(self, name: str, content: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().put(name, content)


class Kept(NamedTuple):
    """Writes nothing."""

    all: list[Decided | Looked]

    def keep(self, decided: Decided | Looked) -> None:
        self.all.append(decided)


async def offered(town: Town, own: Ownership, name: str) -> bool:
    await town.submit(trip(name, start_min=20))
    await match_imminent(own, town.market, [name])
    return (await town.record(name)).state is RequestState.OFFERED


async def test_a_full_disk_costs_the_record_is_told_and_is_over_once_there_is_room(
    town: Town, own: Ownership, tmp_path: Path
) -> None:
    await town.add_vendor(vendor("v1"), units=9)
    disk = FullDisk(tmp_path)
    async with saving(town, disk) as saved:
        assert await offered(town, own, "r1")
        assert await saved.entries() == []
        assert saved.told == ["OSError"]
        disk.full = False
        assert await offered(town, own, "r2")
        (entry,) = await saved.entries()
        assert entry.seq == 1
        assert saved.told == []
        assert saved.saver._counts == {LOST: 1, SAVED: 1}
        disk.full = True
        assert await offered(town, own, "r3")
        assert len(await saved.entries()) == 1
        assert saved.told == ["OSError"], "told again at once: what was over has come back"


async def test_what_waits_when_its_matcher_ends_is_written_though_who_ends_it_insists(
    town: Town, own: Ownership, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, disk = asyncio.get_running_loop(), Folder(tmp_path)
    await town.add_vendor(vendor("v1"), units=TOGETHER)
    async with saving(town, disk, after_s=60) as saved:

        def put(name: str, content: bytes) -> None:
            assert saved.running is not None
            loop.call_soon_threadsafe(saved.running.cancel)
            Folder.put(disk, name, content)

        monkeypatch.setattr(disk, "put", put)
        for n in range(TOGETHER - 1):
            assert await offered(town, own, f"r{n}")
    entries = await saved.entries()
    assert [each.seq for each in entries] == list(range(1, TOGETHER))
    assert await chain.judge(town.market.stored, saved.store) == (TOGETHER - 1, 0, [])
    assert await saved.town.market.stored.troubles.counts() == {f"decision:{SAVED}": TOGETHER - 1}


async def test_what_is_decided_while_a_process_ends_is_written(
    town: Town, own: Ownership, tmp_path: Path
) -> None:
    """Whoever decides hears that it is to end amid a commit, and saves what became of it."""
    kept, decisions = list[Decided | Looked](), DecisionStore(Folder(tmp_path), town.store.vault)
    saver = saver_of(town.store, town.name, decisions, TZ, town.clock)
    town.market.saver = Kept(kept)
    await town.add_vendor(vendor("v1"))
    assert await offered(town, own, "r1")

    async def decides() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            saver.keep(kept[0])

    async with written_meanwhile(town.store, {town.name: saver}):
        await until_told(decides(), asyncio.sleep(0))
    assert len(await town.market.stored.decisions.page(0, None, 100, newest=False)) == 1


async def test_what_cannot_be_written_in_time_when_its_matcher_ends_is_counted_as_lost(
    town: Town, own: Ownership, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is being written and one waits; the disk does not answer."""
    monkeypatch.setattr(saving_module, "STOP_S", 0.01)
    await town.add_vendor(vendor("v1"), units=9)
    begun, answers, disk = threading.Event(), threading.Event(), Folder(tmp_path)

    def put(name: str, content: bytes) -> None:
        begun.set()
        answers.wait(60)

    monkeypatch.setattr(disk, "put", put)
    async with saving(town, disk) as saved:
        assert await offered(town, own, "r1")
        assert await asyncio.to_thread(begun.wait, 60)
        assert await offered(town, own, "r2")
    answers.set()
    assert await saved.town.market.stored.troubles.counts() == {f"decision:{LOST}": 2}


async def test_writing_gives_way_to_what_presses_and_is_together_then(
    town: Town, own: Ownership, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presses, written = True, list[int]()
    await town.add_vendor(vendor("v1"), units=9)
    async with saving(town, Folder(tmp_path), after_s=0.001) as saved:
        saved.saver.pressing = lambda: presses
        write = saved.saver._writer.write

        async def counted(some: Sequence[Decided | Looked]) -> list[BaseException]:
            written.append(len(some))
            return await write(some)

        monkeypatch.setattr(saved.saver._writer, "write", counted)
        monkeypatch.setattr(saving_module, "LONGEST_S", 60.0)
        for n in range(3):
            assert await offered(town, own, f"r{n}")
        assert written == []
        presses = False
        await saved.saver.written()
        presses = True
        monkeypatch.setattr(saving_module, "LONGEST_S", 0.01)
        assert await offered(town, own, "r3")
        await saved.saver.written()
    assert written == [3, 1], "it does not give way for long"


async def test_what_was_counted_while_the_store_was_away_is_told_when_it_is_back(saved: Saved) -> None:
    stored = saved.town.market.stored
    await stored.node.reader.ask("SET", stored.keys.troubles, "mine")
    for what, number in ((LOST, 2), (SAVED, 3)):
        saved.saver._count(what, number)
    with pytest.raises(StoreError):
        await saved.saver.tell_counts()
    saved.saver._count(LOST)
    await stored.node.reader.ask("DEL", stored.keys.troubles)
    await saved.saver.tell_counts()
    assert await stored.troubles.counts() == {f"decision:{LOST}": 3, f"decision:{SAVED}": 3}
    await saved.saver.tell_counts()
    assert await stored.troubles.counts() == {f"decision:{LOST}": 3, f"decision:{SAVED}": 3}


async def test_a_key_of_another_type_costs_the_record_alone(saved: Saved, own: Ownership) -> None:
    stored = saved.town.market.stored
    await saved.town.add_vendor(vendor("v1"), units=9)
    await stored.node.reader.ask("SET", stored.keys.decisions, "mine")
    assert await offered(saved.town, own, "r1")
    await saved.saver.written()
    assert saved.told == ["ResponseError"]
    await stored.node.reader.ask("DEL", stored.keys.decisions)
    assert await offered(saved.town, own, "r2")
    assert len(await saved.entries()) == 1


async def test_what_waits_is_bounded_and_what_is_beyond_is_counted(
    saved: Saved, own: Ownership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving_module, "MOST_WAITING", 2)
    await saved.town.add_vendor(vendor("v1"), units=9)
    saved.saver.run = None  # type: ignore[assignment, method-assign]
    kept = saved.saver.waiting
    for n in range(4):
        await saved.town.submit(trip(f"r{n}", start_min=20))
    hold, saved.saver._work = saved.saver._work, asyncio.Event()  # nobody writes
    await asyncio.sleep(0)
    for n in range(4):
        await match_imminent(own, saved.town.market, [f"r{n}"])
    assert len(kept) == 2
    assert saved.saver._counts == {LOST: 2}
    hold.set()
    await saved.saver.written()


async def test_what_comes_together_is_written_together_and_what_cannot_be_kept_is_lost_by_itself(
    town: Town, own: Ownership, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One entry each in one chain; the third finds no room, and the fifth cannot be packed."""
    await town.add_vendor(vendor("v1"), units=TOGETHER)
    disk, records = FullDisk(tmp_path), list[str]()
    disk.full = False

    def put(name: str, content: bytes) -> None:
        if not Path(name).name.startswith(PART):
            records.append(name)
            if len(records) == 3:
                raise OSError(28, "No space left on device")
        Folder.put(disk, name, content)

    monkeypatch.setattr(disk, "put", put)
    async with saving(town, disk, after_s=60.0) as saved:
        for n in range(TOGETHER):
            if len(waiting := saved.saver.waiting) == 5:
                assert isinstance(waiting[4], Decided)
                waiting[4] = replace(waiting[4], screening=raises)
            assert await offered(town, own, f"r{n}")
        entries = await saved.entries()
        assert [each.seq for each in entries] == list(range(1, TOGETHER - 1))
        assert saved.told == ["OSError"]
        assert saved.saver._counts == {LOST: 2, SAVED: TOGETHER - 2}
        found = await chain.judge(town.market.stored, saved.store)
        assert found == (TOGETHER - 2, 0, [])
        for n in (1, 3):
            noted = await town.market.stored.decisions.on(f"r{n}", [entries[0].day])
            assert noted == [(entries[0].day, entries[n - (n > 2)].digest, 0)]
        assert await town.market.stored.decisions.on("r2", [entries[0].day]) == []


async def test_two_writers_make_one_chain(saved: Saved, own: Ownership) -> None:
    """Who had the market before still writes."""
    await saved.town.add_vendor(vendor("v1"), units=9)
    assert await offered(saved.town, own, "r1")
    await saved.entries()
    async with saving(saved.town, saved.store.blobs) as other:
        assert await offered(saved.town, own, "r2")
        await other.saver.written()
    saved.town.market.saver = saved.saver
    assert await offered(saved.town, own, "r3")
    entries = await saved.entries()
    assert [each.seq for each in entries] == [1, 2, 3]
    assert [each.previous for each in entries[1:]] == [each.hash for each in entries[:2]]


@pytest.mark.parametrize("off", ["decisions_days", "decisions_mb"])
async def test_zero_saves_none(saved: Saved, own: Ownership, off: str) -> None:
    await saved.town.market.stored.tuning.put(Tuning(version=1, values={off: 0}))
    await saved.town.add_vendor(vendor("v1"))
    assert await offered(saved.town, own, "r1")
    assert await saved.entries() == []


async def test_what_is_too_old_or_too_much_is_forgotten_by_whole_days(tmp_path: Path) -> None:
    disk, market = Folder(tmp_path), "metro"
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        for n in range(2):
            disk.put(f"{market}/{day}/{n:016x}", bytes(100))
    (tmp_path / market / "notes.txt").write_text("somebody's own")
    store = DecisionStore(disk, None)  # type: ignore[arg-type]
    assert store.forget(market, "2026-03-02", 10_000) == 2
    assert store.days(market) == ["2026-03-02", "2026-03-03"]
    assert store.forget(market, "2026-03-01", 300) == 2
    assert store.days(market) == ["2026-03-03"]
    assert store.forget(market, "2026-03-01", 10) == 0, "of the last day nothing goes"
    assert disk.under(market)[-1] == Blob(f"{market}/notes.txt", 14)


async def test_no_decision_goes_for_being_old_by_a_clock_that_is_wrong(
    saved: Saved, own: Ownership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot come back once the clock is put right."""
    await saved.town.add_vendor(vendor("v1"))
    assert await offered(saved.town, own, "r1")
    assert len(await saved.plans()) == 1
    slept = asyncio.Semaphore(0)

    async def sleeps(_: float) -> None:
        slept.release()
        await asyncio.Event().wait()

    monkeypatch.setattr(saved.town.clock, "sleep", sleeps)
    saved.town.clock.ms += 400 * 86_400_000
    for is_wrong, left in ((True, 1), (False, 0)):
        saved.saver.has_wrong_clock = lambda wrong=is_wrong: wrong  # type: ignore[misc]
        tidying = asyncio.create_task(saved.saver.keep_tidy())
        await slept.acquire()
        tidying.cancel()
        assert len(await saved.plans()) == left


async def test_what_is_decided_after_all_was_forgotten_is_whole(saved: Saved, own: Ownership) -> None:
    """Saving was off, another process tidied up, and it is on again: what records share is put anew."""
    await saved.town.add_vendor(vendor("v1"))
    assert await offered(saved.town, own, "r1")
    assert len(await saved.plans()) == 1
    tidies = DecisionStore(saved.store.blobs, saved.store.vault)
    assert await asyncio.to_thread(tidies.forget, saved.town.name, dt.date.max.isoformat(), 0)
    saved.store.wall = lambda: time.monotonic() + SURE_S
    assert await offered(saved.town, own, "r2")
    assert [plan.header.requests for plan in await saved.plans()] == [("r2",)]


def test_records_are_private_and_never_half_written(tmp_path: Path) -> None:
    disk = Folder(tmp_path / "decisions")
    disk.put("m/2026-03-01/a", b"x")
    assert (tmp_path / "decisions" / "m" / "2026-03-01" / "a").stat().st_mode & 0o077 == 0
    assert (tmp_path / "decisions" / "m" / "2026-03-01").stat().st_mode & 0o077 == 0
    assert [each.name for each in (tmp_path / "decisions").rglob(".draft*")] == []


async def test_what_a_fault_of_ours_loses_is_counted(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_memory(some: Sequence[object]) -> list[BaseException]:
        raise MemoryError

    monkeypatch.setattr(saved.saver._writer, "write", no_memory)
    with pytest.raises(MemoryError):
        await saved.saver._write([None, None])  # type: ignore[list-item]
    assert saved.saver._counts == {LOST: 2}
