"""Barriers: why care did not come as it was asked for; and patterns, how often which of them, where."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Id, Instant, Tally, Wire
from contracts.codes import RequestState, ServiceClass
from contracts.event_types import event
from contracts.streams import To

MAX_WEEKS = 53  # that one answer counts over
MAX_ROWS = 1_000  # of one way to count: the most frequent


class BarrierCode(StrEnum):
    """Why a request ended without its service."""

    PATIENT_NOT_READY = "patient_not_ready"  # there, but not ready to go: papers, pharmacy, dressed
    NO_ONE_AT_HOME = "no_one_at_home"
    TRANSPORT_REFUSED = "transport_refused"  # by the patient or who speaks for them
    WRONG_ADDRESS = "wrong_address"
    AUTHORIZATION = "authorization"  # it did not come in time
    SEQUENCE = "sequence"  # what was to go before it was not done
    NOT_CALLED = "not_called"  # a will-call that nobody called
    NO_VENDOR = "no_vendor"  # none was found, or none took it
    VENDOR_FAILED = "vendor_failed"  # the one that had it did not do it
    EQUIPMENT_UNAVAILABLE = "equipment_unavailable"
    WEATHER = "weather"
    OTHER = "other"


class BarrierReport(Wire):
    """What somebody says the barrier was; the note is encrypted at rest, for it may name a patient."""

    code: BarrierCode
    note: Annotated[str, Meta(max_length=1_000)] = ""


class BarrierView(Wire):
    """The barrier of a request. `suggested`: it follows from how that ended, and nobody has said it yet."""

    code: BarrierCode
    at: Instant
    suggested: bool = False
    by: str = ""
    subject: str = ""
    note: str = ""


class EpisodeBarrier(Wire):
    """A request of an episode that ended without its service; without `barrier`, nobody has said why."""

    request_id: Id
    state: RequestState
    barrier: BarrierView | None = None


@event("dispatch.barrier.recorded", to=To.EVENTS)
class BarrierRecorded(Wire):
    """Somebody said what the barrier was; `before`: what it was said, or suggested, to be until then."""

    request_id: Id
    code: BarrierCode
    before: BarrierCode | None = None
    episode: str = ""
    by: str = ""


class PatternQuery(Wire):
    """Which barriers to count: of requests that ended in the ISO weeks (UTC) of these days, at most 53.

    By default the 13 weeks up to this one. What is given beside, has to hold as well.
    """

    since: Day | None = None
    until: Day | None = None
    code: BarrierCode | None = None
    facility: Id | None = None
    vendor_id: Id | None = None
    service_class: ServiceClass | None = None


class PatternRow(Wire, omit_defaults=False):
    """How often: in whole multiples of `least`, up or down by a draw, so that no small one is told by it."""

    name: str  # a code, an id, a class, a week; empty: there was none
    count: Tally


class Patterns(Wire, omit_defaults=False):
    """Barriers counted in five ways, never by patient; what is in no row occurred seldom, or not at
    all (of 1,000 at most).
    """

    since_week: str
    until_week: str
    least: Tally  # no count is told closer than by this
    by_code: tuple[PatternRow, ...] = ()
    by_facility: tuple[PatternRow, ...] = ()
    by_vendor: tuple[PatternRow, ...] = ()
    by_service_class: tuple[PatternRow, ...] = ()
    by_week: tuple[PatternRow, ...] = ()
