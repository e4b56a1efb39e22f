"""Webhooks: where the platform or a vendor is called with its events, signed as Standard Webhooks has it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from contracts.base import Id, Instant, Tally, Wire, refuse_odd_year
from contracts.event_types import event_types
from contracts.outside import refuse_odd_line
from contracts.paging import Cursor, PageSize
from contracts.patterns import whole
from contracts.problems import InvalidMessage
from contracts.streams import To

MOST_TYPES, LONGEST_URL, LONGEST_OVERLAP_HOURS = 64, 512, 168
Url = Annotated[
    str,
    Meta(
        min_length=9,
        max_length=LONGEST_URL,
        description="https://…; a user, a password, a fragment have no place in it, nor has a patient",
    ),
]
EventType = Annotated[str, Meta(max_length=64, description="as in /asyncapi.json")]
LetterId = Annotated[
    str, Meta(pattern=whole("[0-9]{1,19}-[0-9]{1,19}"), description="as the list of dead letters names it")
]
Behind = Annotated[str, Meta(pattern=whole("([0-9]{1,19}-[0-9]{1,19})?"), description="of the page before")]
_ENTRY = "[0-9]{1,19}-[0-9]{1,19}"
Position = Annotated[
    str,
    Meta(pattern=whole(f"{_ENTRY}(~{_ENTRY})?"), description="of the feed of events, or of this webhook"),
]


class WebhookState(StrEnum):
    """Whether it is called."""

    ACTIVE = "active"
    FAILING = "failing"  # what it was called with of late was not taken; it is tried on
    DISABLED = "disabled"  # by hand, or it answered 410: nothing is sent until it is enabled


class WebhookForm(StrEnum):
    """What a call says an event in."""

    CLOUD_EVENTS = "cloudevents"
    TCRP210 = "tcrp210"  # XML telegrams to a vendor's dispatch centre: docs/tds.md
    TCRP210_TASKS = "tcrp210_tasks"  # the same, to its vehicles: a tripTask for each dispatch


class WebhookSettings(Wire):
    """Where to call, and with what. A `form` other than CloudEvents is a vendor's, and has fewer events.

    Left out it stays as it is; a new webhook's is CloudEvents then.
    """

    url: Url
    events: Annotated[tuple[EventType, ...], Meta(max_length=MOST_TYPES)] = ()  # none: all that there are
    description: Annotated[str, Meta(max_length=100)] = ""
    form: WebhookForm | None = None

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a description that is no line."""
        if self.description:
            refuse_odd_line(f"{pointer}/description", self.description, "a description")


class NewWebhook(WebhookSettings):
    """A webhook to be. `vendor_id`: whose, if ops sets it for a vendor; left out: the caller's own."""

    vendor_id: Id | None = None


class WebhookView(Wire, omit_defaults=False):
    """A webhook, without its secret. `code`: why it fails, or is disabled."""

    id: Id
    vendor_id: str = ""  # "": the platform's
    url: str
    events: tuple[str, ...] = ()
    description: str = ""
    form: WebhookForm = WebhookForm.CLOUD_EVENTS
    state: WebhookState
    code: str = ""
    created_at: Instant
    position: str = ""  # up to there all was taken, or waits to be tried again
    waiting: Tally = 0  # events that are tried again
    dead: Tally = 0  # events that are tried no more, and are kept: dead letters
    delivered: Tally = 0  # since it was made
    delivered_at: Instant | None = None  # the last one


class WebhookQuery(Wire):
    """A page of the webhooks, the oldest first."""

    vendor_id: Id | None = None  # for ops: of one vendor
    cursor: Cursor = ""
    limit: PageSize = 50


class WebhookPage(Wire, omit_defaults=False):
    """Webhooks; `cursor` is empty on the last page."""

    webhooks: tuple[WebhookView, ...] = ()
    cursor: str = ""


class WebhookSecret(Wire, omit_defaults=False):
    """What calls are signed with. After a rotation the one before signs, too, until `previous_until`.

    One from before that does, too, as long as its own rotation said.
    """

    secret: str
    previous: str = ""
    previous_until: Instant | None = None


class RotateSecret(Wire):
    """A new secret; the one before signs beside it so long. 0: none that came before does (it got out)."""

    overlap_hours: Annotated[int, Meta(ge=0, le=LONGEST_OVERLAP_HOURS)] = 24


class ReplayWebhook(Wire):
    """Send again what followed a position, or was told since an instant by the store's clock. One of them."""

    after: Position | None = None
    since: Instant | None = None

    def __post_init__(self) -> None:
        """Refuse both, and neither."""
        refuse_odd_year("since", self.since)
        if (self.after is None) is (self.since is None):
            raise ValueError("one of after and since says from where\nMaybe leave one of them out.")


