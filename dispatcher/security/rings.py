"""Which process has which patient keys, and which key all of them can read: pure.

A key comes in two rounds, so that a rolling restart has no moment in which one process seals what another
cannot open: first every process has read it, then it becomes current. Keys are told apart by their prints, so
that two keys under one name are not taken for one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import expanded

PRINT_BYTES = 6

Prints = Mapping[str, str]  #: by the id of a key


class KeyPrint(NamedTuple):
    """One key: its id, and what tells it from another of that id."""

    id: str
    print: str


class Ring(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a running process says of itself: the key that it seals under, and all that it can read.

    `ahead_s`: by how many seconds its clock is ahead of the store's, where that counts; below 0: behind.
    """

    process: str
    sealing: str
    keys: dict[str, str]
    ahead_s: int = 0

    def lacks(self, key_id: str, known: Prints) -> bool:
        """Whether it cannot read what is sealed under this key."""
        return self.keys.get(key_id) != known[key_id]


def prints_of(ring: PatientKeyFile) -> dict[str, str]:
    """The prints of a key file's keys."""
    return {
        name: expanded(key, "print of a patient key", PRINT_BYTES).hex() for name, key in ring.keys.items()
    }


def agreed(ring: PatientKeyFile, prints: Prints, others: Collection[Ring]) -> str:
    """The key to seal under: the current one if all others can read it, else one that they can.

    First what they seal under themselves. Where there is none that all have, it is the current one: then
    somebody lacks a key in any case, and says so.
    """
    candidates = [ring.current, *sorted({each.sealing for each in others if each.sealing}), *ring.keys]
    return next(
        (key for key in candidates if key in prints and not any(each.lacks(key, prints) for each in others)),
        ring.current,
    )


def is_known(key: KeyPrint, used: Collection[KeyPrint], living: Collection[Ring]) -> bool:
    """Whether the service has this key; also where nothing is sealed yet and no process runs."""
    return not (used or living) or key in used or any(each.keys.get(key.id) == key.print for each in living)


def missing(prints: Prints, used: Iterable[KeyPrint]) -> list[str]:
    """Keys that something is sealed under, and that this ring has not, or has another by that id."""
    return sorted({each.id for each in used if prints.get(each.id) != each.print})
