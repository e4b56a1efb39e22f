"""What follows from a decision on a request: who is to be told of it, in the same commit.

`RULES` is the table: what happened to an offer, and who hears what of it, until when it says something new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
PARAMETERS = (APPOINTMENT, ARRIVING, SET_UP)
ARRIVES_MS, SET_UP_MS = 60 * MINUTE_MS, 24 * HOUR_MS  # how long it is news
TRIP, EQUIPMENT = "trip", "equipment"
Before = OfferRecord | None


class Rule(NamedTuple):
    """Who is told what: by kind of request; when it is due and until when it is news, if it is at all."""

    name: str
    audience: Audience
    templates: Mapping[str, Template]
    times: Callable[[Before, OfferRecord, Context], tuple[int, int] | None]


def with_notifications(decision: Decision, context: Context) -> Decision:
    """The decision with what follows for patient and coordinator; as it is where nothing does."""
    fresh = [
        note
        for change in decision.changes
        if isinstance(change.after, RequestRecord)
        for note in _of_request(change.before, change.after, context)
    ]
    if not fresh:
        return decision
    due = [each for each in fresh if each.due_ms <= context.now_ms]
    notes = [made_due(each, context.now_ms) if each in due else each for each in fresh]
    return replace(
        decision,
        changes=(*decision.changes, *(Change(None, each) for each in notes)),
        messages=(*decision.messages, *map(told_due, due)),
    )


def _of_request(before: object, after: RequestRecord, context: Context) -> list[NotificationRecord]:
    was = {each.attempt: each for each in before.offers} if isinstance(before, RequestRecord) else {}
    moved = [each for each in after.offers if was.get(each.attempt) != each]
    found = []
    for offer in moved:
        for rule in RULES:
            template = rule.templates.get(after.kind)
            times = rule.times(was.get(offer.attempt), offer, context) if template else None
            if template and times:
                due_ms, until_ms = times
                note = planned(
                    after, offer, rule.name, template, rule.audience, due_ms=due_ms, until_ms=until_ms
                )
                found.append(note)
    return found


def _appointment(before: Before, offer: OfferRecord, context: Context) -> tuple[int, int] | None:
    """A dispatch, or one whose time was agreed anew; not of what begins within minutes."""
    hours = APPOINTMENT.whole(context.values)
    stood = before is not None and before.state is OfferState.ACCEPTED and before.start_ms == offer.start_ms
    if not hours or stood or offer.state is not OfferState.ACCEPTED or offer.status is not None:
        return None
    if offer.start_ms <= context.now_ms:
        return None
    return offer.start_ms - hours * HOUR_MS, offer.start_ms


def _arriving(before: Before, offer: OfferRecord, context: Context) -> tuple[int, int] | None:
    going = offer.status is TrackingStatus.EN_ROUTE and offer.state is OfferState.ACCEPTED
    if not ARRIVING.whole(context.values) or not going or (before and before.status is offer.status):
        return None
    return context.now_ms, context.now_ms + ARRIVES_MS


def _set_up(before: Before, offer: OfferRecord, context: Context) -> tuple[int, int] | None:
    done = offer.state is OfferState.COMPLETED and offer.status is TrackingStatus.COMPLETED
    if not SET_UP.whole(context.values) or not done or (before and before.state is offer.state):
        return None
    return context.now_ms, context.now_ms + SET_UP_MS


RULES = (
    Rule(
        "appointment",
        Audience.PATIENT,
        {TRIP: Template.RIDE_APPOINTMENT, EQUIPMENT: Template.DELIVERY_APPOINTMENT},
        _appointment,
    ),
    Rule(
        "arriving",
        Audience.PATIENT,
        {TRIP: Template.RIDE_ARRIVING, EQUIPMENT: Template.DELIVERY_ARRIVING},
        _arriving,
    ),
    Rule("set_up", Audience.COORDINATOR, {EQUIPMENT: Template.EQUIPMENT_SET_UP}, _set_up),
)
