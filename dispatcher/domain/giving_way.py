"""A dispatch may be asked to start later because what goes before it lost its vendor, and it is high time.

Until `sequence_lead_minutes` before its start that is sought before it. Then a later place is better than
none, where the window of the dispatch bears it: its vendor is asked for another start (`retiming`), and the
task that a person has from that moment on stays until it is settled.
"""

from __future__ import annotations

from contracts.amendments import MAX_AMENDMENTS
from contracts.codes import RequestState
from contracts.instants import MINUTE_MS
from dispatcher.domain.links import Link, Span, Values, bounds_of, has_begun
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.retiming import OFTEN
from dispatcher.domain.risks import LEAD


def gives_way(other: RequestRecord, now_ms: int, values: Values) -> bool:
    """Whether the vendor of a dispatch would be asked for a later start, now."""
    dispatch, asked = other.dispatch, other.pending
    if dispatch is None or other.state is not RequestState.ACCEPTED or has_begun(other):
        return False
    if asked is not None and not asked.retimes:
        return False  # a person's amendment comes first
    often = len(other.retimings) >= OFTEN.whole(values) or len(other.amendments) >= MAX_AMENDMENTS
    return not often and now_ms >= dispatch.start_ms - LEAD.whole(values) * MINUTE_MS


def may_follow(other: RequestRecord, link: Link, span: Span, now_ms: int, values: Values) -> bool:
    """Whether it may still start after work from start to end, by its window, once it is asked to."""
    within, dispatch = bounds_of(link, span), other.dispatch
    soonest_ms = within.not_before_ms
    if dispatch is None or soonest_ms is None or soonest_ms <= dispatch.start_ms:
        return False  # what is wrong is that it would be too late after it
    return soonest_ms <= other.latest_ms and gives_way(other, now_ms, values)
