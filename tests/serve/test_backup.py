"""The drill: a backup under load, restored elsewhere; nothing that was acknowledged is missing."""

from __future__ import annotations

import asyncio
import io
import shlex
import stat
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatcher.audit.auditor import audit
from dispatcher.blobs.folder import Folder
from dispatcher.cli import main
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.errors import UserError
from dispatcher.security import key_files
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve import archive, backup_blobs, keeping
from dispatcher.serve.backup import STAGE, back_up, restore
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Settings
from dispatcher.store.identity import Identity
from dispatcher.store.store import Store
from tests.store.made import DAY, PATIENT, pools, vendor
from tests.store.work import Writers

PICTURE = "metro/2026-03-02/r1.1.pickup.photo.0123456789abcdef.png"
RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
MARKET = "drill"


def settings(folder: Path, url: str = "") -> Settings:
    return Settings(data_dir=folder, redis_url=url)


async def fill(redis: EmbeddedRedis, backup: Path | None = None) -> set[str]:
    """Eight writers at work on a server; the ids acknowledged before the backup begins."""
    async with Store(redis.url, RING) as store:
        await Identity(store.reader).problem()
        market = store.market(MARKET)
        await market.vendors.put(vendor())
        await market.capacity.put("v1", DAY, pools(9))
        writers = Writers(market, seed=3)
        work = asyncio.create_task(writers.run(8, "w"))
        while len(writers.acknowledged) < 60:
            await asyncio.sleep(0.005)
        before = set(writers.acknowledged)
        if backup is not None:
            await back_up(settings(redis.folder.parent), backup, with_keys=False)
            assert writers.acknowledged > before, "the work went on meanwhile"
        writers.stopping = True
        await work
        return before


async def findings(url: str, ids: Collection[str]) -> Any:
    async with Store(url, RING) as store:
        report = await audit(store.reader, MARKET, ids, streams=True)
        assert await store.market(MARKET).requests.patient(sorted(ids)[0]) == PATIENT
        assert report["requests"] >= len(ids)
        return report["findings"]


