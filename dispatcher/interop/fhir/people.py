"""Patient and Location: the patient block, and doors with their addresses in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contracts.problems import InvalidMessage
from dispatcher.interop.fhir import extensions
from dispatcher.interop.fhir.canonical import ABSENT
from dispatcher.interop.fhir.composing import Composing
from dispatcher.interop.fhir.datatypes import (
    Address,
    ContactPoint,
    HumanName,
    Identifier,
    Location,
    Patient,
    Reference,
)
from dispatcher.interop.fhir.extension_table import PATIENT
from dispatcher.interop.fhir.references import Around, Near, absent, read

OUT_OF_USE = frozenset({"old", "temp", "maiden"})
MASKED: dict[str, Any] = {"extension": [{"url": ABSENT, "valueCode": "masked"}]}  # as we tell of a patient


def put_patient(made: Composing, given: Reference | None, around: Around, at: str) -> None:
    """The patient block from `subject`; none where it says why it is absent. Raises InvalidMessage."""
    pointer = f"{at}/subject"
    if given is None:
        raise InvalidMessage.at(pointer, "there is no subject\nMaybe contain the Patient, and refer to it.")
    if around.has(given) or (given.identifier is None and not absent(given)):
        _put_whole(made, around.found(given, PATIENT, pointer), around)
        return
    if given.identifier is not None:
        if not given.display:
            raise InvalidMessage.at(
                pointer,
                "it has an identifier and no `display`\nMaybe give the name there, or the Patient itself.",
            )
        made.put("patient/name", given.display, f"{pointer}/display")
        made.put("patient/record_number", given.identifier.value, f"{pointer}/identifier")


def _put_whole(made: Composing, near: Near, around: Around) -> None:
    patient = read(near.resource, Patient, near.pointer)
    made.put("patient/name", _name(patient.name, near.pointer), f"{near.pointer}/name")
    if phone := _phone(patient.telecom):
        made.put("patient/phone", phone, f"{near.pointer}/telecom")
    if number := _record_number(patient.identifier):
        made.put("patient/record_number", number, f"{near.pointer}/identifier")
    said = extensions.found(patient.extension, PATIENT, around, near.pointer)
    for value, pointer in said.get("contact", ()):
        made.put("patient/contact", value, pointer)


def _name(names: Sequence[HumanName], at: str) -> str:
    """The one that is used: official, else usual, else the first. Raises InvalidMessage: there is none."""
    order = ("official", "usual")
    used = [each for each in names if each.use not in OUT_OF_USE]
    for each in sorted(used, key=lambda name: order.index(name.use) if name.use in order else len(order)):
        parts = (*each.prefix, *each.given, each.family, *each.suffix)
        if said := each.text or " ".join(part for part in parts if part):
            return said
    raise InvalidMessage.at(
        f"{at}/name", "there is no name\nMaybe it is only an old one: give the one in use."
    )


def _phone(points: Sequence[ContactPoint]) -> str:
    phones = [each for each in points if each.system in ("phone", "sms") and each.use != "old" and each.value]
    return min(phones, key=lambda each: each.rank).value if phones else ""


def _record_number(identifiers: Sequence[Identifier]) -> str:
    """The medical record number, by its type; else the first identifier."""
    known = [each for each in identifiers if each.in_use]
    typed = [each for each in known if each.is_record_number]
    return next((each.value for each in (*typed, *known)), "")


def put_door(made: Composing, field: str, words: str, near: Near, around: Around) -> None:
    """A place of ours, and its address in the patient block under `words`. Raises InvalidMessage."""
    given = read(near.resource, Location, near.pointer)
    if given.position is None:
        raise InvalidMessage.at(
            near.pointer, "it has no position\nMaybe look the address up: longitude and latitude are needed."
        )
    where = [given.position.longitude, given.position.latitude]
    made.put(f"{field}/position", where, f"{near.pointer}/position")
    if given.address is not None and given.address.use == "old":
        raise InvalidMessage.at(
            f"{near.pointer}/address/use", "it is an old address\nMaybe give the one in use."
        )
    if address := in_words(given):
        if "patient" not in made.ours:
            raise InvalidMessage.at(
                near.pointer, "an address belongs to a patient, and there is none\nMaybe leave it out."
            )
        made.put(f"patient/{words}", address, f"{near.pointer}/address")


def in_words(given: Location) -> str:
    """A location as a driver reads it: its name, its address, what is said of it."""
    address = _address(given.address) if given.address else ""
    return ", ".join(each for each in (given.name, address, given.description) if each)


def _address(given: Address) -> str:
    parts = (*given.line, given.city, f"{given.state} {given.postal_code}".strip(), given.country)
    return given.text or ", ".join(part for part in parts if part)


def door(name: str, position: Sequence[float]) -> dict[str, Any]:
    """A contained Location with this id."""
    lon, lat = position
    return {"resourceType": "Location", "id": name, "position": {"longitude": lon, "latitude": lat}}
