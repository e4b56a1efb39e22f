"""Episodes of a day: what one patient needs, in which sequence, and what the people around it do and when."""

from __future__ import annotations

import dataclasses
from enum import StrEnum

from contracts.episode_views import EpisodeSubmission
from contracts.episodes import Bundle, Edge
from contracts.requests import Request
from contracts.standing_orders import StandingOrder


class Plot(StrEnum):
    """What an episode is about."""

    DISCHARGE = "discharge"  # oxygen and a bed at home, then the ride there
    DIALYSIS = "dialysis"  # a standing order; the way back is a will-call
    CLINIC = "clinic"  # there by an appointment, and back


@dataclasses.dataclass(frozen=True)
class Again:
    """The same, asked for by somebody else who does not know of it."""

    at_ms: int
    requests: tuple[Request, ...]


@dataclasses.dataclass(frozen=True)
class Episode:
    """One patient's. It comes whole, or as a standing order whose requests the service makes.

    `as_called`: its requests of this day; a will-call with the window that it has when it is called in time.
    """

    id: str
    plot: Plot
    at_ms: int
    as_called: tuple[Request, ...]
    whole: EpisodeSubmission | None = None
    order: StandingOrder | None = None
    call_ms: int = 0  # when the patient of its will-call, the last of its requests, is ready
    again: Again | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its requests of this day."""
        return tuple(each.id for each in self.as_called)

    @property
    def is_bundle(self) -> bool:
        """Whether none of it is wanted without the others."""
        return self.whole is not None and self.whole.episode.bundle is Bundle.ALL_OR_NONE

    @property
    def edges(self) -> tuple[Edge, ...]:
        """What goes before what: as it was asked, and each leg there before its way back."""
        found = [
            Edge(
                before=link.request,
                after=each.id,
                kind=link.kind,
                least_lag_minutes=link.least_lag_minutes,
                most_lag_minutes=link.most_lag_minutes,
            )
            for each in self.as_called
            for link in each.after
        ]
        found += [Edge(before=each.way_back_of, after=each.id) for each in self.as_called if each.way_back_of]
        return tuple(found)
