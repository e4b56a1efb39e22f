"""Whether the chain of a market's saved decisions is whole: what is wrong, the first link that is first.

Each record holds the hash of the one before it, and the ledger in the store the hash of each. What was
changed, taken away or put between shows, unless who did it made all that follows anew, in both places.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from dispatcher.decisions.record import Raw, Unsaved, hash_of, name_of
from dispatcher.decisions.store import PART, DecisionStore, Place, place_of
from dispatcher.store.decisions import UNREADABLE, Entry
from dispatcher.store.market import MarketStore

TOGETHER: Final = 200
LOOKED_AT: Final = 1_000  # of records that the ledger does not have
RULE: Final = "decision_chain"
LEDGER: Final = "the ledger"  # what is gone where records are there, and none was ever issued


class Judged(NamedTuple):
    """What was looked at and is wrong: (what, how). `unlinked`: records that the ledger does not have."""

    entries: int
    unlinked: int
    wrong: list[tuple[str, str]]


async def judge(stored: MarketStore, kept: DecisionStore) -> Judged:
    """Read the ledger and every record. Raises Unavailable, OSError."""
    wrong, before, count, begins = list[tuple[str, str]](), None, 0, 0
    known = set[str]()
    lying = await asyncio.to_thread(kept.blobs.under, stored.name)
    last = await stored.decisions.last()
    if last is not None and not lying:  # said once, not for each
        how = f"are gone: {kept.blobs} keeps nothing of this market\nMaybe it is not the place they are kept."
        return Judged(0, 0, [("all decisions", how)])
    async for entries in _pages(stored):
        linked = [*([before] if before else []), *entries]
        wrong += [each for pair in pairwise(linked) for each in _link(*pair)]
        wrong += await asyncio.to_thread(_records, kept, stored.name, entries)
        known |= {str(_place(stored.name, each)) for each in entries}
        before, count, begins = entries[-1], count + len(entries), begins or entries[0].seq
    issued = await stored.decisions.issued()
    if before is not None and issued > before.seq:
        wrong.append((f"place {issued}", f"is gone from the end of the chain, which ends at {before.seq}"))
    records = {each.name for each in lying if not each.name.rpartition("/")[2].startswith(PART)}
    unlinked = sorted(records - known)
    wrong += await asyncio.to_thread(_left_behind, kept, unlinked, begins, issued)
    return Judged(count, len(unlinked), wrong)


async def _pages(stored: MarketStore) -> AsyncIterator[list[Entry]]:
    first = 0
    while entries := await stored.decisions.page(first, None, TOGETHER, newest=False):
        yield entries
        first = entries[-1].seq + 1


def _link(before: Entry, after: Entry) -> Iterator[tuple[str, str]]:
    if after.seq != before.seq + 1:
        yield f"place {before.seq + 1}", f"is gone from the chain: after it comes {after.seq}"
    elif UNREADABLE not in (before.kind, after.kind) and after.previous != before.hash:
        yield _called(after), f"does not follow {_called(before)}"


def _records(kept: DecisionStore, market: str, entries: Sequence[Entry]) -> list[tuple[str, str]]:
    return list(_unfit(kept, market, entries))


def _unfit(kept: DecisionStore, market: str, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    parts = set[Place]()
    for each in entries:
        if each.kind == UNREADABLE:
            yield f"place {each.seq}", "cannot be read in the ledger"
            continue
        place = _place(market, each)
        record = kept.raw(*place)
        if record is None:
            yield _called(each), f"is gone: {place}"
        elif hash_of(record) != each.hash:
            yield _called(each), f"was changed: {place}"
        else:
            yield from _contents(each, record)
            parts |= {Place(market, each.day, PART + name) for name in _shared(record)}
    for part in sorted(parts):
        shared = kept.raw(*part)
        if shared is None or PART + name_of(shared) != part.name:
            yield str(part), "is gone" if shared is None else "was changed"


def _left_behind(
    kept: DecisionStore, unlinked: Sequence[str], begins: int, issued: int
) -> list[tuple[str, str]]:
    """Records from before the ledger begins: what retention forgets of it, it has forgotten of them before.

    A ledger that never was (`issued` 0) has none either, but for that of a writer that died at its first.
    """
    if not issued and unlinked:
        how = f"is gone, and {len(unlinked):,} records are there\nMaybe the store was emptied, or is another."
        return [] if len(unlinked) == 1 else [(LEDGER, how)]
    wrong = list[tuple[str, str]]()
    for name in unlinked[:LOOKED_AT]:
        try:
            header = Raw.read(kept.blobs.get(name) or b"").header
        except Unsaved:  # no record: what a writer that died has left
            continue
        if header.seq < begins:
            what = f"decision {header.digest} (place {header.seq})"
            wrong.append((what, f"is gone from the ledger, which begins at {begins}: {name}"))
    return wrong


def _shared(record: bytes) -> Sequence[str]:
    try:
        return Raw.read(record).shared
    except Unsaved:  # it is told as that
        return ()


def _contents(entry: Entry, record: bytes) -> Iterator[tuple[str, str]]:
    """A record that is whole says what the ledger says of it."""
    try:
        header = Raw.read(record).header
    except Unsaved as error:
        yield _called(entry), f"cannot be read: {error}"
        return
    told = {
        "digest": entry.digest, "nth": entry.nth, "seq": entry.seq, "previous": entry.previous,
        "cost": entry.cost, "bound": entry.bound, "matched": entry.matched, "kind": entry.kind,
    }  # fmt: skip
    for name, value in told.items():
        if getattr(header, name) != value:
            yield _called(entry), f"was changed in the ledger: its {name}"


def _place(market: str, entry: Entry) -> Place:
    return place_of(market, entry.day, entry.digest, entry.nth)


def _called(entry: Entry) -> str:
    return f"decision {entry.digest} (place {entry.seq})"
