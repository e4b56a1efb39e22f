"""HCPCS codes under which lines of a price are usually billed; a payer may want others.

Source: HCPCS Level II, its transport codes (A0021-A0999, S0209, S0215, T2001-T2007, T2049).
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import ServiceClass
from contracts.prices import PriceKind

S, K = ServiceClass, PriceKind
AMBULANCE = frozenset({S.BLS, S.ALS, S.CCT})
RIDES: Mapping[str, str] = {
    S.AMBULATORY: "T2003",  # a trip
    S.WHEELCHAIR: "A0130",  # a wheelchair van
    S.BARIATRIC_WHEELCHAIR: "A0130",
    S.STRETCHER: "T2005",  # a stretcher van
    S.BLS: "A0428",  # basic life support, no emergency
    S.ALS: "A0426",  # advanced, level 1, no emergency
    S.CCT: "A0434",  # specialty care
}
MILES: Mapping[str, str] = {
    S.AMBULATORY: "S0215",
    S.WHEELCHAIR: "S0209",
    S.BARIATRIC_WHEELCHAIR: "S0209",
    S.STRETCHER: "T2049",
    S.BLS: "A0425",
    S.ALS: "A0425",
    S.CCT: "A0425",
}


def hcpcs_of(kind: PriceKind, service: str, code: str = "") -> str:
    """The code of a line of this service, `code` being that of a piece of equipment; "": none is usual."""
    if kind is K.EQUIPMENT:
        return code
    if kind is K.BASE:
        return RIDES.get(service, "")
    if kind is K.MILES:
        return MILES.get(service, "")
    if kind is K.WAITING and service in RIDES:  # each half hour
        return "A0420" if service in AMBULANCE else "T2007"
    if kind is K.ATTENDANT and service in RIDES:
        return "A0424" if service in AMBULANCE else "T2001"
    return ""
