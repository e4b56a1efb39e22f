"""Our extensions: what FHIR has no element for. One table for reading, writing, the page and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

RIDE, EQUIPMENT, LINE = "ServiceRequest", "DeviceRequest", "codeCodeableConcept"
PATIENT, PLAN = "Patient", "RequestGroup"
REQUESTS = (RIDE, EQUIPMENT)


class Row(NamedTuple):
    """One extension: on what it stands, its value, our field, and in words what it says.

    `value`: the element that holds it; of a reference what it refers to (`to`), of a quantity its unit
    (UCUM). `parts`: those of a complex one, by the name that is their `url`. `many`: it may be repeated.
    """

    on: tuple[str, ...]
    value: str
    ours: str
    words: str = ""
    to: str = ""
    unit: str = ""
    many: bool = False
    parts: Mapping[str, Row] = {}


def _part(value: str, ours: str, words: str = "", **more: str) -> Row:
    return Row((), value, ours, words, **more)  # type: ignore[arg-type]


NEEDS: Mapping[str, Row] = {
    "attendants": _part("valueUnsignedInt", "attendants", "crew beyond the driver"),
    "escorts": _part("valueUnsignedInt", "escorts", "people who travel along"),
    "oxygen": _part("valueQuantity", "oxygen_l_min", unit="L/min"),
    "stairs": _part("valueUnsignedInt", "stairs", "steps to carry"),
    "weight": _part("valueQuantity", "weight_kg", unit="kg"),
    "infectious-precautions": _part("valueBoolean", "infectious_precautions"),
    "door-level": _part("valueCode", "door_level", "`curb_to_curb`, `door_to_door` …"),
}
AFTER: Mapping[str, Row] = {
    "request": _part("valueReference", "request", to="request"),
    "kind": _part("valueCode", "kind", "`finish_to_start` (so if left out) or `start_to_start`"),
    "least-lag-minutes": _part("valueUnsignedInt", "least_lag_minutes"),
    "most-lag-minutes": _part("valueUnsignedInt", "most_lag_minutes"),
}
WILL_CALL: Mapping[str, Row] = {
    "day": _part("valueDate", "day", "where the market is"),
    "until": _part("valueDateTime", "until"),
}
CONTACT: Mapping[str, Row] = {
    "email": _part("valueString", "email"),
    "language": _part("valueCode", "language"),
    "tz": _part("valueString", "tz"),
    "opt-out": _part("valueBoolean", "opt_out"),
}
EXTENSIONS: Mapping[str, Row] = {
    "pickup": Row((RIDE,), "valueReference", "pickup", "a Location with its position", to="Location"),
    "dropoff": Row((RIDE,), "valueReference", "dropoff", "the same, where the ride goes", to="Location"),
    "deliver-to": Row((EQUIPMENT,), "valueReference", "place", "where the equipment goes", to="Location"),
    "appointment": Row((RIDE,), "valueDateTime", "appointment_at", "in place of `occurrence`: be there by"),
    "will-call": Row((RIDE,), "", "will_call", "in place of `occurrence`: no time yet", parts=WILL_CALL),
    "return-of": Row((RIDE,), "valueReference", "return_of", "the leg there", to="request"),
    "service-minutes": Row((RIDE,), "valuePositiveInt", "service_minutes", "at each door"),
    "needs": Row((RIDE,), "", "needs", "what the passenger needs", parts=NEEDS),
    "skill": Row((EQUIPMENT,), "valueCode", "skills", "of who delivers", many=True),
    "line": Row((EQUIPMENT,), "valueCodeableConcept", "lines", "a further line", many=True),
    "after": Row(REQUESTS, "", "after", "a request that goes before this one", many=True, parts=AFTER),
    "match-by": Row(REQUESTS, "valueDateTime", "match_by", "left out: the end of the window"),
    "hold": Row(
        REQUESTS, "valueCode", "hold", "`authorization`, `predecessor`: offered to nobody", many=True
    ),
    "facility": Row(REQUESTS, "valueString", "facility", "whose patient it is; patterns count by it"),
    "offer-mode": Row(REQUESTS, "valueCode", "offer_mode", "how vendors are asked"),
    "prefer-vendor": Row(
        (EQUIPMENT,), "valueReference", "preferred_vendors", "beside `performer`", to="vendor", many=True
    ),
    "exclude-vendor": Row(
        REQUESTS, "valueReference", "excluded_vendors", "never to be asked", to="vendor", many=True
    ),
    "not-duplicate-of": Row(
        REQUESTS,
        "valueReference",
        "not_duplicate_of",
        "alike, and meant all the same",
        to="request",
        many=True,
    ),
    "quantity": Row((LINE,), "valuePositiveInt", "quantity", "pieces; left out: 1"),
    "acquisition": Row((LINE,), "valueCode", "acquisition", "`RR` rental (so if left out), `NU`, `UE`"),
    "setup-minutes": Row((LINE,), "valueUnsignedInt", "setup_minutes"),
    "modifier": Row((LINE,), "valueCode", "modifiers", "HCPCS modifiers beside that", many=True),
    "contact": Row((PATIENT,), "", "contact", "how the patient wants to be told", parts=CONTACT),
    "decide-by": Row((PLAN,), "valueDateTime", "decide_by", "all or none until then"),
    "cancel-code": Row(REQUESTS, "valueCode", "", "of a PUT that cancels: why, for the vendor"),
}
TOLD: Mapping[str, str] = {  # extensions that are only answered
    "doors": "on a request: whether its positions are exact, or the centre of a zone",
    "unknown-vendor": "on a request that was created: a vendor that it names and nobody knows now",
    "charge": "on a request and its Task: what a vendor charges for it (Money), fees of a cancellation too",
    "agreed": "on a Task: from when to when a vendor works, as it is offered or agreed (Period)",
    "at-risk": "on a Task: why it is out of sequence, or may be",
    "fact": "on an OperationOutcome: a member of the problem, its `name`, and its `value` as JSON",
}
