"""What a request keeps of each that goes before it, and where that leaves its start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.episodes import After, AfterView, SequenceKind
from contracts.instants import MINUTE_MS
from contracts.tuning import Number
from dispatcher.domain.compact import Compact
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.timers import OVERDUE

if TYPE_CHECKING:
    from dispatcher.domain.offers import OfferRecord
    from dispatcher.domain.requests import RequestRecord  # which keeps links

STARTED = frozenset({TrackingStatus.AT_PICKUP, TrackingStatus.ON_BOARD})
Values = Mapping[str, Number]
EARLY = "started_early"  # the risk of one that has begun while what goes before it has not ended


class Link(Compact, frozen=True):
    """A request that goes before this one. `done_ms`: from when the lag counts, once that is over.

    `broken`: how it ended, if not as it should. A person who says "go anyway" drops the link.
    """

    request_id: str
    kind: SequenceKind = SequenceKind.FINISH_TO_START
    least_ms: int = 0
    most_ms: int | None = None
    done_ms: int = 0
    broken: str = ""

    @property
    def waits(self) -> bool:
        """Whether its predecessor has not ended yet."""
        return not self.done_ms and not self.broken


class Span(NamedTuple):
    """Work from its start to its end, in ms since the epoch."""

    start_ms: int
    end_ms: int


class Bounds(NamedTuple):
    """When a start is in sequence; None: however early, however late."""

    not_before_ms: int | None = None
    not_after_ms: int | None = None

    def hold(self, start_ms: int) -> bool:
        """Whether a start is within."""
        early = self.not_before_ms is not None and start_ms < self.not_before_ms
        late = self.not_after_ms is not None and start_ms > self.not_after_ms
        return not early and not late

    def within(self, other: Bounds) -> Bounds:
        """Both at once."""
        first = [each for each in (self.not_before_ms, other.not_before_ms) if each is not None]
        last = [each for each in (self.not_after_ms, other.not_after_ms) if each is not None]
        return Bounds(max(first, default=None), min(last, default=None))


def link_of(after: After) -> Link:
    """As the platform says it."""
    most = after.most_lag_minutes
    return Link(
        request_id=after.request,
        kind=after.kind,
        least_ms=after.least_lag_minutes * MINUTE_MS,
        most_ms=None if most is None else most * MINUTE_MS,
    )


def link_view(link: Link) -> AfterView:
    """As platform and ops read it."""
    return AfterView(
        request=link.request_id,
        kind=link.kind,
        least_lag_minutes=link.least_ms // MINUTE_MS,
        most_lag_minutes=None if link.most_ms is None else link.most_ms // MINUTE_MS,
        done=link.done_ms > 0,
        broken=link.broken,
    )


def expected(offer: OfferRecord, values: Values) -> Span:
    """When the work of a live offer will be done, as far as reports and missed reports tell."""
    late_ms = offer.overdue * OVERDUE.whole(values) * MINUTE_MS
    start_ms = max(offer.start_ms, offer.arrived_ms)
    length_ms = offer.end_ms - offer.start_ms
    if offer.status is None:  # the report that is missing is that of the start
        return Span(start_ms + late_ms, start_ms + late_ms + length_ms)
    return Span(start_ms, start_ms + length_ms + late_ms)


def place_of(record: RequestRecord, values: Values) -> Span | None:
    """When a request is to be done: the latest of what its live offers say; None while there is none."""
    spans = [expected(each, values) for each in record.live_offers]
    if not spans:
        return None
    return Span(max(each.start_ms for each in spans), max(each.end_ms for each in spans))


def bounds_of(link: Link, span: Span) -> Bounds:
    """What a predecessor's work leaves its successor."""
    from_ms = span.end_ms if link.kind is SequenceKind.FINISH_TO_START else span.start_ms
    return Bounds(from_ms + link.least_ms, None if link.most_ms is None else from_ms + link.most_ms)


def resolved(link: Link, predecessor: RequestRecord | None) -> Link:
    """The link as it stands once its predecessor has ended; as it was before, or where that is gone."""
    if not link.waits or predecessor is None or predecessor.state not in TERMINAL:
        return link
    if predecessor.state is not RequestState.COMPLETED:
        return replace(link, broken=predecessor.state.value)
    return replace(link, done_ms=max(1, _done_ms(link, predecessor)))


def _done_ms(link: Link, predecessor: RequestRecord) -> int:
    ended_ms = predecessor.history[-1].at_ms
    done = next((each for each in predecessor.offers if each.state is OfferState.COMPLETED), None)
    if link.kind is SequenceKind.FINISH_TO_START or done is None:
        return ended_ms
    return min(ended_ms, done.arrived_ms or done.start_ms)


def has_begun(record: RequestRecord) -> bool:
    """Whether somebody is at its door."""
    return any(each.status in STARTED for each in record.live_offers)


def bounds(record: RequestRecord, others: Mapping[str, Any], values: Values) -> Bounds | None:
    """When its start is in sequence with all that goes before it; None: with what has no vendor yet."""
    found = Bounds()
    for link in record.after:
        span = span_of(link, others.get(link.request_id), values)
        if span is None:
            return None
        found = found.within(bounds_of(link, span))
    return found


def span_of(link: Link, predecessor: RequestRecord | None, values: Values) -> Span | None:
    """The predecessor's work, done or to be done; None while it has no vendor, or will not be done."""
    if link.done_ms:
        return Span(link.done_ms, link.done_ms)
    if link.broken or predecessor is None:
        return None
    return place_of(predecessor, values)


def links_to(record: RequestRecord | None, request_id: str) -> Link | None:
    """The link by which a request waits for another that has not ended; None where it does not."""
    links = record.after if record is not None else ()
    return next((each for each in links if each.request_id == request_id and each.waits), None)


def successors(record: RequestRecord, related: Mapping[str, Any]) -> Iterator[tuple[RequestRecord, Link]]:
    """Who waits for a request, as far as it has not ended, and by which link."""
    for name in record.before:
        other = related.get(name)
        link = links_to(other, record.id)
        if other is not None and link is not None and other.state not in TERMINAL:
            yield other, link


def in_sequence(record: RequestRecord) -> bool:
    """Whether it goes after or before another."""
    return bool(record.after or record.before)
