"""Pictures of proofs and documents of credentials in a backup: as they lie, sealed, in a tar within it.

Those of a folder only: an object store keeps versions and copies of its own.
"""

from __future__ import annotations

import re
import tarfile
from typing import IO

from dispatcher.blobs.folder import Folder
from dispatcher.blobs.port import Blobs
from dispatcher.runtime.errors import UserError
from dispatcher.serve import archive
from dispatcher.serve.archive import Draft, Part

PICTURES = "proofs.tar"
# market/day/dispatch.part.of.digest.ending, market/papers/day/vendor.kind.token.ending: none leads out
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}(/papers)?/\d{4}-\d\d-\d\d/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


def folder_of(blobs: Blobs) -> Folder | None:
    """The folder that pictures lie in; None: they lie elsewhere, or there is none yet."""
    return blobs if isinstance(blobs, Folder) and blobs.root.is_dir() else None


def pack(folder: Folder, draft: Draft, file: IO[bytes]) -> Part:
    """Write all pictures there are; after the store was read, so that each that it names is among them."""
    writer = _Noting(draft, file)
    with tarfile.open(fileobj=writer, mode="w|") as tar:  # type: ignore[call-overload]
        for each in folder.under("."):
            content = folder.get(each.name)
            if content is not None and NAME.fullmatch(each.name):  # else it was forgotten just now
                archive.add(tar, each.name, content)
    return draft.part()


def unpack(packed: IO[bytes], blobs: Blobs) -> int:
    """Put them where pictures lie now; how many. Raises UserError, OSError."""
    count = 0
    with tarfile.open(fileobj=packed, mode="r|") as tar:
        for entry in tar:
            found = tar.extractfile(entry) if entry.isfile() else None
            if found is None or not NAME.fullmatch(entry.name):
                raise UserError(
                    f"{PICTURES} of the backup holds what is no picture of ours.",
                    "Maybe take an older backup.",
                )
            blobs.put(entry.name, found.read())
            count += 1
    return count


class _Noting:
    """A file that counts what is written to it."""

    def __init__(self, draft: Draft, file: IO[bytes]) -> None:
        self.draft, self.file = draft, file

    def write(self, piece: bytes) -> int:
        """Write and count."""
        self.draft.note(piece)
        return self.file.write(piece)
