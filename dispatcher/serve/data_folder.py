"""The data folder of an embedded server: private, locked by one owner, with a socket and a bounded log."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dispatcher.runtime.errors import UserError

SOCKET_PATH_LIMIT_BYTES = 100  # the kernel's limit is 108 on Linux and 104 on macOS, with the final zero
LOG_LIMIT_BYTES = 1_000_000
LOCK_TIMEOUT_S = 5.0  # a killed owner's server needs a moment to die
POLL_S = 0.01
ROOM_BYTES = 1_000_000
LEFTOVERS = ("dump.rdb", "temp-*.rdb", "temp-*.aof")


class FolderError(UserError):
    """The folder belongs to someone else, or another service uses it."""


def bound_log(log: Path) -> None:
    """Keep at most two files of LOG_LIMIT_BYTES.

    The server opens its log anew for each line, so moving the file away is safe at any time.
    """
    with contextlib.suppress(OSError):  # it is missing, or its disk is full or read-only
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))


def socket_path(folder: Path) -> Path:
    """Inside the folder if the path is short enough for a socket, else in a folder of our own under /tmp."""
    inside = folder / "valkey.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT_BYTES:
        return inside
    short = f"dispatcher-{os.getuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    homes = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - made private, and refused if another's
    paths = [home / short / "valkey.sock" for home in homes]
    return next((path for path in paths if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT_BYTES), paths[-1])


def make_usable(folder: Path) -> None:
    """Make the folder where it is missing. Raises FolderError: a file, read-only, or full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4_096))
            probe.flush()
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror
        raise FolderError(
            f"the data folder {folder} cannot be used: {reason}.",
            "Maybe choose another with --data-dir, or make room.",
        ) from error
    if is_full(folder):
        raise FolderError(
            f"the data folder {folder} cannot be used: its disk is full.",
            "Maybe make room, or choose another with --data-dir.",
        )


def is_full(folder: Path) -> bool:
    """Whether its disk has less than ROOM_BYTES left; a server that cannot write its file ends."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < ROOM_BYTES


def remove_leftovers(folder: Path) -> None:
    """Remove what no server reads again, patients in it: the file of a backup, what a killed one left."""
    for pattern in LEFTOVERS:
        for left in folder.glob(pattern):
            left.unlink()


def set_orphans_aside(folder: Path) -> Path | None:
    """Where append-only files without their manifest went, if there were any.

    A server that finds no manifest starts empty, and writes over what lies there.
    """
    files = folder / "appendonlydir"
    if not files.is_dir() or not any(files.iterdir()) or any(files.glob("*.manifest")):
        return None
    aside = folder / f"appendonlydir.lost-{time.time_ns() // 1_000_000}"
    files.rename(aside)
    return aside


def make_private(folder: Path) -> None:
    """Make the folder, for this user alone (mode 0700). Raises FolderError if it is another user's."""
    make_usable(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not folder.is_dir():
        raise FolderError(f"{folder} is no folder.", "Maybe choose another data folder.")
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise FolderError(f"{folder} belongs to someone else.", "Maybe choose another data folder.")
    folder.chmod(0o700)


async def lock(folder: Path) -> int:
    """An open, locked descriptor; it stays locked until every process that inherited it has ended.

    Raises FolderError if another holds the lock for longer than LOCK_TIMEOUT_S.
    """
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def locked() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if not await within(LOCK_TIMEOUT_S, locked):
        owner = os.read(descriptor, 20).decode() or "unknown"
        os.close(descriptor)
        raise FolderError(
            f"the data folder {folder} is in use (by process {owner}).",
            "Maybe stop that service, or choose another data folder.",
        )
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


async def within(limit_s: float, condition: Callable[[], bool]) -> bool:
    """Whether `condition` came true within `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True
