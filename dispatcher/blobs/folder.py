"""Blobs in a folder of this machine, or in the memory of a process that is given no place."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from dispatcher.blobs.port import Blob

_DRAFT = ".draft-"


class Folder:
    """Files, private to this user. `durable`: what was put survives a power cut, for which each put waits."""

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        self.root, self.durable = root, durable

    def __str__(self) -> str:
        return str(self.root)

    def put(self, name: str, content: bytes) -> None:
        """See `Blobs`."""
        path = self.root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.parent / f"{_DRAFT}{secrets.token_hex(6)}"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
                file.write(content)
                if self.durable:
                    file.flush()
                    os.fsync(file.fileno())
            draft.replace(path)
            if self.durable:
                self._keep_names(path.parent)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def _keep_names(self, folder: Path) -> None:
        """That a file is there is written in its folder, and that the folder is, in the one above."""
        for each in (folder, *folder.parents):
            descriptor = os.open(each, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if each == self.root:
                return

    def get(self, name: str) -> bytes | None:
        """See `Blobs`."""
        try:
            return (self.root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def has(self, name: str) -> bool:
        """See `Blobs`."""
        return (self.root / name).is_file()

    def under(self, folder: str) -> list[Blob]:
        """See `Blobs`."""
        found = []
        for path in (self.root / folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # another tidies up, too
                if path.is_file() and not path.name.startswith(_DRAFT):
                    found.append(Blob(path.relative_to(self.root).as_posix(), path.stat().st_size))
        return sorted(found)

    def remove(self, names: Iterable[str]) -> None:
        """See `Blobs`; folders that are empty then go, too."""
        folders = set()
        for name in names:
            (self.root / name).unlink(missing_ok=True)
            folders.add((self.root / name).parent)
        for each in folders:
            with contextlib.suppress(OSError):
                each.rmdir()


class Memory(dict[str, bytes]):
    """Nothing outlives the process: for a service that is given no place."""

    def put(self, name: str, content: bytes) -> None:
        """See `Blobs`."""
        self[name] = content

    def has(self, name: str) -> bool:
        """See `Blobs`."""
        return name in self

    def under(self, folder: str) -> list[Blob]:
        """See `Blobs`."""
        return sorted(Blob(name, len(held)) for name, held in self.items() if name.startswith(f"{folder}/"))

    def remove(self, names: Iterable[str]) -> None:
        """See `Blobs`."""
        for each in list(names):
            self.pop(each, None)
