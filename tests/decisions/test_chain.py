"""Tampering shows: with records, with the ledger, with entries that nobody may change."""

import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from contracts.tuning import Tuning
from dispatcher.decisions import chain, chains, sealing
from dispatcher.decisions.record import Unsaved
from dispatcher.decisions.saver import trim_ledger
from dispatcher.domain.context import Context
from dispatcher.domain.patient_reads import noted
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.settings import Settings
from dispatcher.store.decisions import FIELD, Entry
from dispatcher.store.market import MarketStore
from tests.decisions.conftest import Saved
from tests.solvers.town import trip, vendor

Tamper = Callable[[Path, Entry], None]


@pytest.fixture
async def three(saved: Saved, own: Ownership) -> Saved:
    """Three decisions in a chain."""
    await saved.town.add_vendor(vendor("v1"), units=9)
    for n in range(3):
        await saved.town.submit(trip(f"r{n}", start_min=20))
        await match_imminent(own, saved.town.market, [f"r{n}"])
    entries = await saved.entries()
    assert [each.seq for each in entries] == [1, 2, 3]
    return saved


async def wrong(saved: Saved) -> list[str]:
    found = await chain.judge(saved.town.market.stored, saved.store)
    return [" ".join(each) for each in found.wrong]


def path_of(saved: Saved, entry: Entry) -> Path:
    root: Path = saved.store.blobs.root  # type: ignore[attr-defined]
    return root / saved.town.name / entry.day / entry.digest


async def test_a_chain_that_nobody_touched_is_whole(three: Saved) -> None:
    found = await chain.judge(three.town.market.stored, three.store)
    assert found == (3, 0, [])


async def test_a_place_that_a_fail_over_lost_is_given_anew_and_leaves_no_hole(
    three: Saved, own: Ownership
) -> None:
    """The process that wrote it goes on; the promoted server has the ledger of a moment before."""
    stored, entries = three.town.market.stored, await three.entries()
    await stored.node.reader.ask("DEL", stored.keys.decisions)
    for each in entries[:2]:
        packed = msgspec.msgpack.encode(each)
        await stored.node.reader.ask("XADD", stored.keys.decisions, f"{each.seq}-0", FIELD, packed)
    await three.town.submit(trip("r3", start_min=20))
    await match_imminent(own, three.town.market, ["r3"])
    now = await three.entries()
    assert now[:2] == entries[:2]
    assert [each.seq for each in now] == [1, 2, 3]
    assert now[2].digest != entries[2].digest
    assert await chain.judge(stored, three.store) == (3, 1, []), (
        "the lost one's record is told, and no finding"
    )


async def test_a_ledger_that_was_taken_away_is_named_though_who_writes_goes_on(
    three: Saved, own: Ownership
) -> None:
    """Else whoever removes one key would have all of its decisions forgotten without a word."""
    stored = three.town.market.stored
    await stored.node.reader.ask("DEL", stored.keys.decisions)
    await three.town.submit(trip("r3", start_min=20))
    await match_imminent(own, three.town.market, ["r3"])
    assert [each.seq for each in await three.entries()] == [4]
    found = await wrong(three)
    assert len(found) == 3
    assert all("is gone from the ledger, which begins at 4" in each for each in found)


async def test_a_changed_record_is_named(three: Saved) -> None:
    entry = (await three.entries())[1]
    path = path_of(three, entry)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert (await wrong(three))[0].startswith(f"decision {entry.digest} (place 2) was changed")


async def test_a_record_that_is_gone_is_named(three: Saved) -> None:
    entry = (await three.entries())[0]
    path_of(three, entry).unlink()
    assert (await wrong(three))[0].startswith(f"decision {entry.digest} (place 1) is gone")


async def test_a_changed_part_that_records_share_is_named(three: Saved) -> None:
    part = next(path_of(three, (await three.entries())[0]).parent.glob("part-*"))
    part.write_bytes(part.read_bytes()[:-1])
    assert any("part-" in each and "was changed" in each for each in await wrong(three))


@pytest.mark.parametrize(
    ("place", "said"), [("2-0", "place 2 is gone from the chain"), ("3-0", "place 3 is gone from the end")]
)
async def test_an_entry_that_is_taken_from_the_ledger_is_named(three: Saved, place: str, said: str) -> None:
    stored = three.town.market.stored
    await stored.node.reader.ask("XDEL", stored.keys.decisions, place)
    assert any(each.startswith(said) for each in await wrong(three))


async def test_a_rewritten_entry_of_the_ledger_is_named(three: Saved) -> None:
    """The last two written anew, the first of them with another cost."""
    stored, entries = three.town.market.stored, await three.entries()
    cheaper = msgspec.structs.replace(entries[1], cost=1)
    await stored.node.reader.ask("DEL", stored.keys.decisions)
    for each in (entries[0], cheaper, entries[2]):
        packed = msgspec.msgpack.encode(each)
        await stored.node.reader.ask("XADD", stored.keys.decisions, f"{each.seq}-0", FIELD, packed)
    assert await wrong(three) == [f"decision {cheaper.digest} (place 2) was changed in the ledger: its cost"]


