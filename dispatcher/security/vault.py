"""What names a patient, at rest: AES-256-GCM, bound to market and request, under a key ring that can grow.

Sealed form: length of the key id (1 byte), key id, nonce (12 bytes), ciphertext with its tag.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dispatcher.security.key_files import PatientKeyFile

DERIVED_BYTES = 32
TAG_BYTES = 16
NONCE_BYTES = 12  # NIST SP 800-38D; random, so below 2^32 blocks a key


def is_whole(sealed: bytes) -> bool:
    """Whether it could be a sealed block, as far as that is seen without keys."""
    return len(sealed) > 1 and len(sealed) >= 1 + sealed[0] + NONCE_BYTES + TAG_BYTES


class UnreadablePatient(RuntimeError):
    """A sealed block (doors, patient) cannot be opened: its key is gone, or it is another request's."""


class Vault:
    """Seals under the ring's current key; opens under any key of the ring."""

    def __init__(self, ring: PatientKeyFile) -> None:
        self._current = ring.current.encode()
        self._secrets = {name.encode(): key for name, key in ring.keys.items()}
        self._ciphers = {name.encode(): AESGCM(key) for name, key in ring.keys.items()}

    def seal(self, market: str, subject: str, plain: bytes) -> bytes:
        """What is stored in place of `plain`. It opens only for this market and subject (a request's id)."""
        nonce = os.urandom(NONCE_BYTES)
        box = self._ciphers[self._current].encrypt(nonce, plain, _binding(market, subject))
        return bytes([len(self._current)]) + self._current + nonce + box

    def derived(self, purpose: str) -> list[bytes]:
        """A key of 32 bytes for another purpose, from each key of the ring; the current one first.

        HKDF (RFC 5869): who has one learns nothing of the ring.
        """
        rings = [
            self._secrets[self._current],
            *(each for name, each in self._secrets.items() if name != self._current),
        ]
        return [_expanded(each, purpose) for each in rings]

    def open(self, market: str, subject: str, sealed: bytes) -> bytes:
        """What was sealed. Raises UnreadablePatient, which names subject and key, no more."""
        end = 1 + sealed[0]
        key, nonce, box = sealed[1:end], sealed[end : end + NONCE_BYTES], sealed[end + NONCE_BYTES :]
        cipher = self._ciphers.get(key)
        if cipher is None:
            raise UnreadablePatient(
                f"{subject}: its patient key {key!r} is not in the key ring.\n"
                "Maybe put the old key back: it is needed until its last request is forgotten."
            )
        try:
            return cipher.decrypt(nonce, box, _binding(market, subject))
        except InvalidTag:
            raise UnreadablePatient(f"{subject}: its sealed block was not sealed for it.") from None


def _expanded(key: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), length=DERIVED_BYTES, salt=None, info=purpose.encode()).derive(key)


def _binding(market: str, subject: str) -> bytes:
    return f"{market}/{subject}".encode()
