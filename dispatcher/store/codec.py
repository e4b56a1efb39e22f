"""How values are stored: a document is a version of 4 bytes, high byte first, and compressed MessagePack.

Its format number stands before or within that: `dispatcher.store.formats`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Generic, NamedTuple, TypeVar

import msgspec

from contracts.capacity import Capacity
from contracts.tuning import Tuning
from contracts.tuning_canary import CanaryHeld
from contracts.tuning_parameters import Effects, Measuring
from contracts.tuning_profiles import Profiles, ProfileStanding
from contracts.tuning_sets import SavedSets
from contracts.tuning_shadow import ShadowFound, ShadowHeld
from contracts.vendors import Vendor
from contracts.views import SavedViews
from dispatcher.domain.compact import Record
from dispatcher.domain.kinds import Kind
from dispatcher.store import formats
from dispatcher.store.compression import compress, decompress

ABSENT = b""  # where a version is expected: there must be no document
_VERSION_BYTES = 4
_DATE_BYTES = 8
_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
Value = TypeVar("Value")
R = TypeVar("R", bound=Record)


class Versioned(NamedTuple, Generic[Value]):
    """A document: its version (1, 2, …; the ETag) and what it holds."""

    version: int
    value: Value
    changed_ms: int = 0  # of a dated document: when it last changed for those who were refused before


Older = Callable[["bytes | memoryview"], "Value | None"]  #: reads an older form; None: it is none


class Document(Generic[Value]):
    """One type of document. `remembered`: so many are decoded once only; for what is read whole and again.

    `dated`: behind the version stands, in 8 bytes, when it last changed. `older` reads what earlier versions
    of the service stored.
    """

    def __init__(
        self,
        form: type[Value],
        *,
        remembered: int = 0,
        dated: bool = False,
        older: Older[Value] | None = None,
    ) -> None:
        self._form, self._decoder = form, msgspec.msgpack.Decoder(form)
        self._older = older
        self._head = _VERSION_BYTES + (_DATE_BYTES if dated else 0)
        self._decode = lru_cache(remembered)(self._fresh) if remembered else self._fresh

    def unpack(self, raw: bytes) -> Versioned[Value]:
        """What `raw` holds, immutable. Raises one of `aside.READ_ERRORS`: it is damaged, or newer."""
        return self._decode(raw)

    def is_newer(self, raw: bytes) -> bool:
        """Whether a newer version of the service wrote it: what it holds is not known, and not lost."""
        try:
            self._content(raw)
        except formats.NewerFormat:
            return True
        except msgspec.MsgspecError:
            pass  # damaged
        return False

    def is_older(self, raw: bytes) -> bool:
        """Whether an earlier version of the service wrote it, in a form of its own."""
        return self._older is not None and self._older(self._content(raw)) is not None

    def _content(self, raw: bytes) -> bytes | memoryview:
        return decompress(formats.content_of(memoryview(raw)[self._head :], self._form))

    def _fresh(self, raw: bytes) -> Versioned[Value]:
        changed_ms = int.from_bytes(raw[_VERSION_BYTES : self._head], "big")
        content = self._content(raw)
        value = self._older(content) if self._older else None
        if value is None:
            value = self._decoded(content)
        return Versioned(version_of(raw), value, changed_ms)

    def _decoded(self, content: bytes | memoryview) -> Value:
        try:
            return self._decoder.decode(content)
        except msgspec.MsgspecError:
            if issubclass(self._form, Record):
                formats.refuse_newer_record(content, self._form)
            raise


def pack(version: int, value: object, changed_ms: int | None = None) -> bytes:
    """A document; `changed_ms` for a dated one."""
    date = b"" if changed_ms is None else changed_ms.to_bytes(_DATE_BYTES, "big")
    head = version.to_bytes(_VERSION_BYTES, "big") + date + formats.before_content(type(value))
    return head + compress(encode(value))


def version_of(raw: bytes) -> int:
    """A document's version; 0 when there is none."""
    return int.from_bytes(raw[:_VERSION_BYTES], "big")


def is_headless(raw: bytes) -> bool:
    """Whether it is a document that was cut within its version: no commit can be over it."""
    return 0 < len(raw) < _VERSION_BYTES


def expected(version: int) -> bytes:
    """The first bytes of a document of this version; 0: no document."""
    return version.to_bytes(_VERSION_BYTES, "big") if version else ABSENT


@cache
def document_of(kind: Kind[R]) -> Document[R]:
    """How the records of a kind are stored."""
    return Document(kind.form, older=formats.OLDER.get(kind.name))


# All vendors are read for every quote and every batch: decoding 600 of them anew took 25 ms each time.
VENDOR = Document(Vendor, remembered=2_000, dated=True, older=formats.vendor_of_old)
CAPACITY = Document(Capacity, remembered=4_000, dated=True)
TUNING = Document(Tuning)
TUNING_SETS = Document(SavedSets)
TUNING_SHADOW, TUNING_SHADOW_FOUND = Document(ShadowHeld), Document(ShadowFound)
TUNING_EFFECTS, TUNING_MEASURING = Document(Effects), Document(Measuring)
TUNING_CANARY = Document(CanaryHeld, remembered=16)
TUNING_PROFILES, TUNING_STANDING = Document(Profiles), Document(ProfileStanding)
VIEWS = Document(SavedViews)
