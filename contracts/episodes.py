"""Sequence: which request follows which, and how long after it. Episodes: requests that belong together."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, OfferId, Version, Wire, refuse_odd_year
from contracts.event_types import event
from contracts.outside import refuse_blank
from contracts.streams import To
from contracts.tasks import OwnerRole

MAX_AFTER = 8
MAX_REQUESTS, MAX_EDGES, MAX_NOTES = 64, 256, 50
MAX_LAG_MINUTES = 7 * 24 * 60

Lag = Annotated[int, Meta(ge=0, le=MAX_LAG_MINUTES, description="minutes")]


class SequenceKind(StrEnum):
    """From where a lag counts."""

    FINISH_TO_START = "finish_to_start"  # from where the predecessor's work has ended
    START_TO_START = "start_to_start"  # from where it has begun: equipment may travel along


class After(Wire):
    """A request that goes before this one."""

    request: Id
    kind: SequenceKind = SequenceKind.FINISH_TO_START
    least_lag_minutes: Lag = 0
    most_lag_minutes: Lag | None = None  # left out: however long after

    def __post_init__(self) -> None:
        """Refuse lags that no start could keep."""
        if self.most_lag_minutes is not None and self.most_lag_minutes < self.least_lag_minutes:
            raise ValueError(
                f"most_lag_minutes is {self.most_lag_minutes}, less than least_lag_minutes "
                f"({self.least_lag_minutes})\nMaybe the two were swapped."
            )


class AfterView(Wire):
    """A request that goes before another, and how that stands."""

    request: Id
    kind: SequenceKind = SequenceKind.FINISH_TO_START
    least_lag_minutes: int = 0
    most_lag_minutes: int | None = None
    done: bool = False  # it has ended as it should: nothing is waited for any more
    broken: str = ""  # how it ended otherwise: cancelled, failed, no_show, unmatched


class Release(Wire):
    """A request need not wait for what goes before it: for one, or (left out) for all."""

    request: Id | None = None


class Bundle(StrEnum):
    """Whether requests of an episode are worth something without the others."""

    INDEPENDENT = "independent"
    ALL_OR_NONE = "all_or_none"  # until `decide_by`


class Edge(Wire):
    """One request of an episode before another."""

    before: Id
    after: Id
    kind: SequenceKind = SequenceKind.FINISH_TO_START
    least_lag_minutes: Lag = 0
    most_lag_minutes: Lag | None = None

    def __post_init__(self) -> None:
        """Refuse what `After` refuses, and a request before itself."""
        if self.before == self.after:
            raise ValueError(f"request {self.before} is to go before itself\nMaybe another id was meant.")
        _ = self.link

    @property
    def link(self) -> After:
        """As the request that goes after has it."""
        return After(
            request=self.before,
            kind=self.kind,
            least_lag_minutes=self.least_lag_minutes,
            most_lag_minutes=self.most_lag_minutes,
        )


class EpisodeDraft(Wire):
    """Requests of one patient that belong together. What was in the episode and is not named leaves it.

    `sequence` is added to what goes before and after already; a request is let go by itself.
    """

    owners: Annotated[tuple[OwnerRole, ...], Meta(max_length=3)] = (OwnerRole.CARE_COORDINATOR,)
    bundle: Bundle = Bundle.INDEPENDENT
    decide_by: Instant | None = None  # all or none until then; later each for itself
    requests: Annotated[tuple[Id, ...], Meta(max_length=MAX_REQUESTS)] = ()
    sequence: Annotated[tuple[Edge, ...], Meta(max_length=MAX_EDGES)] = ()

    def __post_init__(self) -> None:
        """Refuse a bundle without its end, and what stands twice."""
        refuse_odd_year("decide_by", self.decide_by)
        if (self.decide_by is None) is (self.bundle is Bundle.ALL_OR_NONE):
            raise ValueError(
                "a bundle that is all_or_none has decide_by, and no other has\nMaybe give both, or neither."
            )
        if len(set(self.requests)) < len(self.requests):
            raise ValueError("`requests` names one twice\nMaybe another was meant.")


class Note(Wire):
    """A word on an episode, encrypted at rest, for it may name a patient."""

    text: Annotated[str, Meta(min_length=1, max_length=1_000)]

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse one that shows nothing."""
        refuse_blank(f"{pointer}/text", self.text)


@event("dispatch.episode.changed", to=To.EVENTS)
class EpisodeChanged(Wire):
    """What belongs to an episode changed, or how; read it again."""

    episode_id: Id
    version: Version
    what: str
    request_ids: tuple[Id, ...] = ()  # those that came or went
    by: str = ""


@event("dispatch.sequence.at_risk", "dispatch.sequence.restored", to=To.EVENTS)
class SequenceChanged(Wire):
    """A request's place after another is at risk, or stands again; `code` says what happened."""

    request_id: Id
    predecessor_id: str = ""
    code: str = ""


@event("dispatch.dispatch.at_risk", "dispatch.dispatch.restored", to=To.VENDOR)
class DispatchAtRisk(Wire):
    """What a dispatch has to wait for is late or missing; or it stands again."""

    offer_id: OfferId
    code: str = ""
