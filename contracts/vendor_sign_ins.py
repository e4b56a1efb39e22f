"""Signing a vendor's people in to their page: a link or a code that ops issues, good for one session."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Wire
from contracts.outside import refuse_odd_line

LONGEST_H = 2_160  # a session; the most
SESSION_H = 336
LONGEST_MINUTES = 1_440  # a code
CODE_MINUTES = 60


class NewSignInLink(Wire):
    """For whom, for how long."""

    subject: Annotated[str, Meta(max_length=64, description="whose phone it is, for the audit")] = ""
    hours: Annotated[int, Meta(ge=1, le=LONGEST_H, description="how long the session holds")] = SESSION_H
    minutes: Annotated[
        int, Meta(ge=1, le=LONGEST_MINUTES, description="how long link and code may be used")
    ] = CODE_MINUTES

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse one of several lines."""
        if self.subject:
            refuse_odd_line(f"{pointer}/subject", self.subject, "a name")


class SignInLink(Wire, omit_defaults=False):
    """A link and a code that open one session, once: either of them, whoever has it."""

    vendor_id: Id
    url: Annotated[str, Meta(description="to be sent; what stands behind its # is the code")]
    code: Annotated[str, Meta(description="to be read out and typed")]
    expires_at: Instant
    hours: int


class SessionsEnded(Wire, omit_defaults=False):
    """Sessions of the vendor's page are over, and codes not used yet: all, or those of `subject`."""

    vendor_id: Id
    at: Instant
    subject: str = ""


class WhoseSessions(Wire):
    """One person's, as sessions are listed; left out: all."""

    subject: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse one of several lines."""
        if self.subject:
            refuse_odd_line(f"{pointer}/subject", self.subject, "a name")


class PhoneSession(Wire, omit_defaults=False):
    """A session of a vendor's page that is open; `subject`: who its link was for, else the vendor's id."""

    subject: str
    opened_at: Instant
    expires_at: Instant


class PhoneSessions(Wire, omit_defaults=False):
    """Sessions of a vendor's page that are open, the newest first, 1,000 at most."""

    vendor_id: Id
    sessions: tuple[PhoneSession, ...] = ()
