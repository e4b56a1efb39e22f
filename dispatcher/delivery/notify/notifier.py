"""What carries a notification to who is to be told: a webhook, a mail server, another."""

from __future__ import annotations

from typing import Protocol

import msgspec

from contracts.notifications import Audience, Template
from dispatcher.delivery.webhooks.sending import LIMIT_S, Undelivered


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One notification as it is sent. Its id is the same at every attempt: doubles are told by it.

    It names no patient but by how they are reached.
    """

    id: str
    audience: Audience
    template: Template
    language: str
    subject: str
    text: str
    email: str
    phone: str
    request_id: str
    offer_id: str
    at_ms: int

    def __repr__(self) -> str:
        """Without text and address: a log must not hold them."""
        return f"Note({self.id})"


class Notifier(Protocol):
    """A way out. An attempt ends within `LIMIT_S`, before the next one may begin."""

    def reaches(self, note: Note) -> bool:
        """Whether it has an address that this way can use."""
        ...

    async def send(self, note: Note) -> None:
        """Until it is taken. Raises Undelivered."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


__all__ = ["LIMIT_S", "Note", "Notifier", "Undelivered"]
