"""What follows from a decision on a request: who is to be told of it, in the same commit.

`RULES` is the table: what happened to an offer or a request, and who hears what of it, until when it says
something new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from contracts.codes import OfferState, TrackingStatus
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.notifications import Audience, Template
from contracts.tuning import Parameter
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.notifications import NotificationRecord, made_due, planned, told_due
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord

APPOINTMENT = Parameter(
    name="notify_appointment_hours",
    default=24,
    minimum=0,
    maximum=168,
    unit="hours",
    summary="So long before an agreed start the patient is reminded of it; 0: never.",
    scope="domain.follow_notifications",
)
ARRIVING = Parameter(
    name="notify_vendor_arriving",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: the patient is told that the vendor is on its way.",
    scope="domain.follow_notifications",
)
SET_UP = Parameter(
    name="notify_equipment_set_up",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: the coordinator is told that equipment was set up.",
    scope="domain.follow_notifications",
)
CALLED = Parameter(
    name="notify_will_call_activated",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: the patient is told that a ride without a time was called, and until when it is to be there.",
    scope="domain.follow_notifications",
)
PARAMETERS = (APPOINTMENT, ARRIVING, CALLED, SET_UP)
ARRIVES_MS, SET_UP_MS = 60 * MINUTE_MS, 24 * HOUR_MS  # how long it is news
TRIP, EQUIPMENT = "trip", "equipment"
Before = OfferRecord | None
Times = tuple[int, int]  # when it is due, and until when it is news


class Told(NamedTuple):
    """What somebody is to be told of: an offer, or (None) its request; the time that it is about."""

    offer: OfferRecord | None
    start_ms: int
    due_ms: int
    until_ms: int


Found = Callable[[RequestRecord | None, RequestRecord, Context], Iterable[Told]]


class Rule(NamedTuple):
    """Who is told what: by kind of request; what there is to tell of it, if there is anything."""

    name: str
    audience: Audience
    templates: Mapping[str, Template]
    found: Found


def with_notifications(decision: Decision, context: Context) -> Decision:
    """The decision with what follows for patient and coordinator; as it is where nothing does.

    What is due where nobody sends is told, and needs no record.
    """
    fresh = [
        note
        for change in decision.changes
        if isinstance(change.after, RequestRecord)
        for note in _of_request(change.before, change.after, context)
    ]
    if not fresh:
        return decision
    due = [each for each in fresh if each.due_ms <= context.now_ms]
    later = [each for each in fresh if each.due_ms > context.now_ms]
    kept = [] if context.sends_nothing else [made_due(each, context.now_ms) for each in due]
    return replace(
        decision,
        changes=(*decision.changes, *(Change(None, each) for each in (*kept, *later))),
        messages=(*decision.messages, *map(told_due, due)),
    )


def _of_request(before: object, after: RequestRecord, context: Context) -> Iterator[NotificationRecord]:
    was = before if isinstance(before, RequestRecord) else None
    for rule in RULES:
        template = rule.templates.get(after.kind)
        if template is None:
            continue
        for told in rule.found(was, after, context):
            yield planned(
                after,
                told.offer,
                rule.name,
                template,
                rule.audience,
                start_ms=told.start_ms,
                due_ms=told.due_ms,
                until_ms=told.until_ms,
            )


def of_offers(times: Callable[[Before, OfferRecord, Context], Times | None]) -> Found:
    """What there is to tell of each offer that is not as it was."""

    def found(before: RequestRecord | None, after: RequestRecord, context: Context) -> Iterator[Told]:
        was = {each.attempt: each for each in before.offers} if before else {}
        for offer in after.offers:
            before_it = was.get(offer.attempt)
            span = times(before_it, offer, context) if before_it != offer else None
            if span is not None:
                yield Told(offer, offer.start_ms, *span)

    return found


def _appointment(before: Before, offer: OfferRecord, context: Context) -> Times | None:
    """A dispatch, or one whose time was agreed anew; not of what begins within minutes."""
    hours = APPOINTMENT.whole(context.values)
    stood = before is not None and before.state is OfferState.ACCEPTED and before.start_ms == offer.start_ms
    if not hours or stood or offer.state is not OfferState.ACCEPTED or offer.status is not None:
        return None
    if offer.start_ms <= context.now_ms:
        return None
    return offer.start_ms - hours * HOUR_MS, offer.start_ms


def _arriving(before: Before, offer: OfferRecord, context: Context) -> Times | None:
    going = offer.status is TrackingStatus.EN_ROUTE and offer.state is OfferState.ACCEPTED
    if not ARRIVING.whole(context.values) or not going or (before and before.status is offer.status):
        return None
    return context.now_ms, context.now_ms + ARRIVES_MS


def _called(before: RequestRecord | None, after: RequestRecord, context: Context) -> Iterator[Told]:
    """A will-call that somebody has called just now: it is news until it is to be there."""
    was_called = before is None or bool(before.activated_ms)
    if after.activated_ms and not was_called and CALLED.whole(context.values):
        yield Told(None, after.latest_ms, context.now_ms, after.latest_ms)


def _set_up(before: Before, offer: OfferRecord, context: Context) -> Times | None:
    done = offer.state is OfferState.COMPLETED and offer.status is TrackingStatus.COMPLETED
    if not SET_UP.whole(context.values) or not done or (before and before.state is offer.state):
        return None
    return context.now_ms, context.now_ms + SET_UP_MS


RULES = (
    Rule(
        "appointment",
        Audience.PATIENT,
        {TRIP: Template.RIDE_APPOINTMENT, EQUIPMENT: Template.DELIVERY_APPOINTMENT},
        of_offers(_appointment),
    ),
    Rule(
        "arriving",
        Audience.PATIENT,
        {TRIP: Template.RIDE_ARRIVING, EQUIPMENT: Template.DELIVERY_ARRIVING},
        of_offers(_arriving),
    ),
    Rule("will_call", Audience.PATIENT, {TRIP: Template.WILL_CALL_ACTIVATED}, _called),
    Rule("set_up", Audience.COORDINATOR, {EQUIPMENT: Template.EQUIPMENT_SET_UP}, of_offers(_set_up)),
)
