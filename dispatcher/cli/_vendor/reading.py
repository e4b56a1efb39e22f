"""Values of the vendor's command line: instants, dollars, positions, things that were delivered."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentTypeError
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from contracts.base import Wire
from contracts.proofs import DeliveredItem
from dispatcher.runtime.arguments import STANDARD_OUTPUT, read_text
from dispatcher.runtime.errors import UsageError, UserError

Form = TypeVar("Form", bound=Wire)
ITEM = re.compile(r"(?P<hcpcs>[A-Z][0-9]{4})(\*(?P<quantity>[0-9]{1,5}))?=(?P<item>[^#]+)(#(?P<serial>.+))?")


def an_instant(text: str) -> datetime:
    """Reads an instant with its offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no instant such as 2026-03-02T10:20:00-05:00") from None
    if found.tzinfo is None:
        raise ArgumentTypeError(f"'{text}' has no offset: write it as 2026-03-02T10:20:00-05:00")
    return found


def dollars(text: str) -> int:
    """Reads US dollars as cents: `52` or `52.50`."""
    try:
        cents = Decimal(text.removeprefix("$")) * 100
    except InvalidOperation:
        raise ArgumentTypeError(f"'{text}' is no price in dollars such as 52.50") from None
    if not 0 <= cents <= 100_000_000 or cents % 1:
        raise ArgumentTypeError(f"'{text}' is no price from 0 to 1,000,000 dollars in whole cents")
    return int(cents)


def a_position(text: str) -> tuple[float, float]:
    """Reads `lat,lon`, as maps show it, as `[lon, lat]`, as it is sent."""
    lat, _, lon = text.partition(",")
    try:
        return float(lon), float(lat)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no position such as 39.95,-75.16 (lat,lon)") from None


def an_item(text: str) -> DeliveredItem:
    """Reads `E1390*2=Oxygen concentrator, 5 L#SN-1`; how many and serial number may be left out."""
    found = ITEM.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(
            f"'{text}' is no item such as 'E1390=Oxygen concentrator#SN-1' or 'A4616*2=Tubing'"
        )
    return DeliveredItem(
        item=found["item"].strip(),
        hcpcs=found["hcpcs"],
        quantity=int(found["quantity"] or 1),
        serial=(found["serial"] or "").strip(),
    )


def names(codes: type[StrEnum]) -> list[str]:
    """What may be typed."""
    return [each.value for each in codes]


def said_of(codes: type[StrEnum]) -> str:
    """The same, to read."""
    return ", ".join(names(codes))


def a_text(text: str) -> str:
    """What is to be written; `-` is standard input, which no list of processes shows."""
    return sys.stdin.read().strip() if text == STANDARD_OUTPUT else text


def document(name: str, form: type[Form]) -> Form:
    """A JSON document from a file, or from standard input (`-`). Raises UserError."""
    content = sys.stdin.read() if name == STANDARD_OUTPUT else read_text(Path(name))
    try:
        return msgspec.json.decode(content, type=form)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(
            f"'{name}' is no {form.__name__}: {error}.", "Maybe look at /docs of the service."
        ) from None


def bytes_of(path: Path) -> bytes:
    """A file as it is. Raises UserError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot read '{path}': {error.strerror}.", "Maybe it is in another folder."
        ) from error


def write(path: Path, content: bytes) -> None:
    """A file that is not there yet, for this user alone. Raises UserError."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(content)
    except OSError as error:
        raise UserError(
            f"cannot write '{path}': {error.strerror}.", "Maybe name a file that is not there yet."
        ) from error
