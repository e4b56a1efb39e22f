"""ServiceRequest: a ride."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.problems import InvalidMessage
from contracts.requests import TripRequest
from dispatcher.interop.fhir import extensions
from dispatcher.interop.fhir.asked import Doors, episode_of, period, put_shared, put_window, shared
from dispatcher.interop.fhir.composing import Composing
from dispatcher.interop.fhir.datatypes import ServiceRequest
from dispatcher.interop.fhir.extension_table import RIDE
from dispatcher.interop.fhir.levels import concept, level_of
from dispatcher.interop.fhir.people import door
from dispatcher.interop.fhir.references import Around, vendor

DOORS = (Doors("pickup", "pickup", "pickup_address"), Doors("dropoff", "dropoff", "dropoff_address"))
TIMES = ("pickup_window", "appointment_at", "will_call")


def composed(given: ServiceRequest, name: str, around: Around, at: str = "") -> Composing:
    """The ride that is asked for, to be read as `TripRequest`. Raises InvalidMessage."""
    made = Composing("trip", name)
    put_shared(made, given, around, at, kind=RIDE, doors=DOORS)
    made.put("level_of_service", level_of(given.code, f"{at}/code"), f"{at}/code")
    put_window(made, "pickup_window", given, at)
    if sum(each in made.ours for each in TIMES) != 1:
        raise InvalidMessage.at(
            f"{at}/occurrencePeriod",
            "a ride is timed by one of occurrence, and the extensions `appointment` and `will-call`\n"
            "Maybe drop the occurrence where the appointment decides.",
        )
    for place, each in enumerate(given.performer):
        pointer = f"{at}/performer/{place}"
        made.add("preferred_vendors", around.vendor(each, pointer), pointer)
    if episode := episode_of(given.requisition):
        made.put("episode", episode, f"{at}/requisition")
    around.refuse_unused()
    return made


def written(ours: Mapping[str, Any]) -> dict[str, Any]:
    """A ride of ours (plain JSON, without patient) as the resource, but for id, status and subject."""
    as_told = dict(ours) | {"pickup": "#pickup", "dropoff": "#dropoff"}
    made = shared(ours) | {
        "contained": [door(name, ours[name]["position"]) for name in ("pickup", "dropoff")],
        "code": concept(ours["level_of_service"]),
        "extension": extensions.tell_all(RIDE, as_told),
    }
    if window := ours.get("pickup_window"):
        made["occurrencePeriod"] = period(window)
    if preferred := ours.get("preferred_vendors"):
        made["performer"] = [vendor(each) for each in preferred]
    return made


FORM = TripRequest