async def test_a_ledger_that_begins_later_than_its_records_or_is_gone_is_named(three: Saved) -> None:
    stored, first = three.town.market.stored, (await three.entries())[0]
    await stored.decisions.trim(2)
    (found,) = await wrong(three)
    assert found.startswith(f"decision {first.digest} (place 1) is gone from the ledger, which begins at 2")
    await stored.node.reader.ask("DEL", stored.keys.decisions)
    (found,) = await wrong(three)
    assert found.startswith("the ledger is gone, and 3 records are there")


async def test_a_record_in_the_place_of_another_is_no_decision_of_that_name(three: Saved) -> None:
    first, second, _ = await three.entries()
    path_of(three, first).write_bytes(path_of(three, second).read_bytes())
    with pytest.raises(Unsaved, match="another decision lies in its place"):
        three.store.get(three.town.name, first.digest, [first.day])
    assert (await wrong(three))[0].startswith(f"decision {first.digest} (place 1) was changed")


async def test_an_entry_that_cannot_be_read_stops_neither_reading_nor_saving(
    three: Saved, own: Ownership
) -> None:
    stored = three.town.market.stored
    await stored.node.reader.ask("XADD", stored.keys.decisions, "4-0", FIELD, b"\xc1")
    three.saver._writer._last = None
    await three.town.submit(trip("later", start_min=20))
    await match_imminent(own, three.town.market, ["later"])
    entries = await three.entries()
    assert [each.seq for each in entries] == [1, 2, 3, 4, 5]
    assert "place 4 cannot be read in the ledger" in await wrong(three)


async def test_once_all_is_forgotten_the_chain_goes_on_behind_what_was(three: Saved, own: Ownership) -> None:
    """As after two weeks without a decision, or a while in which tuning keeps none."""
    for entry in await three.entries():
        path_of(three, entry).unlink()
    await trim_ledger(three.town.market.stored, None)
    three.saver._writer._last = None
    for name in ("r4", "r5"):
        await three.town.submit(trip(name, start_min=20))
        await match_imminent(own, three.town.market, [name])
    assert [each.seq for each in await three.entries()] == [4, 5]
    assert await wrong(three) == []


async def test_who_takes_the_end_of_the_chain_is_named_and_stops_no_saving(
    three: Saved, own: Ownership
) -> None:
    stored = three.town.market.stored
    await stored.node.reader.ask("XDEL", stored.keys.decisions, "3-0")
    three.saver._writer._last = None
    await three.town.submit(trip("later", start_min=20))
    await match_imminent(own, three.town.market, ["later"])
    assert [each.seq for each in await three.entries()] == [1, 2, 4]
    assert "place 3 is gone from the chain: after it comes 4" in await wrong(three)


async def test_what_retention_forgot_is_no_finding(three: Saved) -> None:
    three.town.clock.ms += 40 * 86_400_000
    assert await three.saver.tidy() > 0
    assert await three.entries() == []
    assert await wrong(three) == []


async def look(stored: MarketStore, at_ms: int, request: str = "r1") -> str:
    name = secrets.token_hex(12)
    context = Context(now_ms=at_ms, by="ops", subject="ann")
    assert (await stored.commit([noted(name, request, None, context)])).ok
    return name


async def sealed(saved: Saved) -> tuple[MarketStore, list[str]]:
    """Two looks at a patient and two versions of the tuning, under two seals."""
    stored, now_ms, names = saved.town.market.stored, saved.town.clock.now_ms(), []
    for n in range(2):
        names.append(await look(stored, now_ms + n))
        await stored.tuning.put(Tuning(version=n + 1, reason=f"try {n}"))
        assert await sealing.seal(stored, now_ms + n + sealing.LAG_MS) == 2
    assert await sealing.seal(stored, now_ms + 9 + sealing.LAG_MS) == 0
    return stored, names


async def broken(stored: MarketStore) -> list[str]:
    return [" ".join(each) for each in (await sealing.judge(stored)).wrong]


async def test_sealed_entries_that_nobody_touched_are_as_they_were(saved: Saved) -> None:
    stored, _ = await sealed(saved)
    assert await sealing.judge(stored) == (4, [], 0)


async def test_seals_that_were_taken_away_and_made_anew_are_told(saved: Saved) -> None:
    stored, (first, _) = await sealed(saved)
    await stored.node.reader.ask("SET", f"{stored.keys.prefix}pr:{first}", b"\x00\x00\x00\x01other")
    await stored.node.reader.ask("DEL", stored.keys.seals)
    later_ms = saved.town.clock.now_ms() + sealing.LATE_MS + 60_000
    assert await sealing.seal(stored, later_ms) == 4
    assert await sealing.judge(stored) == (4, [], 2), "two looks at a patient, sealed an hour too late"


