"""Which requests a patient has, under a token that names nobody: by it, what is asked for twice is found.

One record for each patient (and key of the ring). It is written in the commit that takes a request in, at the
version that it was looked at: of two that come at the same moment, one sees the other. Which of the requests
still counts, and when it is, their own records say; what is forgotten is dropped from here by the timer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from contracts.codes import Acquisition
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.requests import Request
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Kind, register
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.timers import RETENTION

LOOK_AGAIN_MS = HOUR_MS  # whether what should have been forgotten by now is


class Filed(Compact, frozen=True):
    """One request of the patient: a ride, or equipment by its HCPCS codes."""

    request_id: str
    rented: tuple[str, ...] = ()
    bought: tuple[str, ...] = ()


class PatientRecord(Record, frozen=True, tag=1):
    """A patient's requests, first received first; its id is a token of the blind index."""

    requests: tuple[Filed, ...]
    timer_ms: int


def filed(request: Request) -> Filed:
    """What is kept of a request here."""
    lines = request.order_lines
    if not lines:
        return Filed(request.id)
    rented = dict.fromkeys(each.hcpcs for each in lines if each.acquisition is Acquisition.RENTAL)
    bought = dict.fromkeys(each.hcpcs for each in lines if each.acquisition is not Acquisition.RENTAL)
    return Filed(request.id, tuple(rented), tuple(bought))


def gone_ms(record: RequestRecord, context: Context) -> int:
    """When the request may have been forgotten, ms since the epoch."""
    if record.state in TERMINAL:
        return record.timer_ms + MINUTE_MS
    return max(record.latest_ms, context.now_ms) + RETENTION.whole(context.values) * HOUR_MS


def indexed(
    before: PatientRecord | None,
    token: str,
    fresh: Sequence[Filed],
    kept: Collection[str],
    context: Context,
    *,
    look_ms: int,
) -> Decision:
    """The patient's record with new requests, and without those that do not count any more: not `kept`.

    `look_ms`: when the first of the new ones may have been forgotten (`gone_ms`).
    """
    if before is None:
        after = PatientRecord(id=token, version=1, requests=tuple(fresh), timer_ms=look_ms)
    else:
        old = [each for each in before.requests if each.request_id in kept]
        look_ms = min(look_ms, before.timer_ms)
        after = PatientRecord(token, before.version + 1, (*old, *fresh), look_ms)
    return Decision(changes=(Change(before, after),), at_ms=context.now_ms)


def refiled(
    before: PatientRecord | None, token: str, record: RequestRecord, entry: Filed | None, context: Context
) -> Change:
    """The patient's record with one request filed anew; None: it is another patient's now."""
    known = before.requests if before is not None else ()
    new = () if entry is None else (entry,)
    requests = (*(each for each in known if each.request_id != record.id), *new)
    if before is not None and not requests:
        return Change(before, None)
    look_ms = gone_ms(record, context)
    after = PatientRecord(
        id=token,
        version=before.version + 1 if before else 1,
        requests=requests,
        timer_ms=min(look_ms, before.timer_ms) if before else look_ms,
    )
    return Change(before, after)


def due(patient: PatientRecord, context: Context) -> Decision | None:
    """Its timer: requests that were forgotten are dropped, and with the last of them the record."""
    if patient.timer_ms > context.now_ms:
        return None
    records = {each.request_id: context.related.get(each.request_id) for each in patient.requests}
    there = {name: each for name, each in records.items() if isinstance(each, RequestRecord)}
    if not there:
        return Decision(changes=(Change(patient, None),), at_ms=context.now_ms)
    look_ms = min(gone_ms(each, context) for each in there.values())
    after = replace(
        patient,
        version=patient.version + 1,
        requests=tuple(each for each in patient.requests if each.request_id in there),
        timer_ms=max(look_ms, context.now_ms + LOOK_AGAIN_MS),
    )
    return Decision(changes=(Change(patient, after),), at_ms=context.now_ms)


PATIENT_KIND = register(
    Kind(
        name="patient",
        form=PatientRecord,
        key="p",
        timers="timers:patient",
        timer_ms=lambda patient: patient.timer_ms,
        lists=lambda patient: {},
        may_become=lambda before, after: before is not None or after is not None,
        on_timer=due,
        related=lambda patient: [("request", each.request_id) for each in patient.requests],
    )
)
