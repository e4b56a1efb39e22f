"""Will-call: a ride without a time; it is activated once somebody says that its passenger is ready."""

from __future__ import annotations

from contracts.base import Day, Id, Instant, Version, Wire, refuse_odd_day, refuse_odd_year
from contracts.codes import RequestState
from contracts.event_types import event
from contracts.geo import WindowView
from contracts.streams import To


class WillCall(Wire):
    """The local day that the ride is for, and until when it may be called; left out: the end of that day."""

    day: Day
    until: Instant | None = None

    def __post_init__(self) -> None:
        """Refuse a day and an instant that no calendar of ours holds."""
        refuse_odd_year("until", self.until)
        refuse_odd_day("day", self.day)


class Activate(Wire):
    """The passenger of a will-call is ready, or will be at `ready_at`; left out: now."""

    ready_at: Instant | None = None

    def __post_init__(self) -> None:
        """Refuse a time that no calendar of ours holds."""
        refuse_odd_year("ready_at", self.ready_at)


@event("dispatch.request.activated", to=To.EVENTS)
class RequestActivated(Wire):
    """A will-call was called: the window in which it is picked up."""

    request_id: Id
    state: RequestState
    version: Version
    window: WindowView
    by: str = ""
