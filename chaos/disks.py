"""A disk that can be full: a small one of its own where one may be mounted, else a limit on files."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.e2e.conftest import descendants

ROOM_BYTES = 200_000  # what still fits in when it is said to be full
TIGHT = 24_000_000


class Disk(Protocol):
    """Where a service keeps its data."""

    folder: Path

    def fill(self, supervisor: int) -> None: ...
    def free(self, supervisor: int) -> None: ...


class Mounted:
    """A tmpfs; a filler takes what room there is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, supervisor: int) -> None:
        """Nearly no room is left."""
        disk = os.statvfs(self.folder)
        with (self.folder / "filler").open("wb", buffering=0) as file:
            file.write(bytes(max(0, disk.f_bavail * disk.f_frsize - ROOM_BYTES)))

    def free(self, supervisor: int) -> None:
        """There is room."""
        (self.folder / "filler").unlink()


class Limited:
    """What `ulimit -f` does, which needs no right: the server's file takes a little more, then no more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, supervisor: int) -> None:
        """The running server's files, and those of the ones that are started from now on, are long enough."""
        files = [each.stat().st_size for each in self.folder.glob("valkey/appendonlydir/*")]
        self._limit(supervisor, max(files) + ROOM_BYTES)

    def free(self, supervisor: int) -> None:
        """No limit any more."""
        self._limit(supervisor, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(supervisor: int, soft: int) -> None:
        for pid in (supervisor, *servers(supervisor)):
            with contextlib.suppress(ProcessLookupError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def servers(supervisor: int) -> list[int]:
    """The process ids of the embedded servers below a supervisor."""
    return [pid for pid in descendants(supervisor) if _program(pid).endswith("-server")]


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].partition(b" ")[0].decode()
    except OSError:
        return ""


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """The real thing if we may mount one, else the limit."""
    place = folder / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={TIGHT}", "tmpfs", str(place)]
    try:
        mounted = not subprocess.run(words, capture_output=True, check=False).returncode
    except OSError:
        mounted = False
    try:
        yield Mounted(place) if mounted else Limited(place)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=False)


@contextlib.contextmanager
def limited(folder: Path) -> Iterator[Disk]:
    """The limit, whether or not we may mount."""
    place = folder / "disk"
    place.mkdir()
    yield Limited(place)
