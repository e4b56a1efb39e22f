"""What matchers and workers send each other, sealed: with the task if it is small, else in the object store.

Doors and needs are in it, so it is sealed under the patient keys and bound to what is asked for. The broker
reads nothing of it, and nothing that it makes up is opened.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from dataclasses import dataclass
from typing import Final

from dispatcher.blobs.port import Blobs
from dispatcher.security.vault import UnreadablePatient, Vault, key_of
from dispatcher.workers.broker import Ref

TASK, RESULT = "task", "result"  #: purposes: the one is never taken for the other
SMALL: Final = 128 * 1024  #: bytes; what is larger lies in the object store
DAY_S: Final = 86_400
ONE_PLACE: Final = "Maybe DISPATCHER_PARCELS is not one place for matchers and workers."
ONE_RING: Final = "Maybe DISPATCHER_PATIENT_KEYS is not the same for matchers and workers."
_BESIDE, _STORED = b"\x00", b"\x01"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/\d{1,6}/[0-9a-f]{32}")


class NoParcel(Exception):
    """It is not there, or cannot be opened here. Its words hold nothing of what was asked."""


@dataclass(frozen=True, eq=False)
class Parcels:
    """For threads: an object store may be far away."""

    vault: Vault
    blobs: Blobs
    small: int = SMALL
    answers: bool = False  #: under the key that was asked under: who asked has it

    def packed(self, ref: Ref, purpose: str, plain: bytes) -> bytes:
        """As it goes over the broker. Raises Unavailable (no key is agreed on), OSError."""
        sealed = self.vault.seal(ref.market, _subject(ref, purpose), plain)
        if len(sealed) <= self.small:
            return _BESIDE + sealed
        name = f"{ref.market}/{int(time.time()) // DAY_S}/{secrets.token_hex(16)}"
        self.blobs.put(name, sealed)
        return _STORED + name.encode()

    def opened(self, ref: Ref, purpose: str, parcel: bytes) -> bytes:
        """What was packed. Raises NoParcel, OSError."""
        sealed: bytes | None = parcel[1:]
        if (name := _stored(parcel)) is not None:
            sealed = self.blobs.get(name) if name.startswith(f"{ref.market}/") else None
        if not sealed:
            raise NoParcel(f"it is not where it was left\n{ONE_PLACE}")
        try:
            plain = self.vault.open(ref.market, _subject(ref, purpose), sealed)
            if self.answers:
                self.vault.seal_with(ref.market, key_of(sealed))
        except UnreadablePatient as error:
            raise NoParcel(f"it cannot be opened here ({type(error).__name__})\n{ONE_RING}") from error
        return plain

    def thrown_away(self, parcel: bytes) -> None:
        """Keep it no longer; one that cannot be removed now goes with its day."""
        if (name := _stored(parcel)) is not None:
            with contextlib.suppress(OSError):
                self.blobs.remove([name])

    def tidied(self, market: str) -> int:
        """Remove what lies longer than a day: its matcher or worker has ended. How many. Raises OSError."""
        today = int(time.time()) // DAY_S
        ours = (each.name for each in self.blobs.under(market) if _NAME.fullmatch(each.name))
        old = [each for each in ours if _day_of(each) < today - 1]
        self.blobs.remove(old)
        return len(old)


def _subject(ref: Ref, purpose: str) -> str:
    return f"{purpose}:{ref.digest}:{ref.fence}"


def _stored(parcel: bytes) -> str | None:
    """The name under which it lies; None: it is all there. What a broker makes up names no file of ours."""
    if not parcel.startswith(_STORED):
        return None
    name = parcel[1:].decode("ascii", "replace")
    return name if _NAME.fullmatch(name) else ""


def _day_of(name: str) -> int:
    _, day, _ = name.split("/")
    return int(day)
