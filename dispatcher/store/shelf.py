"""Many records of one kind to look through again and again, in little memory: kept as they are stored.

The first few are kept decoded as well: a small market is looked through as fast as ever. Of a large one each
look decodes the others anew, and keeps none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar, cast

from dispatcher.domain.compact import Record
from dispatcher.store.codec import Versioned

KEPT_DECODED = 20_000  # of one kind: some 100 MB of requests
R = TypeVar("R", bound=Record)


class Shelf(Mapping[str, Versioned[Any]]):
    """By id, in the order in which they were put."""

    def __init__(self, unpack: Callable[[bytes], Versioned[Any]], most: int | None = None) -> None:
        """`most`: so many are kept decoded."""
        self._unpack, self._most = unpack, KEPT_DECODED if most is None else most
        self._raw: dict[str, bytes | None] = {}  # None: it is decoded
        self._decoded: dict[str, Versioned[Any]] = {}

    def put(self, record_id: str, raw: bytes) -> None:
        """Raises what decoding it raises: then it is not put."""
        value = self._unpack(raw)
        if len(self._decoded) < self._most:
            self._decoded[record_id] = value
            self._raw[record_id] = None
        else:
            self._raw[record_id] = raw

    def __getitem__(self, record_id: str) -> Versioned[Any]:
        """Raises KeyError."""
        raw = self._raw[record_id]
        return self._decoded[record_id] if raw is None else self._unpack(raw)

    def __contains__(self, record_id: object) -> bool:
        """Without decoding it."""
        return record_id in self._raw

    def __iter__(self) -> Iterator[str]:
        """Ids."""
        return iter(self._raw)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._raw)


class Values(Mapping[str, R], Generic[R]):
    """The records of a shelf without their versions; looked through as often as one likes."""

    def __init__(self, shelf: Mapping[str, Versioned[Any]]) -> None:
        self._shelf = shelf

    def __getitem__(self, record_id: str) -> R:
        """Raises KeyError."""
        return cast("R", self._shelf[record_id].value)

    def __contains__(self, record_id: object) -> bool:
        """Without decoding it."""
        return record_id in self._shelf

    def __iter__(self) -> Iterator[str]:
        """Ids."""
        return iter(self._shelf)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._shelf)
