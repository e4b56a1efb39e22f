"""The work lies within the vendor's hours, from its start to its end; no hours listed means always open.

Hours are the clock's: on a day that changes it they are those instants at which the clock shows them. What
lies beyond the days in view is not looked at; nothing can be booked there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from contracts.vendors import Hours, Vendor
from solvers.arrays import Arrays, Flags, Ints
from solvers.horizon import Horizon
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.starts import NO_BEGINS, Begins, Options

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
_Hours = Mapping[str, npt.NDArray[Any]]
_FAR_MS = 2**43  # no instant is later: one number holds a row and an instant


class OpenHours(CandidateRule):
    """Hard; may be switched off, and relaxed at closing time."""

    code = "hours"
    order = 60
    relaxable = True
    parameters = PARAMETERS

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """Of all hours `owner`, `weekday`, `opens`, `closes` (in minutes); `always`: V, none are listed."""
        listed = [
            (row, each.weekday, each.opens_minute, each.closes_minute)
            for row, vendor in enumerate(vendors)
            for each in vendor.hours
        ]
        owner, weekday, opens, closes = np.array(listed, np.int64).reshape(-1, 4).T.copy()
        always = np.array([not vendor.hours for vendor in vendors], np.bool_)
        return {"owner": owner, "weekday": weekday, "opens": opens, "closes": closes, "always": always}

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        if not ENFORCED.whole(view.values):
            return np.ones(len(candidates), np.bool_)
        first_ms = candidates.start_ms // MINUTE_MS * MINUTE_MS
        lasts = -(-candidates.service_ms // MINUTE_MS) - OVERRUN.whole(view.values)
        last_ms = np.minimum(first_ms + np.maximum(lasts, 1) * MINUTE_MS, view.screening.horizon.end_ms)
        return _open(view).hold(candidates.vendor, first_ms, last_ms)

    def begins(self, view: View, options: Options) -> Begins:
        """When a vendor opens."""
        if not ENFORCED.whole(view.values):
            return NO_BEGINS
        spans = _open(view)
        option, which = options.among(spans.vendor, spans.opens_ms, options.vendor)
        return option, spans.opens_ms[which]

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor is open from start to end, minute by minute on its clock, as far as in view."""
        if not ENFORCED.whole(one.values) or not one.vendor.hours:
            return True
        first_ms = one.start_ms // MINUTE_MS * MINUTE_MS
        lasts = -(-(one.end_ms - one.start_ms) // MINUTE_MS) - OVERRUN.whole(one.values)
        last_ms = min(first_ms + max(1, lasts) * MINUTE_MS, one.horizon.end_ms)
        minutes = range(first_ms, last_ms, MINUTE_MS)
        clock = ((one.horizon.weekday_at(ms), one.horizon.minute_at(ms)) for ms in minutes)
        return all(any(_open_at(hours, *at) for hours in one.vendor.hours) for at in clock)


class _Spans(NamedTuple):
    """When vendors are open, sorted by vendor and time; what meets is joined."""

    vendor: Ints
    opens_ms: Ints
    closes_ms: Ints

    @classmethod
    def joined(cls, vendor: Ints, opens_ms: Ints, closes_ms: Ints) -> _Spans:
        """From spans in any order."""
        order = np.lexsort((opens_ms, vendor))
        vendor, opens_ms, closes_ms = vendor[order], opens_ms[order], closes_ms[order]
        latest = np.maximum.accumulate(vendor * _FAR_MS + closes_ms)
        first = np.flatnonzero(np.r_[True, vendor[1:] * _FAR_MS + opens_ms[1:] > latest[:-1]][: len(vendor)])
        last = np.r_[first[1:] - 1, len(vendor) - 1][: len(first)]
        return cls(vendor[first], opens_ms[first], latest[last] - vendor[first] * _FAR_MS)

    def hold(self, vendor: Ints, first_ms: Ints, last_ms: Ints) -> Flags:
        """n; whether `[first_ms, last_ms)` lies in one span of its vendor."""
        if not len(self.vendor):
            return np.zeros(len(vendor), np.bool_)
        keys = self.vendor * _FAR_MS + self.opens_ms
        which = np.searchsorted(keys, vendor * _FAR_MS + first_ms, side="right") - 1
        same = (which >= 0) & (self.vendor[which] == vendor)
        return np.asarray(same & (last_ms <= self.closes_ms[which]))


#: as they were made last for these days, and of which hours
_KNOWN: Final[WeakKeyDictionary[Horizon, tuple[_Hours, _Spans]]] = WeakKeyDictionary()


def _open(view: View) -> _Spans:
    """Of all vendors, over the days in view."""
    return view.once_for_all("hours", lambda: _known_spans(view.vendor, view.screening.horizon))


def _known_spans(of: _Hours, horizon: Horizon) -> _Spans:
    """As they were a moment ago: imminent requests come one by one, beside the same vendors and days."""
    known = _KNOWN.get(horizon)
    if known is None or known[0] is not of:
        known = _KNOWN[horizon] = of, _spans(of, horizon)
    return known[1]


def _spans(of: _Hours, horizon: Horizon) -> _Spans:
    always = np.flatnonzero(of["always"])
    found = [np.stack([always, np.zeros_like(always), np.full_like(always, _FAR_MS - 1)])]
    for weekday, start_ms, opens, closes in horizon.stretches:
        some = np.flatnonzero((of["weekday"] == weekday) & (of["opens"] < closes) & (of["closes"] > opens))
        first = np.maximum(of["opens"][some], opens) - opens
        last = np.minimum(of["closes"][some], closes) - opens
        found.append(np.stack([of["owner"][some], start_ms + first * MINUTE_MS, start_ms + last * MINUTE_MS]))
    return _Spans.joined(*np.concatenate(found, axis=1))


def _open_at(hours: Hours, weekday: int, minute: int) -> bool:
    return weekday == hours.weekday and hours.opens_minute <= minute < hours.closes_minute


RULE = OpenHours()
