"""What is counted of vendors' work beside what stands behind the counts, for the audit."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from redis.exceptions import ResponseError

from dispatcher.domain.scorecards import Entry, Outcome, WorkOutcome
from dispatcher.store.aside import READ_ERRORS
from dispatcher.store.connection import Reader
from dispatcher.store.keys import Keys
from dispatcher.store.resp import text_of
from dispatcher.store.scorecards import CHANGES

DAY_CHARS = len("2026-03-02")  # what was counted by month has nothing behind it
_decode = msgspec.msgpack.Decoder(Entry).decode
Counts = Counter[str]  #: by `<vendor>:<level>:<outcome>`


class ScoredDay(msgspec.Struct):
    """One day. `upheld`: outcomes that a vendor disputed, and that count no more."""

    counted: Counts
    behind: Counts
    upheld: set[str]  # offer id, slash, outcome
    moving: bool = False  # it was counted on while it was read
    odd: bool = False  # something of it cannot be read


async def scored(
    reader: Reader, keys: Keys, periods: Sequence[str], behind: Sequence[str]
) -> dict[str, ScoredDay]:
    """By day. `periods` and `behind`: the rests of the keys that there are."""
    vendors: dict[str, list[str]] = {}
    for rest in behind:
        vendor, _, day = rest.partition(":")
        vendors.setdefault(day, []).append(vendor)
    days = sorted({each for each in periods if len(each) == DAY_CHARS} | vendors.keys())
    return {day: await _day(reader, keys, day, vendors.get(day, [])) for day in days}


async def _day(reader: Reader, keys: Keys, day: str, vendors: Iterable[str]) -> ScoredDay:
    found, names = ScoredDay(Counter(), Counter(), set()), list(vendors)
    asked = [
        ("HGETALL", keys.scorecards(day)),
        *(("HGETALL", keys.outcomes(each, day)) for each in names),
        ("HGET", keys.scorecards(day), CHANGES),
    ]
    first, *rest, changes = await reader.ask_each(asked)
    if isinstance(first, ResponseError):
        found.odd = True
        return found
    counts = {text_of(field): raw for field, raw in first.items()}
    found.moving = counts.pop(CHANGES, None) != changes
    for name, raw in counts.items():
        with contextlib.suppress(ValueError):
            found.counted[name] = int(raw)
    for vendor, fields in zip(names, rest, strict=True):
        if isinstance(fields, ResponseError):
            found.odd = True
        else:
            _add(found, vendor, fields)
    return found


def _add(found: ScoredDay, vendor: str, fields: Mapping[bytes, bytes]) -> None:
    for field, raw in fields.items():
        name = text_of(field)
        offer_id, _, outcome = name.partition("/")
        try:
            one = WorkOutcome(vendor, offer_id, Outcome(outcome), _decode(raw))
        except READ_ERRORS:
            found.odd = True
            continue
        if one.entry.upheld:
            found.upheld.add(name)
            continue
        for count, number in one.counts():
            found.behind[f"{vendor}:{one.entry.level}:{count}"] += number
