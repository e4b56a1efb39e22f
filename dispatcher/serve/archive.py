"""A backup as a file: a tar of what it is (`backup.json`), the data (`data.rdb`), key files if asked for."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from dispatcher.runtime.arguments import writing
from dispatcher.runtime.errors import UserError

FORMAT = 1
ABOUT, DATA = "backup.json", "data.rdb"
READ_BYTES = 1 << 20
PRIVATE = 0o600


class Part(msgspec.Struct, frozen=True):
    """A file of the archive, as it must be."""

    bytes: int
    sha256: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is. `database`: the data's number in its server.

    `identity`: the store's name; "" of a cluster's server whose name another one has.
    """

    format: int
    made_at: str
    version: str  # of the service that made it
    identity: str
    database: int
    parts: dict[str, Part]

    @property
    def called(self) -> str:
        """The store, as people are told of it."""
        return f"store {self.identity}" if self.identity else "one server of a cluster"


class ArchiveError(UserError):
    """The file is no backup, is damaged, or is of a form that is not known."""


class Draft:
    """A file beside the one to be: for this user alone, and gone unless it is finished."""

    def __init__(self, target: Path) -> None:
        self.target, self.path = target, target.with_name(f".{target.name}.{os.getpid()}")
        self.sha256, self.size = hashlib.sha256(), 0

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """To be written. Raises UserError."""
        with writing(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(descriptor, "r+b") as file:
                yield file

    def part(self) -> Part:
        """What was written, as `note` was told."""
        return Part(self.size, self.sha256.hexdigest())

    def note(self, piece: bytes) -> None:
        """Count a piece."""
        self.sha256.update(piece)
        self.size += len(piece)

    def discard(self) -> None:
        """Take the file away, if it is there."""
        self.path.unlink(missing_ok=True)


def pack(target: Path, about: About, files: Mapping[str, IO[bytes]], keys: Mapping[str, bytes]) -> None:
    """Write the archive, whole or not at all; what is there is not written over. Raises UserError."""
    draft = Draft(target)
    try:
        with draft.opened() as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                add(tar, ABOUT, msgspec.json.format(msgspec.json.encode(about)))
                for name, content in keys.items():
                    add(tar, name, content)
                for name, part in files.items():
                    part.seek(0)
                    tar.addfile(_entry(name, about.parts[name].bytes), part)
            file.flush()
            os.fsync(file.fileno())
        with writing(target):
            os.link(draft.path, target)  # refuses where something is
    finally:
        draft.discard()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[About, tarfile.TarFile]]:
    """The archive, looked through: every part is there and as it was written. Raises ArchiveError."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            about = _about(tar, path)
            for name, part in about.parts.items():
                _refuse_damage(tar, name, part)
            yield about, tar
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise ArchiveError(
            f"'{path}' is no backup, or is cut.", "Maybe it was not copied to its end."
        ) from error
    except OSError as error:
        raise ArchiveError(f"cannot read '{path}': {error.strerror}.", "Maybe it is elsewhere.") from error


def read(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """A file of the archive. Raises KeyError."""
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def digest(content: bytes) -> Part:
    """What a small part is known by."""
    return Part(len(content), hashlib.sha256(content).hexdigest())


def _about(tar: tarfile.TarFile, path: Path) -> About:
    try:
        raw = read(tar, ABOUT).read()
        number = msgspec.json.decode(raw).get("format")
        if number != FORMAT:
            raise ArchiveError(
                f"'{path}' is a backup of format {number}; this version reads format {FORMAT}.",
                "Maybe restore it with the version that made it, and upgrade then: see docs/upgrading.md.",
            )
        return msgspec.json.decode(raw, type=About)
    except (msgspec.MsgspecError, AttributeError) as error:
        raise ArchiveError(f"'{path}' does not say what it is.", "Maybe it is no backup of ours.") from error


def _refuse_damage(tar: tarfile.TarFile, name: str, part: Part) -> None:
    found, size = hashlib.sha256(), 0
    with read(tar, name) as file:
        while piece := file.read(READ_BYTES):
            found.update(piece)
            size += len(piece)
    if (size, found.hexdigest()) != (part.bytes, part.sha256):
        raise ArchiveError(
            f"{name} of the backup is damaged: its checksum differs.", "Maybe take an older backup."
        )


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """One file."""
    tar.addfile(_entry(name, len(content)), io.BytesIO(content))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, PRIVATE
    return entry
