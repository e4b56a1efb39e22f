"""A market's tuning: a versioned document, written over the version it was read at; each version is kept.

Under its number, in the same commit: one that is lost, or cannot be read, is so not taken for a market that
was never tuned. The newest that is kept decides then, and whoever asks is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from redis.exceptions import ResponseError

from contracts.instants import to_ms
from contracts.tuning import Tuning, TuningChanged, parted, renamed
from contracts.tuning_canary import CanaryHeld
from contracts.tuning_versions import KEPT_VERSIONS
from dispatcher.domain.decision import Message
from dispatcher.domain.refusals import Unreadable
from dispatcher.store import codec, events
from dispatcher.store.aside import Item
from dispatcher.store.connection import misfiled, refused
from dispatcher.store.documents import DocumentPart
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program
from dispatcher.store.vendors import stale

TUNING = "tuning"  # what is set aside
Also = Callable[[Program], None]  #: more checks and writes of the same commit


class TuningPart:
    """The tuning of one market."""

    def __init__(self, node: Node, keys: Keys, canary: DocumentPart[CanaryHeld]) -> None:
        self.canary = canary
        self.reader, self.committer, self.aside, self.keys = node.reader, node.committer, node.aside, keys
        self._last = Tuning()

    async def get(self) -> Tuning:
        """The tuning as stored; version 0 if none was ever set.

        Raises Unreadable, with the version to write over: also when it is lost, or a key of another type.
        """
        newest, raw = await self._ask()
        return self._found(raw, newest)

    async def in_force(self, now_ms: int) -> Tuning:
        """The tuning to decide by at this moment: as stored, or a canary's candidate in its hours.

        If it cannot be read, the last that was read here, or the newest kept.
        """
        newest, raw, canary = await self._ask(self.canary.key)
        try:
            tuning = self._found(raw, newest)
        except Unreadable:
            if not self._last.version:
                self._last = await self._newest_kept()
            tuning = self._last
        return self._candidate(canary, tuning.version, now_ms) or tuning

    async def _ask(self, *more: str) -> list[Any]:
        """The number of the newest first: what is set between two looks must not look lost."""
        keys = (self.keys.tuning_newest, self.keys.tuning, *more)
        return await self.reader.ask_each([("GET", each) for each in keys])

    def _found(self, raw: Any, newest: Any) -> Tuning:
        if isinstance(raw, Exception):
            raise self._of_another_type(raw)
        if not raw:
            self._refuse_lost(newest)
            return Tuning()
        self._last = self._read(self.keys.market, raw)
        return self._last

    def _candidate(self, raw: Any, version: int, now_ms: int) -> Tuning | None:
        """What a canary has decide now; one that cannot be read has nothing to say, and is told."""
        if raw is None:
            return None
        try:
            canary = self.canary.found(raw).value.canary
        except Unreadable:
            return None
        return canary.candidate if canary is not None and canary.decides(now_ms, version) else None

    async def kept(self, versions: Sequence[int]) -> list[Tuning]:
        """Those of these versions that are kept and can be read."""
        found = await self.reader.get_all([self.keys.tuning_version(each) for each in versions])
        pairs = [(str(each), raw) for each, raw in zip(versions, found, strict=True)]
        read = self.aside.read_all(self.keys.market, TUNING, pairs, codec.TUNING.unpack)
        return [_present(each.value) for each in read.values()]

    async def put(
        self,
        tuning: Tuning,
        expected_version: int | None = None,
        also: Also | None = None,
        *,
        candidate: Tuning | None = None,
    ) -> int:
        """Write it; `tuning.version` must follow the version it replaces. Raises Stale, Unwritable.

        `candidate`: a version between the two that never stands, kept beside them. One that is lost is
        written over as the newest that was kept.
        """
        follows = 1 if candidate is None else 2
        before = tuning.version - follows if expected_version is None else expected_version
        if tuning.version != before + follows:
            raise stale(TUNING, before)
        kept = [tuning] if candidate is None else [candidate, tuning]
        outcome = await self.committer.commit(self._program(kept, before, before, also))
        if outcome.status is Status.STALE and before and await self._is_lost(before):
            outcome = await self.committer.commit(self._program(kept, before, 0, also))
        if not outcome.ok:
            raise stale(TUNING, before)
        self._last = tuning
        return tuning.version

    def _program(self, kept: Sequence[Tuning], before: int, stands: int, also: Also | None) -> Program:
        """The last of these stands; all are kept. `stands`: what is there now (0: nothing, it is lost)."""
        program, keys, tuning = Program(), self.keys, kept[-1]
        number = tuning.version
        program.document(TUNING, keys.tuning, stands, codec.pack(number, tuning))
        if not before:  # or one that is lost would begin anew at version 1
            program.unchanged(TUNING, keys.tuning_newest, 0)
        for each in kept:
            program.write(keys.tuning_version(each.version), "SET", codec.pack(each.version, each))
        program.write(keys.tuning_newest, "SET", str(number))
        for gone in range(before - KEPT_VERSIONS + 1, number - KEPT_VERSIONS + 1):
            if gone > 0:
                program.write(keys.tuning_version(gone), "DEL")
        data = TuningChanged(
            version=number, before=before, by=tuning.by, made=tuning.made, source=tuning.source
        )
        message = Message(type="dispatch.tuning.changed", subject=f"{TUNING}.{number}", data=data)
        name = events.event_id(TUNING, number, 0)
        at_ms = to_ms(tuning.at) if tuning.at else 0
        event = events.pack_event(keys.market, message, name, at_ms)
        program.write(keys.events, "XADD", "*", events.FIELD, event)
        if also is not None:
            also(program)
        return program

    def _read(self, name: str, raw: bytes) -> Tuning:
        item, version = Item(TUNING, name), codec.version_of(raw)
        return _present(
            self.aside.read(self.keys.market, item, raw, codec.TUNING.unpack, version=version).value
        )

    async def _newest_kept(self) -> Tuning:
        """The newest that is kept and can be read; the defaults if none is."""
        newest = await self.reader.get(self.keys.tuning_newest)
        number = int(newest) if newest and newest.isdigit() else 0
        found = await self.kept(range(number, max(0, number - KEPT_VERSIONS), -1))
        return found[0] if found else Tuning()

    async def _is_lost(self, version: int) -> bool:
        raw, newest = await self.reader.get_all([self.keys.tuning, self.keys.tuning_newest])
        return not raw and newest == str(version).encode()

    def _refuse_lost(self, newest: Any) -> None:
        """Raises Unreadable where there was a tuning, and it is gone."""
        if not isinstance(newest, bytes) or not newest.isdigit() or not int(newest):
            return
        item = Item(TUNING, self.keys.market)
        self.aside.note(self.keys.market, item, "missing")
        raise Unreadable(
            f"the tuning of {self.keys.market} was at version {int(newest)} and is not there any more\n"
            f'Maybe restore a version that is kept, or PUT it anew, with If-Match: "{int(newest)}".',
            kind=item.kind,
            id=item.id,
            version=int(newest),
        )

    def _of_another_type(self, error: Exception) -> Exception:
        if not isinstance(error, ResponseError):
            return error
        if misfiled(error) is None:
            return refused(error)
        item = Item(TUNING, self.keys.market)
        self.aside.note(self.keys.market, item, "another type")
        return Unreadable(
            f"the tuning of {self.keys.market} is stored as a key of another type, and cannot be read\n"
            f"Maybe delete the key {self.keys.tuning}; then restore a version that is kept, or PUT it anew.",
            kind=item.kind,
            id=item.id,
        )


def _present(found: Tuning) -> Tuning:
    """Under the present names of the parameters."""
    values, lists = parted(renamed(found.overrides))
    return replace(found, values=values, lists=lists)
