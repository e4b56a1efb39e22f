"""What carries a notification to who is to be told: a webhook, a mail server, another."""

from __future__ import annotations

from typing import Protocol

import msgspec

from contracts.notifications import Audience, Template


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


class Undelivered(Exception):
    """It was not taken; `code` says why, without what was sent. `final`: nor will it be."""

    def __init__(self, code: str, *, final: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(code)
        self.code, self.final, self.retry_after_s = code, final, retry_after_s


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


LIMIT_S = 15.0
