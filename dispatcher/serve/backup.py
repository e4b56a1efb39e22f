"""Backup and restore of the store: the embedded server's folder, running or not, or any server by URL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tarfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from dispatcher import __version__
from dispatcher.blobs.folder import Folder
from dispatcher.blobs.places import decisions_of, proofs_of
from dispatcher.blobs.port import Blobs
from dispatcher.runtime.arguments import writing
from dispatcher.runtime.errors import UserError
from dispatcher.serve import archive, backup_blobs, data_folder
from dispatcher.serve.archive import DATA, About, Draft, Part
from dispatcher.serve.backup_blobs import DECISIONS, PICTURES, Kind, folder_of
from dispatcher.serve.backup_keys import NotEmpty, key_files, packed_keys, refuse_there, write_private
from dispatcher.serve.backup_source import AOF, database, identity_at, identity_of, reader_of, serving
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.keeping import IDENTITY_FILE
from dispatcher.settings import Settings
from dispatcher.store import copying
from dispatcher.store.connection import Reader
from dispatcher.store.snapshot import snapshot

STAGE = "restoring"  # beside the data that comes: on the same disk
#: where each kind lies, as the settings say
PLACES: Mapping[Kind, Callable[[Settings], Blobs]] = {PICTURES: proofs_of, DECISIONS: decisions_of}


async def back_up(
    settings: Settings,
    target: Path,
    *,
    with_keys: bool,
    with_pictures: bool = True,
    with_decisions: bool | None = None,
) -> About:
    """Write a backup of the store to `target`, with pictures and decisions where they lie in a folder.

    `with_decisions`: also from an object store, or not at all. Raises UserError.
    """
    keys = key_files(settings) if with_keys else {}
    blobs = await asyncio.to_thread(_beside, settings, with_pictures, with_decisions)
    for last in (False, False, True):
        made = await _written(settings, target, keys, blobs, last=last)
        if made is not None:
            return made
    raise AssertionError("the last one is taken as it is")


def _beside(settings: Settings, pictures: bool, decisions: bool | None) -> dict[Kind, Blobs]:
    """What goes in beside the store, and where it lies."""
    found = dict[Kind, Blobs]()
    if pictures and (folder := folder_of(proofs_of(settings))) is not None:
        found[PICTURES] = folder
    place: Blobs = decisions_of(settings)
    is_there = folder_of(place) is not None
    if is_there if decisions is None else decisions and (is_there or not isinstance(place, Folder)):
        found[DECISIONS] = place
    return found


async def _written(
    settings: Settings, target: Path, keys: Mapping[str, bytes], blobs: Mapping[Kind, Blobs], *, last: bool
) -> About | None:
    """None: decisions were forgotten meanwhile, of which it may tell; `last`: it is taken all the same."""
    drafts = {name: Draft(target.with_name(f"{target.name}.{name}")) for name in (DATA, *map(_part, blobs))}
    try:
        with ExitStack() as opened:
            files = {name: opened.enter_context(each.opened()) for name, each in drafts.items()}
            before = await _decisions(blobs)

            def write(piece: bytes) -> None:
                drafts[DATA].note(piece)
                files[DATA].write(piece)

            async with serving(settings) as url:
                identity = await identity_at(url)
                await snapshot(url, write)
            packed = {DATA: drafts[DATA].part()}
            for kind, place in blobs.items():
                name = kind.part
                packed[name] = await asyncio.to_thread(_packed, kind, place, drafts[name], files[name])
            if not last and not before <= await _decisions(blobs):
                return None
            about = About(
                format=archive.FORMAT,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                version=__version__,
                identity=identity,
                database=database(url),
                parts={**packed, **{name: archive.digest(each) for name, each in keys.items()}},
            )
            archive.pack(target, about, files, keys)
    finally:
        for each in drafts.values():
            each.discard()
    return about


def _part(kind: Kind) -> str:
    return kind.part


def _packed(kind: Kind, place: Blobs, draft: Draft, file: IO[bytes]) -> Part:
    try:
        return backup_blobs.pack(kind, place, draft, file)
    except OSError as error:
        raise _unread(kind, place, error) from error


async def _decisions(blobs: Mapping[Kind, Blobs]) -> set[str]:
    """Those that there are now, if they go in."""
    place = blobs.get(DECISIONS)
    if place is None:
        return set()
    try:
        return await asyncio.to_thread(backup_blobs.names, DECISIONS, place)
    except OSError as error:
        raise _unread(DECISIONS, place, error) from error


def _unread(kind: Kind, place: Blobs, error: OSError) -> UserError:
    return UserError(
        f"the {kind.called}s in {place} cannot be read, or not be packed: {error}.",
        f"Maybe the disk is full; or leave them out: --without-{kind.called}s.",
    )


async def restore(settings: Settings, source: Path, *, replace: bool, with_keys: bool) -> About:
    """Put a backup into the store, which must hold nothing unless `replace`. Raises UserError."""
    with archive.opened(source) as (about, tar):
        keys = packed_keys(tar, about) if with_keys else {}
        for path, _ in keys.values():
            refuse_there(settings.data_dir / path, replace)
        data_folder.make_usable(settings.data_dir)
        stage = settings.data_dir / STAGE
        if settings.redis_url:
            with _cleared(stage):
                await _into_server(settings.redis_url, about, tar, stage, replace)
        else:
            await _into_folder(settings.data_dir, about, tar, stage, replace)
        for kind, place_of in PLACES.items():
            if kind.part in about.parts:
                with archive.read(tar, kind.part) as packed:
                    await asyncio.to_thread(_put, kind, packed, place_of(settings))
        for path, content in keys.values():
            write_private(settings.data_dir / path, content)
    return about


def _put(kind: Kind, packed: IO[bytes], place: Blobs) -> None:
    try:
        backup_blobs.unpack(kind, packed, place)
    except OSError as error:
        where = "DISPATCHER_PROOFS" if kind is PICTURES else "DISPATCHER_DECISIONS"
        raise UserError(
            f"the store is restored, and {kind.called}s cannot be put into {place}: {error}.",
            f"Maybe see {where}, and restore once more with --replace.",
        ) from error


@contextlib.contextmanager
def _cleared(stage: Path) -> Iterator[None]:
    """Without what a restore left that did not come to its end; and gone afterwards."""
    shutil.rmtree(stage, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(stage, ignore_errors=True)


async def _into_folder(folder: Path, about: About, tar: tarfile.TarFile, stage: Path, replace: bool) -> None:
    redis = EmbeddedRedis(folder)
    data_folder.make_private(redis.folder)
    lock = await data_folder.lock(redis.folder)  # a running service has it
    try:
        there = redis.folder / AOF
        is_there = await asyncio.to_thread(_holds_files, there)
        if is_there and not replace:
            raise NotEmpty(
                f"the data folder {folder} holds a store.",
                "Maybe name an empty one with --data-dir; --replace moves what is there aside.",
            )
        with _cleared(stage):  # only now: until we had the lock it might be another restore's
            async with _loaded(about, tar, stage, durable=True):
                pass
            if is_there:
                there.rename(redis.folder / f"{AOF}.replaced-{time.time_ns() // 1_000_000}")
            (stage / "valkey" / AOF).rename(there)  # also over an empty folder
        if about.identity:  # else it is named at its first start
            (redis.folder / IDENTITY_FILE).write_text(about.identity, encoding="ascii")
    finally:
        os.close(lock)


async def _into_server(url: str, about: About, tar: tarfile.TarFile, stage: Path, replace: bool) -> None:
    async with reader_of(url) as target:
        if not await copying.is_empty(target):
            if not replace:
                raise NotEmpty(
                    "the store at this URL is not empty.",
                    "Maybe name an empty one with --url; --replace deletes all that is ours there first.",
                )
            await copying.clear(target)
        async with _loaded(about, tar, stage, durable=False) as source:
            await copying.copy(source, target)


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


@contextlib.asynccontextmanager
async def _loaded(about: About, tar: tarfile.TarFile, stage: Path, *, durable: bool) -> AsyncIterator[Reader]:
    """A server of our own that holds the backup's data; `durable`: also in append-only files."""
    await asyncio.to_thread(_unpack, tar, stage / "valkey" / DATA)
    settings = {"appendonly": "no", "dbfilename": DATA}
    async with EmbeddedRedis(stage, settings=settings) as redis, reader_of(redis.url) as reader:
        if about.database:
            await reader.ask("SWAPDB", 0, about.database)
        if (found := await identity_of(reader)) != about.identity:
            raise UserError(
                f"the backup is of store {about.identity}, and its data of {found or 'none'}.",
                "Maybe take another backup.",
            )
        if durable:
            await reader.ask("CONFIG", "SET", "appendonly", "yes")
            await _until_written(reader)
        yield reader


def _unpack(tar: tarfile.TarFile, target: Path) -> None:
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o700)
    with writing(target), archive.read(tar, DATA) as data, target.open("wb") as file:
        shutil.copyfileobj(data, file)


async def _until_written(reader: Reader) -> None:
    """Until the append-only files hold all that was loaded."""
    while True:
        info = await reader.ask("INFO", "persistence")
        if not int(info["aof_rewrite_in_progress"]) and not int(info.get("aof_rewrite_scheduled", 0)):
            break
        await asyncio.sleep(0.02)
    if info["aof_last_bgrewrite_status"] != "ok":
        raise UserError("the data could not be written.", "Maybe the disk of the data folder is full.")
