"""Who read a patient block: an entry for each time, without anything that stood in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Wire
from contracts.event_types import event
from contracts.paging import Cursor, PageSize
from contracts.streams import To


class ReadReason(StrEnum):
    """Why somebody looks. A code, no text: it stands in a URL, and a text might name a patient."""

    CARE = "care"
    CALL_BACK = "call_back"
    COMPLAINT = "complaint"
    CORRECTION = "correction"
    OTHER = "other"


class PatientQuery(Wire):
    """Said by whoever reads a patient block, if they like; it is kept with the entry."""

    reason: Annotated[ReadReason | None, Meta(description="why the block is read; kept in the audit")] = None


class PatientRead(Wire):
    """One look at a patient block: whose, when, by which role and by whom of it (the token's `sub`)."""

    id: Id
    request_id: Id
    at: Instant
    by: str
    subject: str = ""
    reason: ReadReason | None = None


class PatientReadQuery(Wire):
    """Which looks to list, the earliest first: at one request's patient, or all."""

    request_id: Id | None = None
    cursor: Cursor = ""
    limit: PageSize = 50


class PatientReadPage(Wire, omit_defaults=False):
    """Looks by time; `cursor` is empty on the last page."""

    reads: tuple[PatientRead, ...] = ()
    cursor: str = ""


@event("dispatch.patient.read", to=To.EVENTS)
class PatientWasRead(Wire):
    """Somebody read a patient block."""

    read: PatientRead