async def test_a_backup_under_load_is_whole_wherever_it_is_restored(tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar"
    async with EmbeddedRedis(tmp_path / "old") as redis:
        ids = await fill(redis, backup)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert PATIENT.name.encode() not in backup.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup.tar", "old"]

    new = tmp_path / "new"
    about = await restore(settings(new), backup, replace=False, with_keys=False)
    async with EmbeddedRedis(new) as redis:
        assert keeping.remembered(redis) == about.identity
        assert await findings(redis.url, ids) == []
        await redis.restart()
        assert await findings(redis.url, ids) == [], "it is on disk"
    with pytest.raises(UserError, match="holds a store"):
        await restore(settings(new), backup, replace=False, with_keys=False)

    async with EmbeddedRedis(tmp_path / "other") as redis:
        there = settings(tmp_path / "stage", redis.url)
        await restore(there, backup, replace=False, with_keys=False)
        assert await findings(redis.url, ids) == []
        with pytest.raises(UserError, match="is not empty"):
            await restore(there, backup, replace=False, with_keys=False)
        async with Store(redis.url, RING) as store:
            await store.reader.ask("SET", "dispatch:{drill}:stray", "x")
        await restore(there, backup, replace=True, with_keys=False)
        assert await findings(redis.url, ids) == []
        async with Store(redis.url, RING) as store:
            assert await store.reader.ask("EXISTS", "dispatch:{drill}:stray") == 0


@pytest.mark.parametrize(
    "name", ["../outside/2026-01-01/a.b", "/etc/2026-01-01/a.b", "metro/2026-01-01/..", "a"]
)
def test_what_is_no_picture_of_ours_is_put_nowhere(tmp_path: Path, name: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        archive.add(tar, name, b"x")
    packed.seek(0)
    with pytest.raises(UserError, match="no picture of ours"):
        backup_blobs.unpack(backup_blobs.PICTURES, packed, Folder(tmp_path / "proofs"))
    assert list(tmp_path.rglob("*")) == []


async def test_a_store_that_does_not_run_is_backed_up_with_its_keys_if_asked_and_replaced_if_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the folder that is named, on a machine of a service whose store is another."""
    monkeypatch.setenv("DISPATCHER_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DISPATCHER_PROOFS", str(tmp_path / "its pictures"))
    old, new = tmp_path / "old", tmp_path / "new"
    async with EmbeddedRedis(old) as redis, Store(redis.url, RING) as store:
        await Identity(store.reader).problem()
    key_files.ensure_token_keys(old / "token-keys.json")
    key_files.ensure_patient_keys(old / "patient-keys.json")
    Folder(old / "proofs").put(PICTURE, b"sealed")
    file, bare = str(tmp_path / "b.tar"), str(tmp_path / "bare.tar")
    assert await asyncio.to_thread(main, ["backup", file, "--data-dir", str(old)]) == 0
    said = capsys.readouterr().out
    assert "key files are not in it" in said
    assert "pictures" not in said
    assert await asyncio.to_thread(main, ["backup", bare, "--data-dir", str(old), "--without-pictures"]) == 0
    assert f"pictures of proofs are not in it: they lie in {old / 'proofs'}" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["backup", file, "--data-dir", str(old)]) == 1
    assert "there is a file" in capsys.readouterr().err
    keyed = str(tmp_path / "keyed.tar")
    assert await asyncio.to_thread(main, ["backup", keyed, "--data-dir", str(old), "--with-keys"]) == 0
    assert "can read every patient" in capsys.readouterr().out
    words = ["restore", keyed, "--data-dir", str(new), "--with-keys"]
    assert await asyncio.to_thread(main, words) == 0
    said = capsys.readouterr().out
    assert f"its pictures lie in {new / 'proofs'}, " in said
    assert f"audit --streams --data-dir {shlex.quote(str(new))}," in said
    audit = ["audit", "--streams", "--settle", "0", "--data-dir", str(new)]
    assert await asyncio.to_thread(main, audit) == 0, "as it says, before the service starts"
    assert "sound" in capsys.readouterr().out
    assert not (new / "valkey" / "valkey.sock").exists()
    for name in ("token-keys.json", "patient-keys.json"):
        assert (new / name).read_bytes() == (old / name).read_bytes()
        assert stat.S_IMODE((new / name).stat().st_mode) == 0o600
    assert Folder(new / "proofs").get(PICTURE) == b"sealed"
    assert not (tmp_path / "its pictures").exists()
    assert await asyncio.to_thread(main, words) == 1
    assert await asyncio.to_thread(main, ["restore", file, "--data-dir", str(new), "--replace"]) == 0
    assert len(list((new / "valkey").glob("appendonlydir.replaced-*"))) == 1
    assert not (new / "restoring").exists()
    assert (
        await asyncio.to_thread(main, ["restore", file, "--data-dir", str(new), "--with-keys", "--replace"])
        == 1
    )
    assert "the backup holds no token-keys.json" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["backup", file + "2", "--data-dir", str(tmp_path / "none")]) == 1
    assert "there is no store in" in capsys.readouterr().err


@pytest.fixture
async def small(tmp_path: Path) -> Path:
    """A backup of a store with a name and nothing else."""
    async with EmbeddedRedis(tmp_path / "old") as redis, Store(redis.url, RING) as store:
        await Identity(store.reader).problem()
        await back_up(settings(tmp_path / "old"), tmp_path / "b.tar", with_keys=False)
    return tmp_path / "b.tar"


async def test_a_backup_that_is_damaged_cut_or_of_another_form_changes_nothing(
    small: Path, tmp_path: Path
) -> None:
    whole = small.read_bytes()
    at = whole.index(b"REDIS") if b"REDIS" in whole else whole.index(b"VALKEY")
    odd = {
        "its checksum differs": whole[: at + 20] + bytes([whole[at + 20] ^ 1]) + whole[at + 21 :],
        "is no backup, or is cut": whole[: at + 10],
        "is a backup of format 2": _of_format_2(small),
        "no backup": b"rubbish" * 500,
    }
    for told, content in odd.items():
        small.write_bytes(content)
        with pytest.raises(UserError, match=told):
            await restore(settings(tmp_path / "new"), small, replace=False, with_keys=False)
    assert not (tmp_path / "new").exists()


def _of_format_2(small: Path) -> bytes:
    other = small.with_name("other.tar")
    with tarfile.open(small) as tar, tarfile.open(other, "w") as made:
        raw = archive.read(tar, archive.ABOUT).read()
        archive.add(made, archive.ABOUT, raw.replace(b'"format": 1', b'"format": 2'))
    return other.read_bytes()


async def test_a_folder_whose_service_runs_is_not_restored_into(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.serve.data_folder.LOCK_TIMEOUT_S", 0.0)
    half_done = tmp_path / "new" / STAGE
    async with EmbeddedRedis(tmp_path / "new"):
        half_done.mkdir()
        with pytest.raises(UserError, match="is in use"):
            await restore(settings(tmp_path / "new"), small, replace=True, with_keys=False)
        assert half_done.is_dir(), "whoever has the folder may be a restore: its half is its own"


async def test_what_a_backup_is_is_said_in_it(small: Path) -> None:
    with archive.opened(small) as (about, tar):
        assert sorted(tar.getnames()) == sorted(["backup.json", "data.rdb"])
        told = msgspec.to_builtins(about)
    assert (told["format"], told["database"], sorted(told["parts"])) == (1, 0, ["data.rdb"])
    assert len(told["identity"]) == 32


async def test_a_store_that_is_away_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.serve.backup_source.ASK_S", 0.0)
    with pytest.raises((UserError, Unavailable)):
        await back_up(settings(tmp_path, f"unix://{tmp_path}/none.sock"), tmp_path / "b", with_keys=False)
    assert list(tmp_path.iterdir()) == []
