"""What keeps blobs: named `market/day/name`, whole or not at all; called in threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Blob(NamedTuple):
    """One that is kept."""

    name: str
    size: int


class Blobs(Protocol):
    """They raise OSError for what goes wrong."""

    def put(self, name: str, content: bytes) -> None:
        """Keep it, whole or not at all."""

    def get(self, name: str) -> bytes | None:
        """What is kept; None: nothing."""

    def has(self, name: str) -> bool:
        """Whether it is kept."""

    def under(self, folder: str) -> list[Blob]:
        """All below a folder, sorted by name."""

    def remove(self, names: Iterable[str]) -> None:
        """Keep them no longer."""
