"""DeviceRequest: equipment; its first line is its code, further ones are extensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.problems import InvalidMessage
from contracts.requests import EquipmentOrder
from dispatcher.interop.fhir import extensions
from dispatcher.interop.fhir.asked import Doors, episode_of, period, put_shared, put_window, shared
from dispatcher.interop.fhir.canonical import HCPCS, HCPCS_TOO
from dispatcher.interop.fhir.composing import Composing
from dispatcher.interop.fhir.datatypes import CodeableConcept, DeviceRequest
from dispatcher.interop.fhir.extension_table import EQUIPMENT, EXTENSIONS, LINE
from dispatcher.interop.fhir.people import door
from dispatcher.interop.fhir.references import Around, vendor

DOORS = (Doors("deliver-to", "place", "pickup_address"),)


def composed(given: DeviceRequest, name: str, around: Around, at: str = "") -> Composing:
    """The order, to be read as `EquipmentOrder`. Raises InvalidMessage."""
    made = Composing("equipment", name)
    if given.performer is not None:
        pointer = f"{at}/performer"
        made.add("preferred_vendors", around.vendor(given.performer, pointer), pointer)
    put_shared(made, given, around, at, kind=EQUIPMENT, doors=DOORS)
    put_window(made, "window", given, at)
    if "window" not in made.ours:
        raise InvalidMessage.at(
            f"{at}/occurrencePeriod",
            "there is no occurrence\nMaybe say from when to when it may be delivered.",
        )
    _put_lines(made, given, around, at)
    if episode := episode_of(given.group_identifier):
        made.put("episode", episode, f"{at}/groupIdentifier")
    around.refuse_unused()
    return made


def _put_lines(made: Composing, given: DeviceRequest, around: Around, at: str) -> None:
    first = f"{at}/codeCodeableConcept"
    if given.code_codeable_concept is None:
        raise InvalidMessage.at(first, "it is missing\nMaybe give the HCPCS code of the equipment there.")
    made.add("lines", _line(given.code_codeable_concept, around, first), first)
    for value, pointer in extensions.found(given.extension, EQUIPMENT, around, at).get("line", ()):
        made.add("lines", _line(value, around, f"{pointer}/valueCodeableConcept"), pointer)


def _line(given: CodeableConcept, around: Around, at: str) -> dict[str, Any]:
    codes = {each.code for each in given.coding if each.system in HCPCS_TOO}
    if len(codes) != 1:
        raise InvalidMessage.at(
            at, f"{len(codes)} HCPCS codes, and a line has one\nMaybe give its coding the system {HCPCS}."
        )
    made: dict[str, Any] = {"hcpcs": codes.pop()}
    for name, values in extensions.found(given.extension, LINE, around, at).items():
        row = EXTENSIONS[name]
        made[row.ours] = [value for value, _ in values] if row.many else values[0][0]
    return made


def written(ours: Mapping[str, Any]) -> dict[str, Any]:
    """An order of ours (plain JSON, without patient) as the resource, but for id, status and subject."""
    first, *further = [_told(each) for each in ours["lines"]]
    preferred = ours.get("preferred_vendors", [])
    as_told = dict(ours) | {"place": "#place", "lines": further, "preferred_vendors": preferred[1:]}
    made = shared(ours) | {
        "contained": [door("place", ours["place"]["position"])],
        "codeCodeableConcept": first,
        "occurrencePeriod": period(ours["window"]),
        "extension": extensions.tell_all(EQUIPMENT, as_told),
    }
    if preferred:
        made["performer"] = vendor(preferred[0])
    return made


def _told(line: Mapping[str, Any]) -> dict[str, Any]:
    said = extensions.tell_all(LINE, line)
    return {"coding": [{"system": HCPCS, "code": line["hcpcs"]}], **({"extension": said} if said else {})}


FORM = EquipmentOrder
