"""Seals what nobody may change, some seconds after it was written, and says whether it was changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence, Set
from typing import Any, Final, NamedTuple

import msgspec

from dispatcher.domain.kinds import Kind
from dispatcher.store import codec
from dispatcher.store.market import MarketStore
from dispatcher.store.seals import (
    FOR_EVER_MS,
    MOST_TOGETHER,
    TUNING,
    Claimed,
    Entry,
    Seal,
    hash_of,
    may_be_gone,
    packed,
    sealed_kinds,
    unpack,
)

RULE: Final = "audit_chain"
LATE_MS: Final = 3_600_000
LAG_MS: Final = 30_000  #: what was decided at one moment may be stored a little after another's


class Judged(NamedTuple):
    """What was looked at and is wrong: (what, how).

    `late`: entries that were sealed long after they were written. Whoever takes all seals away has them made
    anew, of what he left: that is told. So does a service that stood, or one that made no seals before.
    """

    entries: int
    wrong: list[tuple[str, str]]
    late: int = 0


async def seal(stored: MarketStore, now_ms: int) -> int:
    """Seal what is not sealed yet; how many entries. Raises Unavailable."""
    place = await stored.seals.issued()  # also where somebody took the end away: the audit says so
    _, last = await stored.seals.last()
    upto, waiting = dict(_upto(last)), await stored.seals.waiting()
    found = [each async for each in _unsealed(stored, upto, now_ms - LAG_MS)]
    behind = await _behind(stored, upto, waiting, now_ms)
    found, odd = [*found, *behind], {(each.kind, each.id) for each in behind}
    for first in range(0, len(found), MOST_TOGETHER):
        some = tuple(found[first : first + MOST_TOGETHER])
        upto |= {each.kind: (each.order, each.id) for each in some if (each.kind, each.id) not in odd}
        made = Seal(place + 1, now_ms, some, hash_of(last) if last else b"", dict(upto))
        try:
            await stored.seals.add(made)
        except Claimed:  # another process has sealed meanwhile: what is left, next time
            return first
        place, last = made.seq, packed(made)
        await stored.seals.wait_no_more([(each.kind, each.id) for each in some if each.kind != TUNING])
    if found:
        await _trim(stored, now_ms)
    return len(found)


async def judge(stored: MarketStore) -> Judged:
    """Whether every sealed entry is as it was, and none was put between. Raises Unavailable."""
    waiting = {
        (kind, name) for kind, name, _ in await stored.seals.waiting()
    }  # before what may be sealed next
    known = await _read(stored)
    wrong, now_ms = list(known.wrong), known.at_ms
    issued = await stored.seals.issued()
    if known.last and issued > known.last:
        wrong.append((f"seal {issued}", f"is gone from the end of the chain, which ends at {known.last}"))
    newest = await stored.seals.newest_version()
    by_kind = dict[str, list[Entry]]()
    for each in known.entries.values():
        by_kind.setdefault(each.kind, []).append(each)
    for kind in [*sealed_kinds(), None]:
        mine = by_kind.get(kind.name if kind else TUNING, [])
        for first in range(0, len(mine), MOST_TOGETHER):
            some = mine[first : first + MOST_TOGETHER]
            raws = await _raws(stored, kind, some)
            for entry, raw in zip(some, raws, strict=True):
                gone = may_be_gone(entry.order, newest) if kind is None else entry.until_ms <= now_ms
                wrong += _changed(entry, raw, gone=gone)
    wrong += [each async for each in _added(stored, known, waiting)]
    return Judged(len(known.entries), wrong, known.late)


class _Known(NamedTuple):
    """All seals, read."""

    entries: Mapping[tuple[str, str], Entry]
    upto: Mapping[str, tuple[int, str]]  #: by kind, the last that is sealed
    last: int
    at_ms: int
    wrong: list[tuple[str, str]]
    late: int


async def _read(stored: MarketStore) -> _Known:
    entries, wrong = dict[tuple[str, str], Entry](), list[tuple[str, str]]()
    first, before, at_ms, place, last, late = 0, b"", 0, 0, b"", 0
    while page := await stored.seals.page(first):
        for seq, last in page:
            wrong += _link(place, before, seq, last)
            place, before = seq, hash_of(last)
            try:
                found = unpack(last)
            except msgspec.DecodeError:
                wrong.append((f"seal {seq}", "cannot be read"))
                continue
            at_ms = max(at_ms, found.at_ms)
            late += sum(_is_late(each, found.at_ms) for each in found.entries)
            entries |= {(each.kind, each.id): each for each in found.entries}
        first = page[-1][0] + 1
    return _Known(entries, _upto(last), place, at_ms, wrong, late)


def _is_late(entry: Entry, sealed_ms: int) -> bool:
    return entry.kind != TUNING and sealed_ms - entry.order > LATE_MS


def _upto(last: bytes) -> Mapping[str, tuple[int, str]]:
    """How far the last seal goes; one that cannot be read is told by the audit, and all is sealed anew."""
    try:
        return unpack(last).upto if last else {}
    except msgspec.DecodeError:
        return {}


def _link(place: int, before: bytes, seq: int, raw: bytes) -> Iterator[tuple[str, str]]:
    if place and seq != place + 1:
        yield f"seal {place + 1}", f"is gone: after it comes {seq}"
        return
    try:
        follows = unpack(raw).previous
    except msgspec.DecodeError:
        return
    if place and follows != before:
        yield f"seal {seq}", f"does not follow seal {place}: one of them was changed"


def _changed(entry: Entry, raw: bytes | None, *, gone: bool) -> Iterator[tuple[str, str]]:
    if raw is None:
        if not gone:
            yield f"{entry.kind} {entry.id}", "is gone before its time"
    elif hash_of(raw) != entry.hash:
        yield f"{entry.kind} {entry.id}", "was changed"


async def _raws(stored: MarketStore, kind: Kind[Any] | None, entries: list[Entry]) -> list[bytes | None]:
    if kind is None:
        return await stored.seals.versions([each.order for each in entries])
    return await stored.seals.read(kind, [each.id for each in entries])


async def _unsealed(
    stored: MarketStore, upto: Mapping[str, tuple[int, str]], until_ms: int
) -> AsyncIterator[Entry]:
    """Entries beyond what is sealed, written by then; versions of the tuning, whenever."""
    for kind in sealed_kinds():
        position = upto.get(kind.name, (-1, ""))
        async for fresh in _written(stored, kind, position[0], until_ms):
            beyond = [(name, order) for name, order in fresh if (order, name) > position]
            raws = await stored.seals.read(kind, [name for name, _ in beyond])
            for (name, order), raw in zip(beyond, raws, strict=True):
                if raw is not None:
                    yield Entry(kind.name, name, order, _until_ms(kind, raw), hash_of(raw))
    first, newest = upto.get(TUNING, (0, ""))[0] + 1, await stored.seals.newest_version()
    numbers = [each for each in range(first, newest + 1) if not may_be_gone(each, newest)]
    for number, raw in zip(numbers, await stored.seals.versions(numbers), strict=True):
        if raw is not None:
            yield Entry(TUNING, str(number), number, FOR_EVER_MS, hash_of(raw))


async def _behind(
    stored: MarketStore,
    upto: Mapping[str, tuple[int, str]],
    waiting: Sequence[tuple[str, str, int]],
    now_ms: int,
) -> list[Entry]:
    """Entries that going on by time would miss: they bear one that was sealed already, or that is not yet.

    A clock was set back, or another machine's is not as ours. What is gone meanwhile waits no more.
    """
    found, gone = list[Entry](), list[tuple[str, str]]()
    for kind in sealed_kinds():
        position = upto.get(kind.name, (-1, ""))
        late = [
            (name, order)
            for what, name, order in waiting
            if what == kind.name and ((order, name) <= position or order > now_ms + LAG_MS)
        ]
        for (name, order), raw in zip(
            late, await stored.seals.read(kind, [name for name, _ in late]), strict=True
        ):
            if raw is None:
                gone.append((kind.name, name))
            else:
                found.append(Entry(kind.name, name, order, _until_ms(kind, raw), hash_of(raw)))
    await stored.seals.wait_no_more(gone)
    return found


async def _added(
    stored: MarketStore, known: _Known, waiting: Set[tuple[str, str]]
) -> AsyncIterator[tuple[str, str]]:
    """Entries that stand where all was sealed, that no seal has, and that do not wait for one."""
    expected = known.entries.keys() | waiting
    for kind in sealed_kinds():
        position = known.upto.get(kind.name)
        if position is not None:
            async for some in _written(stored, kind, 0, position[0]):
                for name, order in some:
                    if (order, name) <= position and (kind.name, name) not in expected:
                        yield f"{kind.name} {name}", "was added after its time: it is in no seal"


async def _written(
    stored: MarketStore, kind: Kind[Any], since_ms: int, until_ms: int
) -> AsyncIterator[list[tuple[str, int]]]:
    offset = 0
    while some := await stored.seals.written(kind, max(0, since_ms), until_ms, offset):
        yield some
        offset += len(some)


def _until_ms(kind: Kind[Any], raw: bytes) -> int:
    try:
        return int(codec.document_of(kind).unpack(raw).value.timer_ms)
    except Exception:  # one that cannot be read is told elsewhere; its bytes are sealed all the same
        return FOR_EVER_MS


async def _trim(stored: MarketStore, now_ms: int) -> None:
    """Seals of which no entry needs be there go."""
    newest = await stored.seals.newest_version()
    for seq, raw in await stored.seals.page(0):
        try:
            entries = unpack(raw).entries
        except msgspec.DecodeError:
            return
        over = [
            may_be_gone(each.order, newest) if each.kind == TUNING else each.until_ms <= now_ms
            for each in entries
        ]
        if not all(over):
            await stored.seals.trim(seq)
            return
