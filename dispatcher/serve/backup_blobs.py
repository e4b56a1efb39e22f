"""Pictures of proofs, documents and saved decisions in a backup: as they lie, sealed, in tars of their own.

Pictures are those of a folder only: an object store keeps versions and copies of its own. Decisions are taken
from an object store, too, where that is asked for: they go with the ledger that the store has at that moment.
"""

from __future__ import annotations

import re
import tarfile
from typing import IO, NamedTuple

from dispatcher.blobs.folder import Folder
from dispatcher.blobs.port import Blobs
from dispatcher.runtime.errors import UserError
from dispatcher.serve import archive
from dispatcher.serve.archive import Draft, Part


class Kind(NamedTuple):
    """A part of a backup: its name, the names that may be in it (none leads out of a folder), what one is."""

    part: str
    names: re.Pattern[str]
    called: str


_MARKET, _DAY = r"[A-Za-z0-9_-]{1,64}/", r"\d{4}-\d\d-\d\d/"
#: market/day/dispatch.part.of.digest.ending; market/papers/day/vendor.kind.token.ending
PICTURES = Kind(
    "proofs.tar", re.compile(_MARKET + "(papers/)?" + _DAY + r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+"), "picture"
)
#: market/day/digest-nth, and what records of a day share
DECISIONS = Kind(
    "decisions.tar", re.compile(_MARKET + _DAY + r"([0-9a-f]{16}(-\d{1,9})?|part-[0-9a-f]{32})"), "decision"
)


def folder_of(blobs: Blobs) -> Folder | None:
    """The folder that blobs lie in; None: they lie elsewhere, or there is none yet."""
    return blobs if isinstance(blobs, Folder) and blobs.root.is_dir() else None


def names(kind: Kind, blobs: Blobs) -> set[str]:
    """What there is of ours. Raises OSError."""
    found = blobs.under("." if isinstance(blobs, Folder) else "")
    return {each.name for each in found if kind.names.fullmatch(each.name)}


def pack(kind: Kind, blobs: Blobs, draft: Draft, file: IO[bytes]) -> Part:
    """Write all there are; after the store was read, so that each that it names is among them."""
    writer = _Noting(draft, file)
    with tarfile.open(fileobj=writer, mode="w|") as tar:  # type: ignore[call-overload]
        for each in sorted(names(kind, blobs)):
            content = blobs.get(each)
            if content is not None:  # else it was forgotten just now
                archive.add(tar, each, content)
    return draft.part()


def unpack(kind: Kind, packed: IO[bytes], blobs: Blobs) -> int:
    """Put them where such lie now; how many. Raises UserError, OSError."""
    count = 0
    with tarfile.open(fileobj=packed, mode="r|") as tar:
        for entry in tar:
            found = tar.extractfile(entry) if entry.isfile() else None
            if found is None or not kind.names.fullmatch(entry.name):
                raise UserError(
                    f"{kind.part} of the backup holds what is no {kind.called} of ours.",
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
