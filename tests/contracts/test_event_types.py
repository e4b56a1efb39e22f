"""A type of event is declared once: what it holds, and the stream that it is on."""

from __future__ import annotations

import pytest

from contracts import event_types
from contracts.base import Wire
from contracts.event_types import event, event_type
from contracts.events import OfferClosed, RequestChanged
from contracts.streams import To
from dispatcher.domain.decision import Message

CLOSED = OfferClosed(offer_id="r1.1", state="cancelled")


def test_a_type_is_found_wherever_it_is_declared_and_gone_after_its_block() -> None:
    with event_types.temporary():

        @event("dispatch.wash.done", to=To.EVENTS)
        class Washed(Wire):
            """A vehicle was washed."""

        assert event_type("dispatch.wash.done") == (Washed, To.EVENTS)
        assert "dispatch.wash.done" in event_types.event_types(To.EVENTS)
        assert "dispatch.wash.done" not in event_types.event_types(To.MATCHES, To.VENDOR)
    with pytest.raises(ValueError, match=r"dispatch\.wash\.done is no type of event"):
        event_type("dispatch.wash.done")


def test_a_type_is_declared_once() -> None:
    with (
        event_types.temporary(),
        pytest.raises(ValueError, match=r"type of event dispatch\.offer\.made is declared twice"),
    ):
        event("dispatch.offer.made", to=To.EVENTS)(RequestChanged)
    assert event_type("dispatch.offer.made").to is To.VENDOR


def test_a_message_goes_to_the_stream_of_its_type() -> None:
    message = Message(type="dispatch.offer.closed", subject="r1.1", data=CLOSED, vendor_id="v1")
    assert message.to is To.VENDOR


@pytest.mark.parametrize(
    ("name", "vendor_id"),
    [
        ("dispatch.offer.made", "v1"),
        ("dispatch.offer.closed", ""),
        ("dispatch.request.changed", ""),
        ("dispatch.reply.accept", ""),
    ],
)
def test_a_message_that_its_type_does_not_allow_cannot_be_made(name: str, vendor_id: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is .* on .*, and this is OfferClosed"):
        Message(type=name, subject="r1.1", data=CLOSED, vendor_id=vendor_id)
