"""Names of systems: those of others, and our own under one prefix. A URN is a name; nothing is fetched."""

from __future__ import annotations

from typing import Any, Final

CANONICAL: Final = "urn:dispatcher:fhir"
FHIR_VERSION: Final = "4.0.1"
MEDIA: Final = "application/fhir+json"
HCPCS: Final = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
HCPCS_TOO: Final = frozenset(  # as others name it
    {
        HCPCS,
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "urn:oid:2.16.840.1.113883.6.285",
        "urn:oid:2.16.840.1.113883.6.14",
    }
)
NPI: Final = "http://hl7.org/fhir/sid/us-npi"
UCUM: Final = "http://unitsofmeasure.org"
TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def url(name: str) -> str:
    """One of our own names: of an extension, a code system or a system of identifiers."""
    return f"{CANONICAL}:{name}"


LEVEL: Final = url("level-of-service")
REQUEST_ID: Final = url("request-id")
EPISODE_ID: Final = url("episode-id")
VENDOR_ID: Final = url("vendor-id")
AUTHORIZATION_ID: Final = url("authorization-id")
PAYER_ID: Final = url("payer-id")
STATE: Final = url("request-state")
TRACKING: Final = url("tracking-status")
OFFER_STATE: Final = url("offer-state")
REASON: Final = url("reason")
RULE: Final = url("rule")
REQUIREMENT: Final = url("requirement")
PROBLEM: Final = url("problem")
OUTPUT: Final = url("output")


def coded(system: str, code: str, text: str = "") -> dict[str, Any]:
    """A CodeableConcept of one code."""
    said = {"text": text} if text else {}
    return {"coding": [{"system": system, "code": code}]} | said
