"""One saved decision as bytes: a header in the open, the plan, and what it was made from.

What is known of requests (doors, needs, the rides between doors) is sealed under the patient keys; the header
has ids and no more. What is the same in many records lies beside them and is named by its hash: the vendors,
and the capacity that was left at some moment, from which each record says what differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgpack
import msgspec

from solvers.planning import BatchPlan, Limits
from solvers.saved import (
    NotSaved,
    Packed,
    large,
    screening_of,
    small,
    unpack_plan,
    with_changes,
)
from solvers.screening import Screening

FORMAT: Final = 1
MAGIC: Final = b"decision"
BATCH, IMMINENT, ROOM, BY_HAND = "batch", "imminent", "room", "by_hand"
QUOTE, AMENDMENT, KEPT_FREE = "quote", "amendment", "kept_free"
BOOKS_NOTHING: Final = frozenset({QUOTE, AMENDMENT, KEPT_FREE})  #: what is only looked at
GIVES_WAY: Final = frozenset({QUOTE, KEPT_FREE})  #: to all else that is to be saved
NEVER_BEFORE: Final = b""  #: what goes before the first of a chain
_PARTS: Final = 6
_SHARED: Final = 2

Seal = Callable[[str, bytes], bytes]  #: subject, plain


class Unsaved(Exception):
    """What is stored cannot be read as a decision."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a decision without opening it. Ids and figures only."""

    market: str
    digest: str  #: of the input, as the match has it
    kind: str  #: batch | imminent | room (a neighbour's offer moved for an imminent request) | by_hand | …
    nth: int = 0  #: of several plans made from one input
    at_ms: int  #: the moment it was planned for
    day: str  #: local, ISO
    solver: str
    software: str
    seed: int = 0
    time_limit_s: float = 0.0
    work_limit: int | None = None
    workers: int = 1
    parts: int = 1  #: in which it was solved
    seconds: float = 0.0
    tuning_version: int = 0
    requests: tuple[str, ...]  #: R; their ids, in the order of the arrays
    waiting: int  #: so many of them, the first, had no offer
    vendors: tuple[str, ...] = ()  #: V
    versions: tuple[int, ...] = ()  #: V; of the vendors' documents
    postings: Mapping[str, int] = {}  #: versions of what they posted, by vendor/day
    pools: tuple[str, ...] = ()  #: M; the pool of each match
    became: tuple[str, ...] = ()  #: M; of each match
    matched: int = 0
    cost: int = 0
    bound: int = 0
    seq: int = 0  #: place in the chain of the market
    previous: bytes = NEVER_BEFORE  #: hash of the record before it
    quoted: tuple[tuple[int, int, int], ...] = ()  #: vendor, start in ms, cents: the answer, as it was ranked

    @property
    def limits(self) -> Limits:
        """Of the optimiser."""
        return Limits(
            time_limit_s=self.time_limit_s,
            work_limit=self.work_limit,
            seed=self.seed,
            workers=self.workers,
            parts=self.parts,
        )


@dataclass(frozen=True, eq=False)
class SavedPlan:
    """A decision, whole."""

    header: Header
    screening: Screening
    plan: BatchPlan


@dataclass(frozen=True)
class Raw:
    """A record's parts, still packed."""

    header: Header
    sealed: bytes
    supply: bytes  #: what differs from the shared supply
    rest: bytes
    plan: bytes
    shared: tuple[str, str]  #: names of the shared parts: vendors, supply

    @classmethod
    def read(cls, record: bytes) -> Raw:
        """Raises Unsaved."""
        try:
            if not record.startswith(MAGIC):
                raise Unsaved("it does not begin as a saved decision does")
            if record[len(MAGIC)] != FORMAT:
                raise Unsaved(f"its format is {record[len(MAGIC)]}; known: {FORMAT}")
            header, *parts, shared = msgpack.unpackb(record[len(MAGIC) + 1 :])
            if len(parts) != _PARTS - 2 or len(shared) != _SHARED:
                raise Unsaved(f"it has {2 + len(parts)} parts, not {_PARTS}")
            sealed, supply, rest, plan = parts
            told = msgspec.msgpack.decode(large(header), type=Header)
            return cls(told, sealed, supply, rest, plan, (shared[0], shared[1]))
        except (ValueError, TypeError, IndexError, msgspec.DecodeError, NotSaved) as error:
            raise Unsaved(f"it is damaged: {error}") from error

    def pack(self) -> bytes:
        """As it is kept."""
        header = small_bytes(msgspec.msgpack.encode(self.header))
        parts = [header, self.sealed, self.supply, self.rest, self.plan, list(self.shared)]
        return MAGIC + bytes([FORMAT]) + bytes(msgpack.packb(parts))

    def open(self, shared: Sequence[bytes], unseal: Seal) -> SavedPlan:
        """The whole. Raises Unsaved; what `unseal` raises where a key is missing."""
        if tuple(map(name_of, shared)) != self.shared:
            raise Unsaved(f"what it shares with others is not what it names ({', '.join(self.shared)})")
        requests = unseal(subject(self.header.digest), self.sealed)
        vendors, base = shared
        try:
            return SavedPlan(
                self.header,
                screening_of(Packed(requests, with_changes(base, self.supply), vendors, self.rest)),
                unpack_plan(large(self.plan)),
            )
        except NotSaved as error:
            raise Unsaved(f"it is damaged: {error}") from error


def small_bytes(plain: bytes) -> bytes:
    """Compressed, with a checksum."""
    return small(plain)


def subject(digest: str) -> str:
    """What a sealed part is bound to."""
    return f"decision:{digest}"


def name_of(content: bytes) -> str:
    """A shared part is named by what it holds."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def hash_of(record: bytes) -> bytes:
    """The link of the chain that a record is: over all of it, and so over the one before it."""
    return hashlib.blake2b(record, digest_size=32).digest()
