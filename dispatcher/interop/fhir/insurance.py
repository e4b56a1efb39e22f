"""`insurance`: who pays, on which authorization. No id of a person becomes a payer's: vendors read those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.problems import InvalidMessage
from dispatcher.interop.fhir.canonical import AUTHORIZATION_ID, PAYER_ID
from dispatcher.interop.fhir.composing import Composing
from dispatcher.interop.fhir.datatypes import Coverage, Identifier, Reference
from dispatcher.interop.fhir.references import Around, addressed, read


def put(made: Composing, given: tuple[Reference, ...], around: Around, at: str) -> None:
    """A Coverage says who pays, a ClaimResponse on which authorization. Raises InvalidMessage: two of one."""
    for place, each in enumerate(given):
        pointer = f"{at}/insurance/{place}"
        field, value = _insured(each, around, pointer)
        if made.ours.get(field, value) != value:
            raise InvalidMessage.at(pointer, f"a second {field}\nMaybe name the first payer alone.")
        made.put(field, value, pointer)


def _insured(given: Reference, around: Around, pointer: str) -> tuple[str, str]:
    identifier = given.identifier or Identifier()
    kind = given.type or addressed(given.reference)[0]
    if kind == "ClaimResponse" or identifier.system == AUTHORIZATION_ID:
        if not identifier.value:
            raise InvalidMessage.at(pointer, "no ClaimResponse is kept here\nMaybe name it by `identifier`.")
        return "authorization", identifier.value
    if identifier.value and identifier.system == PAYER_ID:
        return "payer", identifier.value
    if identifier.value and not around.has(given):
        raise InvalidMessage.at(
            pointer,
            "a Coverage's own identifier is its member's, and names no payer\n"
            f"Maybe contain the Coverage with its payor, or name the payer by system {PAYER_ID}.",
        )
    coverage = read(around.found(given, "Coverage", pointer).resource, Coverage, pointer)
    if name := next(filter(None, map(_payer, coverage.payor)), ""):
        return "payer", name
    raise InvalidMessage.at(
        pointer,
        "no payor of it is an Organization with an identifier, or Organization/ID\n"
        "Maybe leave it out where a person pays: a person is never named as payer.",
    )


def _payer(given: Reference) -> str:
    """The id of a payer; "": it has none, or is a person, whose id would be told to vendors."""
    kind, name = addressed(given.reference)
    if {given.type, kind} - {"", "Organization"}:
        return ""
    return (given.identifier.value if given.identifier else "") or name


def written(ours: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Payer and authorization of a request of ours; of what it has."""
    named = (("Coverage", PAYER_ID, "payer"), ("ClaimResponse", AUTHORIZATION_ID, "authorization"))
    return [
        {"type": kind, "identifier": {"system": system, "value": ours[field]}}
        for kind, system, field in named
        if ours.get(field)
    ]
