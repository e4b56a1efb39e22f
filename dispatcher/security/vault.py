"""What names a patient, at rest: AES-256-GCM, bound to market and request, under a key ring that can grow.

Sealed form: length of the key id (1 byte), key id, nonce (12 bytes), ciphertext with its tag.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dispatcher.domain.refusals import Unavailable
from dispatcher.security.key_files import PatientKeyFile

DERIVED_BYTES = 32
TAG_BYTES = 16
NONCE_BYTES = 12  # NIST SP 800-38D; random, so below 2^32 blocks a key
RETRY_AFTER_S = 1


def is_whole(sealed: bytes) -> bool:
    """Whether it could be a sealed block, as far as that is seen without keys."""
    return len(sealed) > 1 and len(sealed) >= 1 + sealed[0] + NONCE_BYTES + TAG_BYTES


class UnreadablePatient(RuntimeError):
    """A sealed block (doors, patient) cannot be opened: it is damaged, or it is another request's."""


class MissingKey(UnreadablePatient):
    """A sealed block cannot be opened here: its key, `key_id`, is not in the ring."""

    def __init__(self, subject: str, key_id: str) -> None:
        super().__init__(
            f"{subject}: its patient key {key_id!r} is not in the key ring.\n"
            "Maybe put the key back: it is needed until its last request is forgotten."
        )
        self.key_id = key_id


class Vault:
    """Opens under any key of the ring; seals under the current one, or the one that a market agreed on."""

    def __init__(self, ring: PatientKeyFile) -> None:
        self._sealing: dict[str, bytes] = {}  # by market
        self._must_agree = False
        self.take(ring)

    def take(self, ring: PatientKeyFile) -> None:
        """From now on this is the ring. What was agreed on stays, as far as the ring still has it."""
        self.ring = ring
        self._current = ring.current.encode()
        self._secrets = {name.encode(): key for name, key in ring.keys.items()}
        self._ciphers = {name.encode(): AESGCM(key) for name, key in ring.keys.items()}
        self._sealing = {market: key for market, key in self._sealing.items() if key in self._ciphers}

    def wait_for_agreement(self) -> None:
        """From now on nothing is sealed for a market before `seal_with` was called for it."""
        self._must_agree = True

    def seal_with(self, market: str, key_id: str) -> None:
        """Seal what is of this market under that key of the ring."""
        self._sealing[market] = key_id.encode()

    def seal_nothing(self, market: str) -> None:
        """Seal nothing of this market until `seal_with` is called for it."""
        self._must_agree = True
        self._sealing.pop(market, None)

    def sealing(self, market: str) -> str:
        """The id of the key that this market's data is sealed under; "" while that is not agreed on."""
        return self._sealing.get(market, b"" if self._must_agree else self._current).decode()

    def seal(self, market: str, subject: str, plain: bytes) -> bytes:
        """What is stored in place of `plain`. It opens only for this market and subject (a request's id).

        Raises Unavailable while no key is agreed on.
        """
        key = self._sealing.get(market, self._current)
        if self._must_agree and market not in self._sealing:
            raise Unavailable(
                "which patient key every process can read is not known yet\nMaybe ask again.",
                retry_after_s=RETRY_AFTER_S,
            )
        nonce = os.urandom(NONCE_BYTES)
        box = self._ciphers[key].encrypt(nonce, plain, _binding(market, subject))
        return bytes([len(key)]) + key + nonce + box

    def derived(self, purpose: str) -> list[bytes]:
        """A key of 32 bytes for another purpose, from each key of the ring; the current one first.

        HKDF (RFC 5869): who has one learns nothing of the ring.
        """
        rings = [
            self._secrets[self._current],
            *(each for name, each in self._secrets.items() if name != self._current),
        ]
        return [expanded(each, purpose, DERIVED_BYTES) for each in rings]

    def open(self, market: str, subject: str, sealed: bytes) -> bytes:
        """What was sealed. Raises UnreadablePatient, which names subject and key, no more."""
        key, end = key_of(sealed), 1 + sealed[0]
        cipher = self._ciphers.get(sealed[1:end])
        if cipher is None:
            raise MissingKey(subject, key)
        nonce, box = sealed[end : end + NONCE_BYTES], sealed[end + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, box, _binding(market, subject))
        except InvalidTag:
            raise UnreadablePatient(f"{subject}: its sealed block was not sealed for it.") from None


def key_of(sealed: bytes) -> str:
    """The id of the key that a block was sealed under. Raises UnreadablePatient: it names none."""
    name = sealed[1 : 1 + sealed[0]] if sealed else b""
    try:
        found = name.decode()
    except UnicodeDecodeError:
        found = ""
    if not found or not found.isprintable() or len(name) < sealed[0]:
        raise UnreadablePatient("a sealed block is damaged.")
    return found


def expanded(key: bytes, purpose: str, length: int) -> bytes:
    """A key for another purpose, or what tells a key from another: HKDF shows nothing of the key itself."""
    return HKDF(hashes.SHA256(), length=length, salt=None, info=purpose.encode()).derive(key)


def _binding(market: str, subject: str) -> bytes:
    return f"{market}/{subject}".encode()
