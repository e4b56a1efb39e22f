"""A request as it is stored once: a clear part, then a sealed block: doors, patient and, if any, identifiers.

Form: 3 bytes of length, the clear part, the sealed block. The first three bits of the length tell the format:
0 is format 1, where an earlier version left the doors in the clear and sealed the patient alone, if there was
one; 4 is format 2, the present one; from 5 on it is a later one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.base import unchecked
from contracts.geo import Position
from contracts.identifiers import Identifier
from contracts.patients import Patient
from contracts.requests import Request
from dispatcher.security.vault import Vault, is_whole, key_of
from dispatcher.store.codec import encode
from dispatcher.store.compression import compress, decompress
from dispatcher.store.formats import BODY, NewerFormat

HIDDEN: Position = (0.0, 0.0)  # what the clear part has in place of a door
_LENGTH_BYTES = 3
_FORMAT_BITS = 3
_FORMAT_AT = 8 * _LENGTH_BYTES - _FORMAT_BITS
_DOORS_CLEAR, _DOORS_SEALED = 0, 4  # formats 1 and 2; the length is below 2^21, above what a call may hold


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What only the key ring opens. A version that knows no identifiers reads what goes before them."""

    doors: tuple[Position, Position | None]
    patient: Patient | None = None
    identifiers: tuple[Identifier, ...] = ()


_REQUEST: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_SEALED = msgspec.msgpack.Decoder(Sealed)
_PATIENT = msgspec.msgpack.Decoder(Patient)


class Bodies:
    """Requests of one market to bytes and back; a block opens only for its market and its request."""

    def __init__(self, vault: Vault, market: str) -> None:
        self.vault, self.market = vault, market

    def pack(self, request: Request) -> bytes:
        """The request with all it has."""
        shown = unchecked(request.with_doors(HIDDEN, HIDDEN), patient=None)
        hidden: tuple[Any, ...] = (request.doors, request.patient)  # as `Sealed`, up to the last that it has
        if request.identifiers:
            shown, hidden = unchecked(shown, identifiers=()), (*hidden, request.identifiers)
        clear = compress(encode(shown))
        sealed = self.vault.seal(self.market, request.id, compress(encode(hidden)))
        return (len(clear) | _DOORS_SEALED << _FORMAT_AT).to_bytes(_LENGTH_BYTES, "big") + clear + sealed

    def request(self, raw: bytes) -> Request:
        """The request without its patient block. Raises msgspec.DecodeError, UnreadablePatient."""
        request, sealed, has_doors = _parted(raw)
        return _as_asked(request, self._opened(request.id, sealed)) if has_doors else request

    def patient(self, raw: bytes) -> Patient | None:
        """The patient block, if it came with one. Raises as `request` does."""
        request, sealed, has_doors = _parted(raw)
        if has_doors:
            return self._opened(request.id, sealed).patient
        if not sealed:
            return None
        return _PATIENT.decode(decompress(self.vault.open(self.market, request.id, sealed)))

    def whole(self, raw: bytes) -> tuple[Request, Patient | None]:
        """Both, looked through once. Raises as `request` does."""
        request, sealed, has_doors = _parted(raw)
        if not has_doors:
            return request, self.patient(raw)
        opened = self._opened(request.id, sealed)
        return _as_asked(request, opened), opened.patient

    def _opened(self, request_id: str, sealed: bytes) -> Sealed:
        return _SEALED.decode(decompress(self.vault.open(self.market, request_id, sealed)))


def _as_asked(request: Request, opened: Sealed) -> Request:
    asked = request.with_doors(*opened.doors)
    return unchecked(asked, identifiers=opened.identifiers) if opened.identifiers else asked


def clear_part(raw: bytes) -> Request:
    """What can be read without keys: all but patient, doors and identifiers.

    Raises msgspec.DecodeError; ValueError where the sealed block is missing, or too short to be one.
    """
    request, sealed, has_doors = _parted(raw)
    if (has_doors or sealed) and not is_whole(sealed):
        raise ValueError("its sealed block is cut")
    return request


def key_of_body(raw: bytes) -> str:
    """The patient key that its sealed block needs; "" if it has none. Raises one of `aside.READ_ERRORS`."""
    sealed = _parted(raw)[1]
    return key_of(sealed) if sealed else ""


def _parted(raw: bytes) -> tuple[Request, bytes, bool]:
    """The clear part, the sealed block, and whether the doors are in the latter. Raises NewerFormat."""
    head = int.from_bytes(raw[:_LENGTH_BYTES], "big")
    bits = head >> _FORMAT_AT
    if bits > _DOORS_SEALED:
        raise NewerFormat(bits - _DOORS_SEALED + BODY, BODY)
    if bits not in (_DOORS_CLEAR, _DOORS_SEALED):
        raise msgspec.DecodeError("no version wrote a body like it")
    end = _LENGTH_BYTES + (head & (1 << _FORMAT_AT) - 1)
    request = _REQUEST.decode(decompress(memoryview(raw)[_LENGTH_BYTES:end]))
    if bits == _DOORS_SEALED and not is_whole(raw[end:]):
        raise msgspec.DecodeError("the sealed block of this body was cut")
    return request, raw[end:], bits == _DOORS_SEALED
