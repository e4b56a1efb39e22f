"""Registers: what modules declare when they are imported. Nothing lists the modules; they are looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Generic, TypeVar

Key = TypeVar("Key")
Entry = TypeVar("Entry")


class Register(Generic[Key, Entry]):
    """Entries by key. Whoever reads it first imports every module of `package`, and each enters its own."""

    def __init__(self, package: str, what: str) -> None:
        """`what` is what errors call one entry."""
        self.package, self.what = package, what
        self._entries: dict[Key, Entry] = {}
        self._view = MappingProxyType(self._entries)
        self._complete = False

    def add(self, key: Key, entry: Entry) -> Entry:
        """Enter it. Raises ValueError when the key is taken."""
        if key in self._entries:
            name = getattr(key, "__name__", key)
            raise ValueError(f"{self.what} {name} is declared twice\nMaybe give one of them another name.")
        self._entries[key] = entry
        return entry

    @property
    def so_far(self) -> Mapping[Key, Entry]:
        """What is entered now, without looking for more: for checks while modules are being imported."""
        return self._view

    def of(self, key: Key) -> Entry:
        """The entry of a key: mostly what enters it is imported by now. Raises KeyError."""
        found = self._entries.get(key)
        return found if found is not None else self.all()[key]

    def all(self) -> Mapping[Key, Entry]:
        """Every entry, by key."""
        if not self._complete:
            import_modules(self.package)
            self._complete = True
        return self._view

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """What is entered within the block is gone after it; modules that are new in it are found."""
        before = dict(self.all())
        self._complete = False
        try:
            yield
        finally:
            self._entries.clear()
            self._entries.update(before)
            self._complete = True


def import_modules(package: str) -> dict[str, object]:
    """Every module of the package, by name, imported in the order of their names; not those of its rooms."""
    names = sorted(each.name for each in iter_modules(import_module(package).__path__) if not each.ispkg)
    return {name: import_module(f"{package}.{name}") for name in names}
