"""What the day came to: read back from the service at the end, so that the sum is the service's, not ours.

`requests = matched + sum(unmatched) + cancelled + open`; `matched` are requests that a vendor took and kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from contracts.codes import OfferState, RequestState
from contracts.offer_modes import OfferMode
from contracts.request_views import RequestView
from dispatcher.demo.judge import Verdict
from dispatcher.demo.possible import Possible
from dispatcher.demo.story import KEPT, Story
from dispatcher.demo.takers import found_takers, one_after_the_other
from dispatcher.domain.offers import WITHDRAWN
from simulation.tally import Tally, percentile

REFUSALS = 3  # that are told in words


class Summary(Story, frozen=True, kw_only=True):
    """The figures, the story's first; real milliseconds and seconds, `None` where nothing was measured."""

    day: str
    seed: int
    speed: float
    refused: int
    refusals: list[str]  # why, each in words; the first few
    requests: int
    matched: int
    completed: int
    no_show: int
    failed: int
    under_way: int
    cancelled: int
    open: int
    unmatched: dict[str, int]
    declined: int
    expired: int
    turned_back: int
    withdrawn: int  # offers taken back unanswered, to move their request to another vendor
    rematched: int
    offers_per_request: float | None  # of those that had one
    acceptance_p50_s: float | None  # clock time from the first offer to the first acceptance
    broadcast_races: int  # requests of which several were asked at once, and one has it, or had
    by_mode: dict[str, int]  # how requests were offered first
    counter_offers: int  # what vendors would rather do
    counters_taken: int  # of these, by themselves or by a person
    proofs_missing: int  # work that was done, and its proof is still not there
    webhooks_delivered: int  # events that vendors' servers took, each once
    webhooks_failed: int  # that they have not taken, after all that was tried again
    lost: int
    double_booked: int
    audit: dict[str, int]
    matched_share: float  # of all requests that were not cancelled
    matched_of_possible: float  # of the most that the day allows
    possible: Possible
    first_match_s: float | None
    submit_p50_ms: float | None
    submit_p99_ms: float | None
    offer_p50_ms: float | None
    offer_p99_ms: float | None
    imminent_offers: int  # what these two are of; not those who were told first that no vendor had room:
    imminent_waited: int
    wall_s: float
    web_rss_idle_mb: float | None
    web_rss_mb: float | None
    environment_mb: float
    redis_bytes_per_open_request: int | None  # at a quiet hour: own keys, and its share of what many have
    redis_message_bytes_per_open_request: int | None  # of these, messages; most go an hour after delivery
    vendor_messages: dict[str, int]


def summarise(
    tally: Tally,
    views: Collection[RequestView],
    *,
    verdict: Verdict,
    bound: Possible,
    story: Story,
    answers: Mapping[str, OfferMode],
    **others: Any,
) -> Summary:
    """All figures together. Lost: answered 202 and not listed any more, or missed by the audit.

    `answers`: how each vendor answers, where nothing else is said.
    """
    ended = ends(views) | found_takers(views, answers)
    missing = len(tally.safe - {view.id for view in views})
    own = msgspec.structs.asdict(story) | {
        "refused": len(tally.refused),
        "refusals": sorted(set(tally.refused.values()))[:REFUSALS],
        "lost": max(missing, verdict.lost),
        "double_booked": verdict.double_booked,
        "audit": verdict.findings,
        "possible": bound,
        "matched_of_possible": round(ended["matched"] / max(bound.requests, 1), 4),
        "matched_share": round(ended["matched"] / max(ended["requests"] - ended["cancelled"], 1), 4),
    }
    return msgspec.convert(ended | timings(tally, waited(views)) | own | others, Summary)


def ends(views: Iterable[RequestView]) -> dict[str, Any]:
    """How the requests ended, and what their offers went through."""
    found = list(views)
    states = Counter(view.state for view in found)
    offers = Counter(attempt.state for view in found for attempt in view.attempts)
    return {
        "requests": len(found),
        "matched": sum(states[state] for state in KEPT),
        "completed": states[RequestState.COMPLETED],
        "no_show": states[RequestState.NO_SHOW],
        "failed": states[RequestState.FAILED],
        "under_way": states[RequestState.ACCEPTED] + states[RequestState.IN_PROGRESS],
        "cancelled": states[RequestState.CANCELLED],
        "open": sum(states[state] for state in _OPEN),
        "unmatched": dict(Counter(reason(view) for view in found if view.state is RequestState.UNMATCHED)),
        "declined": offers[OfferState.REJECTED],
        "expired": offers[OfferState.EXPIRED],
        "turned_back": offers[OfferState.TURNED_BACK],
        "withdrawn": sum(each.code == WITHDRAWN for view in found for each in view.attempts),
        "rematched": sum(len(one_after_the_other(view)) > 1 and view.state in KEPT for view in found),
    }


_OPEN = (RequestState.RECEIVED, RequestState.ON_HOLD, RequestState.MATCHING, RequestState.OFFERED)


def reason(view: RequestView) -> str:
    """Why there was no match: the rule that removed the last vendor, or that others took the capacity."""
    why = view.unmatched
    if why is None:
        return "not explained"
    return "capacity went to others" if why.competition else why.last_rule or "not explained"


def waited(views: Iterable[RequestView]) -> set[str]:
    """Requests that were told why nobody could take them before they had their first offer."""
    first = [RequestState.RECEIVED, RequestState.MATCHING]
    return {view.id for view in views if [step.state for step in view.history[:2]] == first}


def timings(tally: Tally, without_room: set[str]) -> dict[str, Any]:
    """What was measured at the two ends, in real time."""
    offers = tally.offer_ms(without_room)
    return {
        "first_match_s": _rounded(tally.first_match_s),
        "submit_p50_ms": _rounded(percentile(tally.submit_ms, 0.5)),
        "submit_p99_ms": _rounded(percentile(tally.submit_ms, 0.99)),
        "offer_p50_ms": _rounded(percentile(offers, 0.5)),
        "offer_p99_ms": _rounded(percentile(offers, 0.99)),
        "imminent_offers": len(offers),
        "imminent_waited": len(tally.imminent & without_room & tally.heard.keys()),
        "vendor_messages": dict(tally.vendors),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
