"""How many offers each vendor had of late, by service: what its share is measured against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final
from weakref import WeakKeyDictionary

from contracts.instants import to_instant
from contracts.tuning import Number
from dispatcher.domain.scorecards import Outcome, VendorLevel, days_until
from dispatcher.store.market import MarketStore
from dispatcher.store.scorecards import DayCounts

DAYS: Final = 7
OFFERS: Final = (Outcome.ACCEPTED, Outcome.DECLINED, Outcome.EXPIRED)
Offers = dict[str, Counter[str]]  #: by vendor, of each service

_KNOWN: WeakKeyDictionary[MarketStore, tuple[tuple[DayCounts, ...], Offers]] = WeakKeyDictionary()


async def read(stored: MarketStore, now_ms: int, _: Mapping[str, Number]) -> Offers:
    """What `solvers/rules/shares.py` reads: also where tuning makes nothing of it, for a what-if may."""
    found = dict(await stored.scorecards.days(days_until(now_ms, DAYS)))
    last = found.pop(to_instant(now_ms).date().isoformat(), {})
    days = tuple(found.values())
    known = _KNOWN.get(stored, ((), {}))
    if len(known[0]) != len(days) or any(a is not b for a, b in zip(known[0], days, strict=True)):
        known = _KNOWN[stored] = days, offers_of(days)
    return offers_of([last], known[1])


def offers_of(
    days: Iterable[Mapping[VendorLevel, Mapping[str, int]]], before: Offers | None = None
) -> Offers:
    """Of these days together, and of those `before`."""
    found = {vendor: Counter(each) for vendor, each in (before or {}).items()}
    for counts in days:
        for whose, card in counts.items():
            number = sum(card.get(each, 0) for each in OFFERS)
            if number:
                found.setdefault(whose.vendor_id, Counter())[whose.level] += number
    return found
