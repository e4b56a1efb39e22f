"""The types of event: each is declared once, where its data is; AsyncAPI and every check follow from that.

@event("dispatch.offer.closed", to=To.VENDOR)
class OfferClosed(Wire): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeVar

from contracts.base import Wire
from contracts.register import Register
from contracts.streams import To

Form = TypeVar("Form", bound=type[Wire])


class EventType(NamedTuple):
    """What an event of this type holds, and the stream that it is on."""

    form: type[Wire]
    to: To


_types: Register[str, EventType] = Register("contracts", "type of event")


def event(*names: str, to: To) -> Callable[[Form], Form]:
    """Declare that events of these types hold the message below, and which stream they are on."""

    def declare(form: Form) -> Form:
        for name in names:
            _types.add(name, EventType(form, to))
        return form

    return declare


def event_types(*to: To) -> Mapping[str, EventType]:
    """All types of event by name; `to`: those on these streams."""
    return {name: each for name, each in _types.all().items() if not to or each.to in to}


def event_type(name: str) -> EventType:
    """What was declared of a type. Raises ValueError for one that was not."""
    try:
        return _types.of(name)
    except KeyError:
        raise ValueError(
            f"{name} is no type of event\nMaybe declare it: @event above the class of its data."
        ) from None


def temporary() -> AbstractContextManager[None]:
    """Types that are declared within the block are gone after it."""
    return _types.temporary()
