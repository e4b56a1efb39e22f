"""How records are written: MessagePack arrays, for field names would cost more than the values.

A record's first element is its format number (the struct's integer tag), so that what an older version of the
service stored is told apart and read (`dispatcher.store.formats`). New fields go to the end, with a default;
a new field is a new number, too.
"""

from __future__ import annotations

import msgspec


class Compact(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, forbid_unknown_fields=True):
    """Stored as an array. One with more than is known here is refused: it would be written by half."""


class Record(Compact, frozen=True):
    """What one document of a kind holds. `version` counts commits: the store refuses a write over another."""

    id: str
    version: int
