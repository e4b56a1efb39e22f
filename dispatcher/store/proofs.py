"""Proofs of one market: their records, and what is sealed of them here and beside the store."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator

import msgspec

from contracts.proofs import ProofReport
from dispatcher.domain.proofs import OVER, PROOF_KIND, PROOFS, PictureRecord, ProofRecord, proof_id
from dispatcher.security.vault import key_of
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor, page_of
from dispatcher.store.node import Node
from dispatcher.store.records import Records

PAGE = 100
PICTURE = "picture"  # what is set aside of a proof beside its record
_RENAMED_BYTES = 4
_decode = msgspec.msgpack.Decoder(ProofReport).decode


def blob_name(market: str, day: str, offer_id: str, about: str) -> str:
    """Where a picture lies: by market and the day on which it was put; a name that no other ever had.

    Sealed twice, a picture is other bytes: under one name the first would be taken for damaged.
    """
    return renamed(f"{market}/{day}/{offer_id}.{about}")


def renamed(name: str) -> str:
    """Another name for the same picture, in the same folder."""
    folder, _, own = name.rpartition("/")
    request, attempt, part, of, digest, *_, ending = own.split(".")
    return f"{folder}/{request}.{attempt}.{part}.{of}.{digest}.{secrets.token_hex(_RENAMED_BYTES)}.{ending}"


def dispatch_of(name: str) -> str:
    """The dispatch in a blob's name: its id has one dot."""
    return ".".join(name.rpartition("/")[2].split(".")[:2])


class Sealed(msgspec.Struct, frozen=True):
    """A picture as it is kept: under which key, and the bytes."""

    key: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes, in hexadecimal: by it they are told from damaged ones without a key."""
        return hashlib.sha256(self.content).hexdigest()


class ProofPart:
    """The proofs of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.vault, self.aside, self.keys = node.vault, node.aside, keys
        self.reader, self.market = node.reader, keys.market
        self.records: Records[ProofRecord] = Records(node, keys, PROOF_KIND)

    def seal(self, offer_id: str, report: ProofReport) -> bytes:
        """A report as it is stored."""
        return self.vault.seal(self.market, proof_id(offer_id), msgspec.msgpack.encode(report))

    def open(self, offer_id: str, sealed: bytes) -> ProofReport:
        """What was said. Raises Unreadable, PatientKeyMissing."""
        name = proof_id(offer_id)

        def opened(raw: bytes) -> ProofReport:
            return _decode(self.vault.open(self.market, name, raw))

        return self.aside.read(self.market, Item(PROOF_KIND.name, name), sealed, opened)

    def seal_picture(self, name: str, plain: bytes) -> Sealed:
        """A picture as it is kept beside the store; it opens under this name only."""
        content = self.vault.seal(self.market, f"proof/{name}", plain)
        return Sealed(key_of(content), content)

    def open_picture(self, picture: PictureRecord, sealed: bytes) -> bytes:
        """Its plain bytes. Raises Unreadable, PatientKeyMissing: also where they are not what came."""

        def opened(raw: bytes) -> bytes:
            plain = self.vault.open(self.market, f"proof/{picture.name}", raw)
            if hashlib.sha256(plain).hexdigest() != picture.sha256:
                raise ValueError("it is not what was sent")
            return plain

        return self.aside.read(self.market, Item(PICTURE, picture.name), sealed, opened)

    def keys_of(self, record: ProofRecord) -> frozenset[str]:
        """The patient keys that it needs. Raises UnreadablePatient."""
        return frozenset(key_of(each.sealed) for each in record.given) | {
            each.key for each in record.pictures
        }

    async def between(self, start_ms: int, end_ms: int) -> AsyncIterator[list[ProofRecord]]:
        """Those of work that was agreed for this time, by start, some at a time."""
        at, key = Cursor(start_ms, ""), self.keys.list(PROOFS)
        while places := await page_of(self.reader, [key], at, PAGE, f"({end_ms}"):
            yield list((await self.records.get_all([each.id for each in places])).values())
            at = Cursor(*places[-1])

    async def over(self) -> list[ProofRecord]:
        """Some of those whose pictures are to go."""
        found = await page_of(self.reader, [self.keys.list(OVER)], Cursor(0, ""), PAGE)
        return list((await self.records.get_all([each.id for each in found])).values())
