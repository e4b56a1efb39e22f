"""The work lies within the vendor's hours, from its start to its end; no hours listed means always open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from contracts.vendors import Hours, Vendor
from solvers.arrays import Arrays, Flags, table_of
from solvers.rules.base import Candidate, CandidateRule, Candidates, View

ENFORCED = Parameter(
    name="hours_enforced",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: work lies within the vendor's hours. 0: capacity alone decides when a vendor works.",
    scope="rules.hours",
)
OVERRUN = Parameter(
    name="hours_overrun_minutes",
    default=15,
    minimum=0,
    maximum=240,
    unit="minutes",
    summary="Work that starts within the vendor's hours may end this much after closing.",
    scope="rules.hours",
)
PARAMETERS = (ENFORCED, OVERRUN)
_DAY, _WEEK = 1440, 7 * 1440


class OpenHours(CandidateRule):
    """Hard; may be switched off, and relaxed at closing time."""

    code = "hours"
    order = 60
    relaxable = True
    parameters = PARAMETERS

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`opens`, `closes`: V x H minutes of the week, joined over midnight; -1 where there are fewer."""
        spans = [_spans(vendor.hours) for vendor in vendors]
        opens, closes = ([[span[end] for span in each] for each in spans] for end in (0, 1))
        return {"opens": table_of(opens), "closes": table_of(closes)}

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        open_ = np.zeros(len(candidates), np.bool_)
        if not ENFORCED.whole(view.values):
            return ~open_
        start = view.screening.horizon.minute_of_week(candidates.start_ms)
        end = start + -(-candidates.service_ms // MINUTE_MS) - OVERRUN.whole(view.values)
        opens, closes = view.vendor["opens"], view.vendor["closes"]
        for nth in range(opens.shape[1]):
            first, last = opens[candidates.vendor, nth], closes[candidates.vendor, nth]
            open_ |= (first >= 0) & (first <= start) & (start < last) & (end <= last)
            after = start + _WEEK  # a span that began last week, on Sunday night
            open_ |= (first >= 0) & (first <= after) & (after < last) & (end + _WEEK <= last)
        return open_

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor is open from start to end, minute by minute."""
        if not ENFORCED.whole(one.values) or not one.vendor.hours:
            return True
        start = one.horizon.weekday_at(one.start_ms) * _DAY + one.horizon.minute_at(one.start_ms)
        lasts = -(-(one.end_ms - one.start_ms) // MINUTE_MS) - OVERRUN.whole(one.values)
        minutes = range(start, start + max(1, lasts))
        return all(any(_open_at(hours, minute % _WEEK) for hours in one.vendor.hours) for minute in minutes)


def _open_at(hours: Hours, minute: int) -> bool:
    return minute // _DAY == hours.weekday and hours.opens_minute <= minute % _DAY < hours.closes_minute


def _spans(hours: Sequence[Hours]) -> list[tuple[int, int]]:
    """Open spans in minutes of the week; what meets is joined, over Sunday midnight too."""
    if not hours:
        return [(0, 2 * _WEEK)]
    listed = sorted(
        (each.weekday * _DAY + each.opens_minute, each.weekday * _DAY + each.closes_minute) for each in hours
    )
    joined = [listed[0]]
    for first, last in listed[1:]:
        if first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    if joined[-1][1] == _WEEK and joined[0][0] == 0:
        joined[-1] = (joined[-1][0], _WEEK + joined[0][1])
    return joined


RULE = OpenHours()
