"""What comes before and after a request in its episode bounds its start, where that stands already.

Requests that wait together are kept in order by the plan. One whose predecessor neither stands nor waits in
the same screening waits, too: it has no place here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.instants import MINUTE_MS
from solvers.arrays import Arrays, Flags, Ints
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.screening import OpenRequest
from solvers.starts import NO_BEGINS, Begins, Options

_EVER, _NEVER = 2**60, -(2**60)


class SequenceRule(CandidateRule):
    """Hard; relaxed by minutes, which is that much less lag. Work before it may be done sooner after all."""

    code = "sequence"
    order = 62
    relaxable = True
    passing = True
    unit = "minutes"

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`not_before_ms`, `not_after_ms`: bounds on the start; `waits`: for what is not here. R each."""
        before = [_NEVER if each.not_before_ms is None else each.not_before_ms for each in asked]
        after = [_EVER if each.not_after_ms is None else each.not_after_ms for each in asked]
        return {
            "not_before_ms": np.array(before, np.int64),
            "not_after_ms": np.array(after, np.int64),
            "waits": _waiting(asked),
        }

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        if not _bounds(view):
            return np.ones(len(candidates), np.bool_)
        of, request, start_ms = view.request, candidates.request, candidates.start_ms
        kept = (of["not_before_ms"][request] <= start_ms) & (start_ms <= of["not_after_ms"][request])
        return np.asarray(kept & ~of["waits"][request])

    def begins(self, view: View, options: Options) -> Begins:
        """The earliest start that what comes before it leaves."""
        if not _bounds(view):
            return NO_BEGINS
        at_ms = view.request["not_before_ms"][options.request]
        option = np.flatnonzero((options.first_ms < at_ms) & (at_ms <= options.last_ms))
        return option, at_ms[option]

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """Minutes by which a start is too soon after what comes before, or too late for what comes after."""
        early_ms = view.request["not_before_ms"][candidates.request] - candidates.start_ms
        late_ms = candidates.start_ms - view.request["not_after_ms"][candidates.request]
        return np.asarray(-(-np.maximum(0, np.maximum(early_ms, late_ms)) // MINUTE_MS))

    def permits(self, one: Candidate) -> bool:
        """Whether the start is within the bounds. Of requests that wait together the plan is the judge."""
        asked = one.asked
        if asked.not_before_ms is not None and one.start_ms < asked.not_before_ms:
            return False
        return asked.not_after_ms is None or one.start_ms <= asked.not_after_ms


def _waiting(asked: Sequence[OpenRequest]) -> Flags:
    """R; who is to follow something that is not among them."""
    waits = np.zeros(len(asked), np.bool_)
    following = [row for row, each in enumerate(asked) if each.follows]
    here = {each.request.id for each in asked} if following else set()
    for row in following:
        others = here - {asked[row].request.id}
        waits[row] = any(one.request_id not in others for one in asked[row].follows)
    return waits


def _bounds(view: View) -> bool:
    """Whether anybody in the whole screening is bounded: most often nobody is."""
    return view.once_for_all("sequence", lambda: _any_bounded(view.screening.of_requests[view.code]))


def _any_bounded(of: Arrays) -> bool:
    bounded = (of["not_before_ms"] != _NEVER) | (of["not_after_ms"] != _EVER) | of["waits"]
    return bool(bounded.any())


RULE = SequenceRule()
