"""Values of a command line: numbers within their limits, files that can be read, files that can be written.

The functions that `argparse` calls (`type=…`) raise ArgumentTypeError, which names value and limit; so
nothing odd goes further than the command line, and what is to be written is tried before the work starts.
"""

from __future__ import annotations

import contextlib
import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from contracts.base import FIRST_YEAR, LAST_YEAR, Id
from dispatcher.runtime.errors import UserError

STANDARD_OUTPUT = "-"
MOST_S = 86_400.0  # a day: nobody means to wait longer
MOST_SEED = 2**32 - 1  # numpy's generators take no less than 0
MOST_WORKERS = 1_024
MOST_REQUESTS = 1_000_000


def number(least: float, most: float, *, above: bool = False) -> Callable[[str], float]:
    """Reads a number from `least` to `most`; `above`: more than `least`. Not a number is none."""
    limits = f"{'above' if above else 'from'} {least:,g} {'and up to' if above else 'to'} {most:,g}"

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most or (above and value == least):
            raise ArgumentTypeError(f"'{text}' is no number {limits}")
        return value

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number from `least` to `most`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ArgumentTypeError(f"'{text}' is no whole number from {least:,} to {most:,}")
        return value

    return read


def an_id(text: str) -> str:
    """Reads an id as the interface takes it."""
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError:
        raise ArgumentTypeError(f"'{text}' is no id: 1 to 64 of A-Z, a-z, 0-9, _ and -") from None


def a_date(text: str) -> date:
    """Reads a calendar day that the interface takes."""
    try:
        read = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no date such as 2027-03-14") from None
    if not FIRST_YEAR < read.year < LAST_YEAR:
        raise ArgumentTypeError(f"'{text}' lies not between {FIRST_YEAR + 1} and {LAST_YEAR - 1}")
    return read


def output(text: str) -> str:
    """Reads the name of a file that will be written; `-` is standard output. What is there stays as it is."""
    if text != STANDARD_OUTPUT:
        try:
            try_to_write(Path(text))
        except UserError as error:
            raise ArgumentTypeError(error.message.rstrip(".")) from None
    return text


def output_path(text: str) -> Path:
    """As `output`, where standard output is no choice."""
    return Path(output(text) if text != STANDARD_OUTPUT else f"./{text}")


def try_to_write(path: Path) -> None:
    """Raises UserError if the file cannot be written; leaves no trace, and what is there stays as it is."""
    with writing(path):
        if not path.exists():
            path.open("xb").close()
            path.unlink()
        elif path.is_dir() or path.is_file():
            path.open("ab").close()  # a folder, or no right to write: OSError
        elif not os.access(path, os.W_OK):  # a pipe would wait for its reader
            raise PermissionError(None, "Permission denied")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what goes wrong while `path` is written into a UserError that names it."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot write '{path}': {_reason(error)}.",
            "Maybe its folder is missing, read-only or full: name another file.",
        ) from error


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a mark at its beginning. Raises UserError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"'{path}' is no text in UTF-8 (byte {error.start}).", "Maybe save it again as UTF-8."
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot read '{path}': {_reason(error)}.", "Maybe the path is relative to another folder."
        ) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
