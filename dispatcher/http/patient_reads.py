"""Patient blocks, and who read them."""

from __future__ import annotations

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer
from contracts.patient_reads import PatientQuery, PatientReadPage, PatientReadQuery
from contracts.patients import Patient
from dispatcher.domain.rights import READS_PATIENT
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.requests import REQUEST
from dispatcher.http.routing import MARKET, Routes

ROUTES = Routes("requests", 15, request_id=Id)


@ROUTES.get(
    f"{REQUEST}/patient",
    id="readPatient",
    roles=READS_PATIENT,
    query=PatientQuery,
    answers={200: Answer("the patient block", Patient, {"Cache-Control": "no-store"})},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the patient block of a request; who did, and when, is kept."""
    reason = call.query.reason
    reads = parts.service.patient_reads
    patient = await reads.read(call.principal, call.market, call.path["request_id"], reason)
    return Reply(patient, headers={"Cache-Control": "no-store"})


@ROUTES.get(
    f"{MARKET}/patient-reads",
    id="listPatientReads",
    roles={Role.OPS},
    query=PatientReadQuery,
    answers={200: Answer("a page", PatientReadPage)},
)
async def list_reads(call: Call, parts: Parts) -> Reply:
    """List who read patient blocks, the earliest first: of one request, or all."""
    reads, cursor = await parts.service.patient_reads.page(call.principal, call.market, call.query)
    return Reply(PatientReadPage(reads=tuple(reads), cursor=cursor or ""))
