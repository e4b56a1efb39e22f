"""Who read which patient block, and when: written before the block is shown, kept for an audit (P12)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from contracts.instants import DAY_MS, HOUR_MS, to_instant
from contracts.patient_reads import PatientRead, PatientWasRead, ReadReason
from contracts.tuning import Parameter
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.requests import request_id_of

KEPT = Parameter(
    name="patient_read_retention_days",
    default=365,
    minimum=30,
    maximum=3_650,
    unit="days",
    summary="How long it is kept who read a patient block; the request itself may be forgotten long before.",
    scope="domain.patient_reads",
)
PARAMETERS = (KEPT,)
READS = "patient_reads"  # all of them, by time


class PatientReadRecord(Record, frozen=True, tag=1):
    """One look at the patient block of a request; `timer_ms`: until when it is kept."""

    request_id: str
    at_ms: int
    timer_ms: int
    by: str
    subject: str = ""
    reason: ReadReason | None = None


def reads_of(request_id: str) -> str:
    """The list of looks at one request's patient."""
    return f"{READS}:{request_id}"


def of_dispatch(name: str, context: Context) -> str:
    """The id of the entry that somebody sees a dispatch with its patient: one an hour, however often."""
    hour = str(context.now_ms // HOUR_MS)
    told = "\0".join((name, context.by, context.subject, hour))
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


def shown(offer_id: str, context: Context) -> Decision:
    """That somebody sees a dispatch with its patient."""
    return noted(of_dispatch(offer_id, context), request_id_of(offer_id), None, context)


def noted(read_id: str, request_id: str, reason: ReadReason | None, context: Context) -> Decision:
    """The entry, and the news of it."""
    entry = PatientReadRecord(
        id=read_id,
        version=1,
        request_id=request_id,
        at_ms=context.now_ms,
        timer_ms=context.now_ms + KEPT.whole(context.values) * DAY_MS,
        by=context.by,
        subject=context.subject,
        reason=reason,
    )
    news = Message(type="dispatch.patient.read", subject=request_id, data=PatientWasRead(read=view(entry)))
    return Decision(changes=(Change(None, entry),), messages=(news,), at_ms=context.now_ms)


def view(entry: PatientReadRecord) -> PatientRead:
    """For ops."""
    return PatientRead(
        id=entry.id,
        request_id=entry.request_id,
        at=to_instant(entry.at_ms),
        by=entry.by,
        subject=entry.subject,
        reason=entry.reason,
    )


def _forgotten(entry: PatientReadRecord, context: Context) -> Decision | None:
    if entry.timer_ms > context.now_ms:
        return None
    return Decision(changes=(Change(entry, None),), at_ms=context.now_ms)


def _lists(entry: PatientReadRecord) -> Mapping[Entry, int]:
    return {Entry(each, entry.id): entry.at_ms for each in (READS, reads_of(entry.request_id))}


PATIENT_READ_KIND = register(
    Kind(
        name="patient_read",
        form=PatientReadRecord,
        key="pr",
        timers="timers:patient_read",
        timer_ms=lambda entry: entry.timer_ms,
        lists=_lists,
        may_become=lambda before, after: before is None or after is None,  # nobody changes one
        on_timer=_forgotten,
        sealed=READS,
    )
)
