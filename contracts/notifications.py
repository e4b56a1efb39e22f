"""Notifications: what patients and coordinators are told of, and how a patient wants to be told."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta

from contracts.base import Id, Instant, OfferId, Tally, Wire
from contracts.event_types import event
from contracts.paging import Cursor, PageSize
from contracts.patterns import whole
from contracts.problems import InvalidMessage
from contracts.streams import To

Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=whole(
            "([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63}){0,8})?"
        ),
    ),
]


class Audience(StrEnum):
    """Whom a notification is for."""

    PATIENT = "patient"
    COORDINATOR = "coordinator"


class Template(StrEnum):
    """What a notification says; the texts are in files, by language."""

    RIDE_APPOINTMENT = "ride_appointment"  # a ride is coming, at this time
    DELIVERY_APPOINTMENT = "delivery_appointment"
    RIDE_ARRIVING = "ride_arriving"  # the vendor is on its way
    DELIVERY_ARRIVING = "delivery_arriving"
    WILL_CALL_ACTIVATED = "will_call_activated"  # its passenger is ready: until when the ride is to be there
    EQUIPMENT_SET_UP = "equipment_set_up"


class Contact(Wire):
    """How the patient wants to be told; part of the patient block. `tz` left out: the market's."""

    email: Email = ""
    language: Annotated[
        str, Meta(pattern=whole("[a-z]{2}"), description="ISO 639-1, e.g. es; en where there is no text")
    ] = "en"
    tz: Annotated[str, Meta(pattern=whole("([A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2})?"))] = ""
    opt_out: bool = False  # told nothing

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a time zone that is none."""
        if not self.tz:
            return
        try:
            ZoneInfo(self.tz)
        except (ValueError, OSError, LookupError):
            raise InvalidMessage.at(
                f"{pointer}/tz", "no time zone of the IANA database\nMaybe America/New_York."
            ) from None


@event("dispatch.notification.due", to=To.EVENTS)
class NotificationDue(Wire):
    """Somebody is to be told something now, once; after `useful_until` it says nothing new."""

    notification_id: Id
    request_id: Id
    offer_id: OfferId | None = None  # left out: it is about the request, whoever may serve it
    audience: Audience
    template: Template
    useful_until: Instant


class ListedState(StrEnum):
    """Which notifications are listed: those that are still to come, and those that did not get through."""

    PLANNED = "planned"
    DUE = "due"
    FAILED = "failed"


class NotificationView(Wire, omit_defaults=False):
    """A notification, without whom it reaches and what it says. `code`: why it failed."""

    id: Id
    state: ListedState
    request_id: Id
    audience: Audience
    template: Template
    due_at: Instant
    useful_until: Instant
    next_at: Instant | None = None  # when it is tried next
    attempts: Tally = 0
    code: str = ""


class NotificationQuery(Wire):
    """A page of the notifications in one state, the earliest first."""

    state: ListedState = ListedState.FAILED
    cursor: Cursor = ""
    limit: PageSize = 50


class NotificationPage(Wire, omit_defaults=False):
    """Notifications; `cursor` is empty on the last page."""

    notifications: tuple[NotificationView, ...] = ()
    cursor: str = ""
