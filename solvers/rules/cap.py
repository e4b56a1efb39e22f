"""What a payer's caps leave of a vendor's day, month and year: a trip, and its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np

from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.rules.price import price_cents, price_of
from solvers.screening import OpenRequest

ANY: Final = 2**60  # left where there is no cap


class CapLeft(NamedTuple):
    """What is left of one cap: of the days in view those that its period has (`date.toordinal()`)."""

    payer: str
    period: str  # how ISO days of it begin: 2026, 2026-03, 2026-03-02
    first: int
    last: int
    trips: int = ANY
    cents: int = ANY


class WithinCaps(CandidateRule):
    """Hard, and not to be relaxed: who pays has said how much. Each candidate by itself; commits add up."""

    code = "cap"
    order = 75
    passing = True
    reads = "caps"

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`payer`: R; a number for each, 0 for none."""
        return {"payer": np.array([number_of(each.request.payer) for each in asked], np.int64)}

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, Sequence[CapLeft]]) -> Arrays:
        """Of each vendor, payer and day with caps: `place` (those three), `left` (trips, cents)."""
        found = dict[tuple[int, int, int], tuple[int, int]]()
        for row, vendor in enumerate(vendors):
            for each in known.get(vendor.id, ()):
                for day in range(each.first, each.last + 1):
                    at = row, number_of(each.payer), day
                    trips, cents = found.get(at, (ANY, ANY))
                    found[at] = min(trips, each.trips), min(cents, each.cents)
        place, left = list(found), list(found.values())
        return {
            "place": np.array(place, np.int64).reshape(-1, 3),
            "left": np.array(left, np.int64).reshape(-1, 2),
        }

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        fits = np.ones(len(candidates), np.bool_)
        place = view.vendor.get("place")
        if place is None or not len(place):
            return fits
        payer, horizon = view.request["payer"][candidates.request], view.screening.horizon
        rows = np.flatnonzero((payer != 0) & np.isin(candidates.vendor, place[:, 0]))
        if not len(rows):
            return fits
        some = candidates.only(rows)
        at = np.stack([some.vendor, payer[rows], horizon.ordinal[horizon.day_of(some.start_ms)]], axis=1)
        together, which = np.unique(np.concatenate([place, at]), axis=0, return_inverse=True)
        left = np.full((len(together), 2), ANY, np.int64)
        left[which[: len(place)]] = view.vendor["left"]
        trips, cents = left[which[len(place) :]].T
        fits[rows] = (trips > 0) & (price_cents(view, some) <= cents)
        return fits

    def permits(self, one: Candidate) -> bool:
        """Whether a trip is left on the chosen day, and its price."""
        day = int(one.horizon.ordinal[one.horizon.day_at(one.start_ms)])
        caps = [each for each in one.known.get(self.reads, ()) if each.payer == one.asked.request.payer]
        left = [each for each in caps if each.first <= day <= each.last]
        return all(each.trips > 0 and price_of(one) <= each.cents for each in left)


def number_of(payer: str | None) -> int:
    """A payer as a number that is the same in every process; 0 for none."""
    return int.from_bytes(blake2b(payer.encode(), digest_size=7).digest()) + 1 if payer else 0


RULE = WithinCaps()
