"""What caps leave, as the matcher reads it; and what work that may be placed anew gives back of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from contracts.caps import Cap
from dispatcher.domain.caps import LENGTHS, UNITS, held, span
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.caps import used_of
from dispatcher.store.market import MarketStore
from solvers.rules.cap import ANY, CapLeft

Known = Mapping[str, Sequence[CapLeft]]  #: by vendor


async def read(stored: MarketStore, days: Sequence[date]) -> Known:
    """What `solvers/rules/cap.py` reads: of vendors with caps, what is left over these days, which follow."""
    caps = await stored.caps.get_all()
    if not caps:
        return {}
    wanted = [(vendor, each, day) for vendor, some in caps.items() for each in some for day in days]
    used = await stored.caps.used(wanted)
    return {
        vendor: list(dict.fromkeys(_left(used, vendor, each, day, days) for each in some for day in days))
        for vendor, some in caps.items()
    }


def _left(
    used: Mapping[tuple[str, str], int], vendor: str, cap: Cap, day: date, days: Sequence[date]
) -> CapLeft:
    """Of the period that a day lies in, as far as it is in view."""
    first, last = span(day, cap.period)
    limits = [getattr(cap, unit) for unit in UNITS]
    left = [
        ANY if most is None else most - used_of(used, vendor, cap, day, unit)
        for unit, most in zip(UNITS, limits, strict=True)
    ]
    return CapLeft(
        cap.payer,
        day.isoformat()[: LENGTHS[cap.period]],
        max(first, days[0]).toordinal(),
        min(last, days[-1]).toordinal(),
        *left,
    )


def given_back(known: Known, record: RequestRecord) -> Known:
    """As if what the request's offers hold were free."""
    for (vendor, payer, day), (trips, cents) in held(record).items():
        some = known.get(vendor, ())
        mine = [each.payer == payer and day.startswith(each.period) for each in some]
        freed = [_more(each, trips, cents) if own else each for each, own in zip(some, mine, strict=True)]
        known = {**known, vendor: freed}
    return known


def _more(left: CapLeft, trips: int, cents: int) -> CapLeft:
    return left._replace(
        trips=left.trips if left.trips == ANY else left.trips + trips,
        cents=left.cents if left.cents == ANY else left.cents + cents,
    )


def is_capped(known: Known, record: RequestRecord) -> bool:
    """Whether a vendor that it is offered to has caps for who pays it: then it stays where it is."""
    vendors = {each.vendor_id for each in record.live_offers} if record.charged_to else set()
    return any(each.payer == record.charged_to for vendor in vendors for each in known.get(vendor, ()))
