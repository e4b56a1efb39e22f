"""An episode as it is submitted whole, and as it is read: everything about it in one answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from contracts.barriers import EpisodeBarrier
from contracts.base import Id, Instant, Version, Wire
from contracts.codes import RequestState, TrackingStatus
from contracts.episodes import MAX_REQUESTS, Bundle, EpisodeDraft, SequenceKind
from contracts.geo import Position
from contracts.matches import Match
from contracts.paging import Cursor, PageSize
from contracts.requests import Request, doors_of
from contracts.tasks import OwnerRole, TaskView
from contracts.unmatched import Unmatched


class EpisodeSubmission(Wire):
    """An episode with all its requests: stored in one commit, or nothing of it."""

    id: Id
    requests: Annotated[tuple[Request, ...], Meta(min_length=1, max_length=MAX_REQUESTS)]
    episode: EpisodeDraft = EpisodeDraft()

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse what one of its requests must not say."""
        for place, request in enumerate(self.requests):
            request.refuse_from_outside(f"{pointer}/requests/{place}")

    def named_doors(self) -> Iterable[tuple[str, Position]]:
        """Those of its requests."""
        return doors_of(self.requests)


class EpisodeRequest(Wire):
    """One request of an episode; without `state` when it has been forgotten."""

    id: Id
    state: RequestState | None = None
    kind: str = ""
    owner: str = ""
    status: TrackingStatus | None = None
    earliest_at: Instant | None = None  # of its start
    latest_at: Instant | None = None
    match: Match | None = None
    unmatched: Unmatched | None = None
    waits_for: tuple[str, ...] = ()  # requirements, and requests that go before it and are not done
    at_risk: str = ""


class EdgeView(Wire):
    """One request before another, as it stands: waiting, done, broken (how it ended) or at risk (why)."""

    before: Id
    after: Id
    kind: SequenceKind
    least_lag_minutes: int = 0
    most_lag_minutes: int | None = None
    stands: str
    not_before: Instant | None = None  # what it leaves the later one, once that is known
    not_after: Instant | None = None


class EpisodeStep(Wire):
    """One line of an episode's timeline: of itself, or of one of its requests."""

    at: Instant
    what: str  # a request's state, `barrier`, or what was done with the episode
    request_id: str = ""
    code: str = ""
    by: str = ""
    subject: str = ""


class NoteView(Wire):
    """A word on the episode."""

    at: Instant
    by: str
    text: str


class EpisodeView(Wire):
    """Everything about an episode."""

    id: Id
    version: Version
    open: bool  # something of it has not ended
    opened_at: Instant
    owners: tuple[OwnerRole, ...]
    bundle: Bundle
    decide_by: Instant | None = None
    requests: tuple[EpisodeRequest, ...] = ()
    sequence: tuple[EdgeView, ...] = ()
    at_risk: tuple[Id, ...] = ()  # requests that are out of sequence, or may be
    tasks: tuple[TaskView, ...] = ()  # that nobody has ended
    notes: tuple[NoteView, ...] = ()
    barriers: tuple[EpisodeBarrier, ...] = ()  # of each request that ended without its service
    timeline: tuple[EpisodeStep, ...] = ()


class EpisodeQuery(Wire):
    """Which page of the open episodes to list."""

    cursor: Cursor = ""
    limit: PageSize = 50


class EpisodeSummary(Wire):
    """An episode in a list."""

    id: Id
    version: Version
    opened_at: Instant
    owners: tuple[OwnerRole, ...]
    requests: tuple[Id, ...] = ()


class EpisodePage(Wire, omit_defaults=False):
    """Open episodes, the oldest first; `cursor` is empty on the last page."""

    episodes: tuple[EpisodeSummary, ...] = ()
    cursor: str = ""
