"""Sequence: which request follows which, and how long after it. What an episode is made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, OfferId, Wire
from contracts.event_types import event
from contracts.streams import To

MAX_AFTER = 8
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