async def test_a_changed_or_removed_look_at_a_patient_is_named(saved: Saved) -> None:
    stored, (first, second) = await sealed(saved)
    key = f"{stored.keys.prefix}pr:"
    await stored.node.reader.ask("SET", key + first, b"\x00\x00\x00\x01other")
    await stored.node.reader.ask("DEL", key + second)
    assert set(await broken(stored)) == {
        f"patient_read {first} was changed",
        f"patient_read {second} is gone before its time",
    }


async def test_a_look_that_is_put_in_later_is_named(saved: Saved) -> None:
    stored, _ = await sealed(saved)
    name = await look(stored, saved.town.clock.now_ms() - 5_000)
    await stored.node.reader.ask("ZREM", stored.keys.unsealed, f"patient_read:{name}")  # put in by hand
    assert await broken(stored) == [f"patient_read {name} was added after its time: it is in no seal"]


@pytest.mark.parametrize("by_ms", [-sealing.LATE_MS, -31_000, 90_000, sealing.LATE_MS])
async def test_what_was_written_while_a_clock_was_wrong_is_sealed_once(saved: Saved, by_ms: int) -> None:
    stored, _ = await sealed(saved)
    now_ms = saved.town.clock.now_ms() + 100
    await look(stored, now_ms + by_ms)
    assert await broken(stored) == [], "it waits for its seal"
    sealer_ms = now_ms + min(by_ms, 0) + sealing.LAG_MS - 1
    assert await sealing.seal(stored, sealer_ms) == 1
    assert await sealing.judge(stored) == (5, [], 0)
    assert await stored.seals.waiting() == []
    await look(stored, now_ms + 200)
    assert await sealing.seal(stored, now_ms + 200 + sealing.LAG_MS) == 1, "those that come in time go on"
    assert await sealing.judge(stored) == (6, [], 0)


async def test_an_entry_that_is_gone_before_its_seal_is_waited_for_no_more(saved: Saved) -> None:
    stored, _ = await sealed(saved)
    name = await look(stored, saved.town.clock.now_ms() - 60_000)
    await stored.node.reader.ask("DEL", f"{stored.keys.prefix}pr:{name}")
    assert await sealing.seal(stored, saved.town.clock.now_ms()) == 0
    assert await stored.seals.waiting() == []


async def test_a_changed_version_of_the_tuning_is_named(saved: Saved) -> None:
    stored, _ = await sealed(saved)
    await stored.node.reader.ask("SET", stored.keys.tuning_version(1), b"\x00\x00\x00\x01other")
    assert await broken(stored) == ["tuning 1 was changed"]


@pytest.mark.parametrize(("place", "said"), [("1-0", ""), ("2-0", "seal 2 is gone from the end")])
async def test_a_seal_that_is_taken_away_is_named(saved: Saved, place: str, said: str) -> None:
    """The first alone may be gone: what it sealed may be forgotten; but its entries are still there."""
    stored, names = await sealed(saved)
    await stored.node.reader.ask("XDEL", stored.keys.seals, place)
    found = await broken(stored)
    assert any(each.startswith(said or f"patient_read {names[0]} was added") for each in found)


async def test_who_takes_the_last_seal_is_named_and_stops_no_sealing(saved: Saved) -> None:
    stored, _ = await sealed(saved)
    await stored.node.reader.ask("XDEL", stored.keys.seals, "2-0")
    now_ms = saved.town.clock.now_ms() + 100
    await look(stored, now_ms)
    assert await sealing.seal(stored, now_ms + sealing.LAG_MS) == 3, "two of them once more"
    assert await broken(stored) == ["seal 2 is gone: after it comes 3"]


async def test_a_record_whose_writer_died_before_the_ledger_had_it_is_told_and_is_no_finding(
    three: Saved,
) -> None:
    path = path_of(three, (await three.entries())[0])
    path.with_name("f" * 16).write_bytes(path.read_bytes())
    assert await chain.judge(three.town.market.stored, three.store) == (3, 1, [])


async def test_a_folder_that_is_gone_is_told_once_with_where_it_was(three: Saved) -> None:
    root: Path = three.store.blobs.root  # type: ignore[attr-defined]
    root.rename(root.with_name("elsewhere"))
    (found,) = await wrong(three)
    assert found.startswith(f"all decisions are gone: {root} keeps nothing")


async def test_a_ledger_of_another_type_is_a_finding_and_stops_no_audit(three: Saved, tmp_path: Path) -> None:
    stored = three.town.market.stored
    reader = stored.node.reader
    await reader.ask("DEL", stored.keys.seals)
    await reader.ask("SET", stored.keys.seals, "mine")
    settings = Settings(decisions=str(tmp_path / "decisions"))
    told, (found,) = await chains.judge(stored.node.servers, stored.name, settings)
    assert told == {}
    assert found["detail"].startswith("cannot be read (WRONGTYPE)")
