"""Saved decisions by market and day: put, get by digest, list, forget.

A record lies at `market/day/digest`, what it shares with others of its day at `market/day/part-hash`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

from dispatcher.blobs.port import Blob, Blobs
from dispatcher.decisions.record import Raw, SavedPlan, Unsaved
from dispatcher.security.vault import Vault

PART: Final = "part-"
_KNOWN: Final = 64  # shared parts that were written of late
SURE_S: Final = 60.0  # real: so long they lie there; to ask an object store each time takes as long as to put


class Place(NamedTuple):
    """Where a record is."""

    market: str
    day: str
    name: str

    def __str__(self) -> str:
        return "/".join(self)


@dataclass(eq=False)
class DecisionStore:
    """All of it is for threads: it waits for disk or network. Raises OSError, Unsaved."""

    blobs: Blobs
    vault: Vault
    wall: Callable[[], float] = time.monotonic
    _shared: dict[str, float] = field(default_factory=dict)  #: when each was last known to lie there

    def put(self, raw: Raw, shared: Sequence[bytes]) -> bytes:
        """Keep a record and what it shares; its bytes as they are kept."""
        header = raw.header
        for name, content in zip(raw.shared, shared, strict=True):
            self._put_part(str(Place(header.market, header.day, PART + name)), content)
        record = raw.pack()
        self.blobs.put(str(place_of(header.market, header.day, header.digest, header.nth)), record)
        return record

    def _put_part(self, part: str, content: bytes) -> None:
        now_s = self.wall()
        if now_s - self._shared.get(part, -math.inf) < SURE_S:
            return
        # another process may have tidied it away since
        if part not in self._shared or not self.blobs.has(part):
            self.blobs.put(part, content)
        self._shared[part] = now_s
        while len(self._shared) > _KNOWN:
            self._shared.pop(next(iter(self._shared)))

    def raw(self, market: str, day: str, name: str) -> bytes | None:
        """A record's bytes; `name` as `names` gives it."""
        return self.blobs.get(str(Place(market, day, name)))

    def get(self, market: str, digest: str, days: Sequence[str], nth: int = 0) -> Raw | None:
        """The record of that digest on one of these days; None: it is not kept. Raises Unsaved."""
        for day in days:
            place = place_of(market, day, digest, nth)
            record = self.raw(*place)
            if record is not None:
                return read_at(place, record)
        return None

    def opened(self, raw: Raw) -> SavedPlan:
        """With its arrays. Raises Unsaved, UnreadablePatient (its key is missing)."""
        header = raw.header
        shared = list[bytes]()
        for name in raw.shared:
            part = self.blobs.get(str(Place(header.market, header.day, PART + name)))
            if part is None:
                raise Unsaved(f"decision {header.digest} lacks what it shares with others: {PART}{name}")
            shared.append(part)
        return raw.open(shared, lambda subject, sealed: self.vault.open(header.market, subject, sealed))

    def names(self, market: str, day: str) -> list[str]:
        """The records of a day."""
        found = (each.name.rpartition("/")[2] for each in self.blobs.under(f"{market}/{day}"))
        return [each for each in found if not each.startswith(PART)]

    def largest(self, market: str, day: str, most: int) -> list[str]:
        """So many records of a day, the largest first: batches are larger than what is planned by itself."""
        found = sorted(self.blobs.under(f"{market}/{day}"), key=lambda each: (-each.size, each.name))
        names = (each.name.rpartition("/")[2] for each in found)
        return [each for each in names if not each.startswith(PART)][:most]

    def days(self, market: str) -> list[str]:
        """The days of which something is kept, the oldest first."""
        return sorted({place.day for place in map(_placed, self.blobs.under(market)) if place is not None})

    def size(self, market: str) -> int:
        """Bytes of all that is kept."""
        return sum(each.size for each in self.blobs.under(market))

    def forget(self, market: str, before: str, most_bytes: int) -> int:
        """Remove days before this one; then the oldest days until no more than so much is left. How many.

        Of the last day that is left nothing goes: whoever saves is told that it is too much.
        """
        kept = sorted(
            (each for each in self.blobs.under(market) if _placed(each)), key=lambda each: each.name
        )
        total, gone = sum(each.size for each in kept), list[Blob]()
        days = sorted({each.name.split("/")[1] for each in kept})
        for day in days:
            its = [each for each in kept if each.name.split("/")[1] == day]
            if day < before or (total > most_bytes and day != days[-1]):
                gone += its
                total -= sum(each.size for each in its)
        self.blobs.remove(each.name for each in gone)
        for each in gone:
            self._shared.pop(each.name, None)
        return len(gone)


def read_at(place: Place, record: bytes) -> Raw:
    """The record that lies there. Raises Unsaved, also for a whole one that lies in another's place."""
    raw = Raw.read(record)
    its = place_of(raw.header.market, raw.header.day, raw.header.digest, raw.header.nth)
    if its != place:
        raise Unsaved(f"another decision lies in its place: {its}")
    return raw


def place_of(market: str, day: str, digest: str, nth: int = 0) -> Place:
    """Where the record is; `nth` of several plans from one input."""
    return Place(market, day, f"{digest}-{nth}" if nth else digest)


def days_back(today: date, days: int) -> Iterator[str]:
    """Tomorrow (a plan may be made for a moment to come), today, and so many days before it."""
    return ((today + timedelta(days=1 - ago)).isoformat() for ago in range(days + 2))


def _placed(blob: Blob) -> Place | None:
    """Of a file that somebody else put there: None."""
    parts = blob.name.split("/")
    if len(parts) != len(Place._fields):
        return None
    try:
        date.fromisoformat(parts[1])
    except ValueError:
        return None
    return Place(*parts)
