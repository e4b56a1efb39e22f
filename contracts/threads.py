"""Threads: what the parties of a dispatch, or of an episode, write to each other; encrypted at rest."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, OfferId, Tally, Wire
from contracts.event_types import event
from contracts.outside import refuse_blank
from contracts.streams import To

MAX_MESSAGES = 200
MAX_TEXT = 1_000

Number = Annotated[int, Meta(ge=1, description="its place in its thread, from 1")]


class About(StrEnum):
    """What a thread is about."""

    DISPATCH = "dispatch"  # its vendor and who sees requests
    EPISODE = "episode"  # who sees requests; no vendor


class PostedMessage(Wire):
    """What somebody has to say."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse one that shows nothing."""
        refuse_blank(f"{pointer}/text", self.text)


class MessageView(Wire):
    """One message, as the parties of its thread read it."""

    id: Id
    number: Number
    at: Instant
    by: str  # the role, or `vendor:<id>`
    subject: str = ""  # which of them, as their token says; a vendor is not told who it was at the hospital
    text: str


class ReadMark(Wire, omit_defaults=False):
    """Up to which message somebody has read."""

    by: str
    subject: str = ""
    up_to: Tally = 0
    at: Instant  # when they said so


class ThreadView(Wire, omit_defaults=False):
    """The messages of a thread, in order, and who has read up to where. `unread`: by you, of others."""

    about: About
    id: str  # of what it is about: a dispatch, an episode
    messages: tuple[MessageView, ...] = ()
    read: tuple[ReadMark, ...] = ()
    unread: Tally = 0


class ThreadQuery(Wire):
    """Which messages: those behind this one."""

    after: Annotated[int, Meta(ge=0, le=MAX_MESSAGES)] = 0


class ReadUpTo(Wire):
    """The last message that was read; left out: all that there are."""

    number: Annotated[int, Meta(ge=1, le=MAX_MESSAGES)] | None = None


@event("dispatch.message.posted", to=To.EVENTS)
class MessagePosted(Wire):
    """Somebody wrote on a thread; the text is read over HTTP, never from a stream."""

    about: About
    id: str
    message_id: Id
    number: Number
    by: str


@event("dispatch.message.arrived", to=To.VENDOR)
class MessageArrived(Wire):
    """Somebody else wrote on a thread of the vendor's; `href` is relative to the market's root."""

    offer_id: OfferId
    message_id: Id
    number: Number
    href: str
