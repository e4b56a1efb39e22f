"""Patient data at rest: AES-256-GCM, bound to its market and request, under a key ring that can grow.

Sealed form: length of the key id (1 byte), key id, nonce (12 bytes), ciphertext with its tag.
"""

from __future__ import annotations

import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.requests import Patient
from dispatcher.keyfiles import PatientKeyFile
from dispatcher.store.squeeze import squeeze, unsqueeze

NONCE_BYTES = 12  # NIST SP 800-38D; random, so below 2^32 blocks a key
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Patient)


class UnreadablePatient(RuntimeError):
    """A sealed block cannot be opened: its key is gone, or it is not what was sealed for this request."""


class Vault:
    """Seals under the ring's current key; opens under any key of the ring."""

    def __init__(self, ring: PatientKeyFile) -> None:
        self._current = ring.current.encode()
        self._ciphers = {name.encode(): AESGCM(key) for name, key in ring.keys.items()}

    def seal(self, market: str, request_id: str, patient: Patient) -> bytes:
        """The block as stored. It opens only for this market and request."""
        nonce = os.urandom(NONCE_BYTES)
        box = self._ciphers[self._current].encrypt(
            nonce, squeeze(_encode(patient)), _binding(market, request_id)
        )
        return bytes([len(self._current)]) + self._current + nonce + box

    def open(self, market: str, request_id: str, sealed: bytes) -> Patient:
        """The block as it was given. Raises UnreadablePatient, which names request and key, no more."""
        end = 1 + sealed[0]
        key, nonce, box = sealed[1:end], sealed[end : end + NONCE_BYTES], sealed[end + NONCE_BYTES :]
        cipher = self._ciphers.get(key)
        if cipher is None:
            raise UnreadablePatient(
                f"request {request_id}: its patient key {key!r} is not in the key ring.\n"
                "Maybe put the old key back: it is needed until its last request is forgotten."
            )
        try:
            return _decoder.decode(unsqueeze(cipher.decrypt(nonce, box, _binding(market, request_id))))
        except InvalidTag:
            raise UnreadablePatient(
                f"request {request_id}: its patient block was not sealed for it."
            ) from None


def _binding(market: str, request_id: str) -> bytes:
    return f"{market}/{request_id}".encode()
