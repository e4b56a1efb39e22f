"""Saved decisions in a backup: restored, their chain is whole and they replay; folder and bucket alike."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatcher.blobs.places import decisions_of
from dispatcher.cli import main
from dispatcher.cli.audit import NOT_ALL
from dispatcher.decisions import chain
from dispatcher.decisions.decided import Decided
from dispatcher.decisions.record import IMMINENT
from dispatcher.decisions.replay import SAME, replay
from dispatcher.decisions.saver import Saver
from dispatcher.decisions.store import DecisionStore
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.serve import backup
from dispatcher.serve.backup import back_up, restore
from dispatcher.serve.backup_blobs import DECISIONS
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Settings
from dispatcher.store.identity import Identity
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from solvers.planning import plan
from tests.bucket import bucket, object_store  # noqa: F401  (fixtures)
from tests.clock import ManualClock
from tests.solvers.town import asked, screening, trip, vendor

RING, MARKET, TZ = PatientKeyFile("dev", {"dev": bytes(range(32))}), "drill", ZoneInfo("America/New_York")


def settings(folder: Path, decisions: str = "") -> Settings:
    return Settings(data_dir=folder, decisions=decisions)


async def decide(store: Store, kept: DecisionStore, *names: str) -> None:
    """A decision for each, saved."""

    async def nobody(*_: object) -> None:
        return None

    saver = Saver(store.market(MARKET), kept, TZ, ManualClock(0), nobody, nobody)
    for name in names:
        day = screening([asked(trip(name))], [vendor("v1")])
        made = plan(day)
        saver.keep(
            Decided(
                kind=IMMINENT, at_ms=day.now_ms, screening=lambda day=day: day, held_bytes=0, plan=made,
                limits=None, values={}, tuning_version=0, requests=(name,), waiting=1, vendors=("v1",),
                versions=(1,), postings={}, pools=("p",), became=("offered",),
            )
        )  # fmt: skip
    writing = asyncio.create_task(saver.run())
    await saver.written()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


async def old_store(folder: Path, decisions: str) -> DecisionStore:
    """Two decisions in a store that is closed again."""
    kept = DecisionStore(decisions_of(settings(folder, decisions)), Vault(RING))
    async with EmbeddedRedis(folder) as redis, Store(redis.url, RING) as store:
        await Identity(store.reader).problem()
        await decide(store, kept, "r1", "r2")
    return kept


async def judged(folder: Path, decisions: str = "") -> tuple[chain.Judged, list[str]]:
    """The chain after a restore, and how its decisions replay."""
    kept = DecisionStore(decisions_of(settings(folder, decisions)), Vault(RING))
    async with EmbeddedRedis(folder) as redis, Store(redis.url, RING) as store:
        stored = store.market(MARKET)
        found = await chain.judge(stored, kept)
        entries = await stored.decisions.page(0, None, 100, newest=False)
    raws = [kept.get(MARKET, each.digest, [each.day], each.nth) for each in entries]
    return found, [replay(kept.opened(each)).how for each in raws if each is not None]


@pytest.fixture(params=["folder", "bucket"])
def places(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Where decisions lie before, and after a restore; "": in the data folder."""
    if request.param == "folder":
        return "", ""
    kept = request.getfixturevalue("bucket")
    return f"{kept}/before", f"{kept}/after"


async def test_a_restored_store_has_its_chain_whole_and_its_decisions_replay(
    tmp_path: Path, places: tuple[str, str]
) -> None:
    before, after = places
    await old_store(tmp_path / "old", before)
    file, wanted = tmp_path / "backup.tar", True if before else None
    about = await back_up(settings(tmp_path / "old", before), file, with_keys=False, with_decisions=wanted)
    assert DECISIONS.part in about.parts
    await restore(settings(tmp_path / "new", after), file, replace=False, with_keys=False)
    found, how = await judged(tmp_path / "new", after)
    assert (found.wrong, found.unlinked, how) == ([], 0, [SAME, SAME])


async def test_what_is_forgotten_while_it_is_made_is_not_in_its_store_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await old_store(tmp_path / "old", "")
    taken, times = backup.snapshot, list[int]()

    async def meanwhile(*words: object) -> None:
        await taken(*words)  # type: ignore[arg-type]
        times.append(1)
        if len(times) == 1:  # retention comes just then
            kept.forget(MARKET, "9999-12-31", 0)

    monkeypatch.setattr(backup, "snapshot", meanwhile)
    about = await back_up(settings(tmp_path / "old"), tmp_path / "b.tar", with_keys=False)
    assert (len(times), about.parts[DECISIONS.part].bytes > 0) == (2, True), "it was taken once more"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.tar", "old"], "nothing is left beside it"


async def test_it_is_said_where_decisions_lie_that_are_left_out_and_what_is_none_of_ours_goes_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await old_store(tmp_path / "old", "")
    (tmp_path / "old" / "decisions" / "notes.txt").write_text("mine", encoding="ascii")
    words = ["--data-dir", str(tmp_path / "old")]
    assert await asyncio.to_thread(main, ["backup", str(tmp_path / "a.tar"), *words]) == 0
    assert "decisions" not in capsys.readouterr().out
    assert (
        await asyncio.to_thread(main, ["backup", str(tmp_path / "b.tar"), *words, "--without-decisions"]) == 0
    )
    assert f"they lie in {tmp_path / 'old' / 'decisions'}" in capsys.readouterr().out.replace("\n", "")
    with tarfile.open(tmp_path / "a.tar") as tar:
        packed = tar.extractfile(DECISIONS.part)
        assert packed is not None
        with tarfile.open(fileobj=packed) as inner:
            assert all(DECISIONS.names.fullmatch(each) for each in inner.getnames())


async def test_decisions_of_a_market_on_another_primary_are_no_loss_and_of_one_that_was_here_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a backup of one primary of a cluster, whose decisions are all in one place."""
    folder = tmp_path / "one"
    await old_store(folder, "")
    shutil.copytree(folder / "decisions" / MARKET, folder / "decisions" / "other")
    monkeypatch.setenv("DISPATCHER_MARKETS", f"{MARKET}={TZ.key},other={TZ.key}")
    words = ["audit", "--data-dir", str(folder), "--settle", "0"]
    async with EmbeddedRedis(folder) as redis, Store(redis.url, RING) as store:
        assert await asyncio.to_thread(main, words) == NOT_ALL
        assert "other: not looked at: decisions of it are kept" in capsys.readouterr().out
        broken = Keys("other").record(REQUEST_KIND, "r1")
        await store.reader.ask("SET", broken, "no record")
        assert await asyncio.to_thread(main, words) == 1, "what is wrong there is told"
        assert "the ledger is gone" in capsys.readouterr().out
        await store.reader.ask("DEL", broken)
        await store.market("other").lease.acquire("matcher", 1)
        assert await asyncio.to_thread(main, words) == 1
        assert "the ledger is gone, and 2 records are there" in capsys.readouterr().out
