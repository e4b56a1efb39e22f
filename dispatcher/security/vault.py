"""What names a patient, at rest: AES-256-GCM, bound to market and request, under a key ring that can grow.

Sealed form: length of the key id (1 byte), key id, nonce (12 bytes), ciphertext with its tag.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dispatcher.security.key_files import PatientKeyFile

NONCE_BYTES = 12  # NIST SP 800-38D; random, so below 2^32 blocks a key


class UnreadablePatient(RuntimeError):
    """A sealed block cannot be opened: its key is gone, or it is not what was sealed for this request."""


class Vault:
    """Seals under the ring's current key; opens under any key of the ring."""

    def __init__(self, ring: PatientKeyFile) -> None:
        self._current = ring.current.encode()
        self._ciphers = {name.encode(): AESGCM(key) for name, key in ring.keys.items()}

    def seal(self, market: str, subject: str, plain: bytes) -> bytes:
        """What is stored in place of `plain`. It opens only for this market and subject (a request's id)."""
        nonce = os.urandom(NONCE_BYTES)
        box = self._ciphers[self._current].encrypt(nonce, plain, _binding(market, subject))
        return bytes([len(self._current)]) + self._current + nonce + box

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
            raise UnreadablePatient(f"{subject}: its patient block was not sealed for it.") from None


def _binding(market: str, subject: str) -> bytes:
    return f"{market}/{subject}".encode()
