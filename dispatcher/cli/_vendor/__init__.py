"""What `dispatcher vendor` does, a file a subject: a thin layer on `client.vendor`.

A subject has `add(subjects)`: it names its words, their arguments and, as `do`, what each does.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from client.vendor import VendorClient


class Told(NamedTuple):
    """What a word came to: the service's own answer for programs, and lines for people."""

    answer: Any
    lines: Sequence[str]


Do = Callable[["VendorClient", argparse.Namespace], Awaitable[Told]]


class Subjects:
    """Adds words to the command line."""

    def __init__(self, parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
        self._words = parser.add_subparsers(dest="word", metavar="WORD", required=True)
        self._common = common

    def word(self, name: str, said: str, do: Do, *, offer: bool = True) -> argparse.ArgumentParser:
        """A word with its `do`; `offer`: its first argument is an offer's id."""
        parser = self._words.add_parser(name, help=said, description=said, parents=[self._common])
        if offer:
            parser.add_argument("offer", metavar="OFFER", type=some, help="its id, as `offers` shows it")
        parser.set_defaults(do=do)
        return parser


def some(text: str) -> str:
    """Reads a word that can be a segment of a path. Raises ArgumentTypeError."""
    if text in ("", ".", ".."):
        raise argparse.ArgumentTypeError(f"'{text}' is no id")
    return text
