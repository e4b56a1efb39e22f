"""Every element of the resources that are read: what becomes of it. One table for code, page and tests.

What we do not understand and that might change the care is refused: a modifier extension, rules of another
guide, an element that FHIR R4 does not have. What changes nothing here is named, and passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NamedTuple

from contracts.problems import InvalidMessage


class Fate(StrEnum):
    """What becomes of an element."""

    READ = "read"
    PASSED = "passed over"
    REFUSED = "refused"


class Row(NamedTuple):
    """One element: what becomes of it, our field, and in words what that means or may be done instead."""

    fate: Fate
    ours: str
    words: str


def _read(ours: str, words: str) -> Row:
    return Row(Fate.READ, ours, words)


def _refused(words: str) -> Row:
    return Row(Fate.REFUSED, "", words)


PASSED = Row(Fate.PASSED, "", "")
ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
BOTH: Mapping[str, Row] = {
    "identifier": _read("id, identifiers", "`id`: of the official one, else the first in use; all are kept"),
    "status": _read("", "`active`; `revoked` in a PUT or PATCH cancels"),
    "intent": _read("", "`order`, `original-order`, `reflex-order`, `filler-order` or `instance-order`"),
    "priority": _read("priority", "`routine`, `urgent`, `asap`, `stat`"),
    "subject": _read("patient", "a Patient, contained or in the bundle; or by `identifier` and `display`"),
    "occurrencePeriod": _read("pickup_window, window", "both ends: the start of service is within them"),
    "occurrenceDateTime": _read("pickup_window, window", "15 minutes before and after it"),
    "insurance": _read(
        "payer, authorization", "a Coverage: its payor, an Organization; a ClaimResponse: its identifier"
    ),
    "note": _read("patient.notes", "joined; for the vendor, after it has accepted"),
    "extension": _read("", "ours by the table below; others change nothing and are passed over"),
    "contained": _read("", "what the elements above refer to"),
    "resourceType": _read("kind", "a ride, or equipment"),
    "performer": _read("preferred_vendors", "an Organization: `Organization/ID`, or by our identifier"),
    "modifierExtension": _refused("it may change what everything else means"),
    "implicitRules": _refused("rules of another guide may change what is meant"),
    "occurrenceTiming": _refused("what comes again is a standing order"),
    "id": PASSED,
    "meta": PASSED,
    "language": PASSED,
    "text": PASSED,
    "instantiatesCanonical": PASSED,
    "instantiatesUri": PASSED,
    "basedOn": PASSED,
    "encounter": PASSED,
    "authoredOn": PASSED,
    "requester": PASSED,
    "performerType": PASSED,
    "reasonCode": PASSED,
    "reasonReference": PASSED,
    "supportingInfo": PASSED,
    "relevantHistory": PASSED,
}
ELEMENTS: Mapping[str, Mapping[str, Row]] = {
    "ServiceRequest": {
        **BOTH,
        "code": _read("level_of_service", "our level of service, or a HCPCS transport code"),
        "requisition": _read("episode", "of our system: an episode that is there; in a bundle: its name"),
        "doNotPerform": _refused("what is not to be done is not asked for: cancel what is there"),
        "replaces": _refused("cancel what it replaces, or amend it"),
        "orderDetail": _refused("say it by an extension of the table below"),
        "quantityQuantity": _refused("one ride is one request"),
        "quantityRatio": _refused("one ride is one request"),
        "quantityRange": _refused("one ride is one request"),
        "asNeededBoolean": _refused("a ride without a time is said by the extension `will-call`"),
        "asNeededCodeableConcept": _refused("a ride without a time is said by the extension `will-call`"),
        "locationCode": _refused("the extensions `pickup` and `dropoff` say which place is which"),
        "locationReference": _refused("the extensions `pickup` and `dropoff` say which place is which"),
        "category": PASSED,
        "specimen": PASSED,
        "bodySite": PASSED,
        "patientInstruction": PASSED,
    },
    "DeviceRequest": {
        **BOTH,
        "codeCodeableConcept": _read("lines", "a HCPCS code; of the line, see `quantity` below"),
        "groupIdentifier": _read("episode", "of our system: an episode that is there; in a bundle: its name"),
        "codeReference": _refused("say the HCPCS code of the equipment in `codeCodeableConcept`"),
        "parameter": _refused("say pieces and modifiers by the extensions of the table below"),
        "priorRequest": _refused("cancel what it replaces, or amend it"),
    },
}


def refuse_unknown(body: Mapping[str, Any], kind: str, at: str = "") -> None:
    """Raises InvalidMessage for an element that is refused, or that the resource does not have."""
    refuse_modifiers(body, at)
    rows = ELEMENTS[kind]
    for name, value in body.items():
        row = rows.get(name.removeprefix("_"))
        if row is None:
            raise no_such_element(name, rows, kind, at)
        if row.fate is Fate.REFUSED and value not in (False, None, [], {}, ""):
            raise InvalidMessage.at(f"{at}/{name}", f"it is not taken\nMaybe leave it out: {row.words}.")


def no_such_element(name: str, known: Iterable[str], kind: str, at: str) -> InvalidMessage:
    """The refusal of an element that FHIR R4 does not have there: dropped, it might be what mattered."""
    near = get_close_matches(name, known, 1)
    hint = f"{near[0]} was meant" if near else "it belongs to another resource"
    return InvalidMessage.at(
        f"{at}/{name[:80]}", f"FHIR R4's {kind} has no element of that name\nMaybe {hint}."
    )


def refuse_modifiers(node: Any, at: str = "") -> None:
    """Raises InvalidMessage where something stands, at any depth, that changes what all else means."""
    if isinstance(node, list):
        for place, child in enumerate(node):
            refuse_modifiers(child, f"{at}/{place}")
    elif isinstance(node, dict):
        for name, child in node.items():
            if name in ("modifierExtension", "implicitRules") and child:
                raise InvalidMessage.at(
                    f"{at}/{name}", f"it is not understood here\nMaybe leave it out: {BOTH[name].words}."
                )
            refuse_modifiers(child, f"{at}/{name}")