class SendWebhookAgain(Wire):
    """Dead letters that are sent once more; left out: all of them."""

    letters: Annotated[tuple[LetterId, ...], Meta(max_length=100)] = ()


class ForgetDeadDeliveries(Wire):
    """Dead letters that nobody needs any more; left out: all of them."""

    letters: Annotated[tuple[LetterId, ...], Meta(max_length=100)] = ()


class WebhookTest(Wire):
    """`dispatch.webhook.test`, that a webhook is called with when somebody asks for a test call: no news."""

    webhook_id: Id


class TestCall(Wire, omit_defaults=False):
    """A test call to come. By `event_id` the log of deliveries says what became of it."""

    __test__: ClassVar[bool] = False

    event_id: str
    webhook_id: str  # the header's


class DeliveryOutcome(StrEnum):
    """What became of one call."""

    DELIVERED = "delivered"
    FAILED = "failed"  # tried again
    DEAD = "dead"  # tried no more
    SKIPPED = "skipped"  # not sent: its form has no words for it (`code`); read it in another way


class Delivery(Wire, omit_defaults=False):
    """One call, as the log has it. `code`: what went wrong, without what was sent or answered."""

    id: str
    at: Instant
    event_id: str
    webhook_id: str  # the header's: the same at each attempt
    type: str
    subject: str
    attempt: Tally
    outcome: DeliveryOutcome
    code: str = ""
    took_ms: Tally = 0
    next_at: Instant | None = None


class DeadDelivery(Wire, omit_defaults=False):
    """An event that was tried as long as may be, and not taken; it can be sent again while it is kept."""

    id: str
    at: Instant
    event_id: str
    type: str
    subject: str
    attempts: Tally
    code: str


class DeliveryQuery(Wire):
    """A page, the newest first."""

    cursor: Behind = ""
    limit: PageSize = 50


class DeliveryPage(Wire, omit_defaults=False):
    """Calls; `cursor` is empty on the last page. The log has the last few hundred."""

    deliveries: tuple[Delivery, ...] = ()
    cursor: str = ""


class DeadDeliveryPage(Wire, omit_defaults=False):
    """Dead letters; `cursor` is empty on the last page."""

    letters: tuple[DeadDelivery, ...] = ()
    cursor: str = ""


# By form: the telegrams that say an event of a type. What has none is read in another way.
TELEGRAMS: Mapping[WebhookForm, Mapping[str, str]] = {
    WebhookForm.TCRP210: {
        "dispatch.offer.made": "tripRequest",
        "dispatch.offer.counter_refused": "tripRequest",
        "dispatch.amendment.proposed": "tripRequest",
        "dispatch.dispatch.confirmed": "clientOrderConfirmation",
        "dispatch.dispatch.amended": "clientOrderConfirmation",
        "dispatch.amendment.withdrawn": "clientOrderConfirmation",
        "dispatch.offer.closed": "tripCancelRequest",
    },
    WebhookForm.TCRP210_TASKS: {
        "dispatch.dispatch.confirmed": "tripTask",
        "dispatch.dispatch.amended": "tripTask",
        "dispatch.amendment.withdrawn": "tripTask",
    },
}


def is_said(form: WebhookForm, kind: str) -> bool:
    """Whether events of this type are said in a form at all."""
    return form not in TELEGRAMS or kind in TELEGRAMS[form]


def types_for(vendor_id: str, form: WebhookForm = WebhookForm.CLOUD_EVENTS) -> frozenset[str]:
    """The types of event that a webhook may choose: a vendor's own, or the platform's; those of its form."""
    if form in TELEGRAMS:
        return frozenset(TELEGRAMS[form])
    return frozenset(event_types(To.VENDOR) if vendor_id else event_types(To.EVENTS, To.MATCHES))


def refuse_unknown_types(
    events: tuple[str, ...], vendor_id: str, form: WebhookForm = WebhookForm.CLOUD_EVENTS
) -> None:
    """Raises InvalidMessage for a type that is not told there, and for a form that is not the platform's."""
    if form in TELEGRAMS and not vendor_id:
        raise InvalidMessage.at(
            "/form", f"'{form}' is for vendors: telegrams go to who drives\nMaybe name its `vendor_id`."
        )
    known = types_for(vendor_id, form)
    for number, each in enumerate(events):
        if each not in known:
            raise InvalidMessage.at(
                f"/events/{number}",
                f"'{each}' is no type of event that this webhook could be called with\n"
                f"Maybe one of: {', '.join(sorted(known))}.",
            )


def as_json(event: dict[str, Any], **more: Any) -> bytes:
    """The body of a call: the CloudEvent, and its time once more as Standard Webhooks calls it."""
    return msgspec.json.encode({**event, "timestamp": event.get("time", ""), **more})
