"""Level of service and HCPCS code, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.codes import LevelOfService
from contracts.problems import InvalidMessage
from dispatcher.domain.hcpcs import RIDES
from dispatcher.interop.fhir.canonical import HCPCS, HCPCS_TOO, LEVEL
from dispatcher.interop.fhir.datatypes import CodeableConcept

L = LevelOfService
ASKED: Mapping[str, LevelOfService] = {  # of codes that may come in
    "A0100": L.AMBULATORY,  # taxi
    "A0110": L.AMBULATORY,  # bus
    "A0120": L.AMBULATORY,  # mini-bus
    "T2003": L.AMBULATORY,  # a trip
    "A0130": L.WHEELCHAIR,
    "T2005": L.STRETCHER,
    "A0428": L.BLS,
    "A0426": L.ALS,
    "A0434": L.CCT,
}


def level_of(given: CodeableConcept | None, at: str) -> str:
    """The level that a code asks for; ours before HCPCS. Raises InvalidMessage: none, or several."""
    codings = given.coding if given else ()
    ours = {each.code for each in codings if each.system == LEVEL}
    codes = {each.code for each in codings if each.system in HCPCS_TOO}
    if unknown := sorted(code for code in codes if code not in ASKED):
        raise InvalidMessage.at(
            at, f"{unknown[0][:20]!r} is no code of a ride\nMaybe one of {', '.join(ASKED)}."
        )
    named = ours or {ASKED[each].value for each in codes}
    if not named:
        raise InvalidMessage.at(
            at, f"no level of service\nMaybe add a coding of system {LEVEL}, or of HCPCS: {', '.join(ASKED)}."
        )
    level = named.pop()
    if named or not all(ASKED[each].value == level or RIDES.get(level) == each for each in codes):
        raise InvalidMessage.at(at, "its codings name different levels of service\nMaybe keep one of them.")
    return level


def concept(level: str) -> dict[str, Any]:
    """A level of service, and the code under which it is usually billed."""
    return {"coding": [{"system": LEVEL, "code": level}, {"system": HCPCS, "code": RIDES[level]}]}
