"""What a ride and an order of equipment share: who, when, how urgent, who pays, what else is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from contracts.problems import InvalidMessage
from dispatcher.interop.fhir import extensions, insurance
from dispatcher.interop.fhir.canonical import EPISODE_ID, REQUEST_ID
from dispatcher.interop.fhir.composing import Composing
from dispatcher.interop.fhir.datatypes import Asked, Identifier
from dispatcher.interop.fhir.elements import ORDERS
from dispatcher.interop.fhir.extension_table import EXTENSIONS
from dispatcher.interop.fhir.people import put_door, put_patient
from dispatcher.interop.fhir.references import Around, Near

SLACK = timedelta(minutes=15)  # on time is within that of the agreed time
APART = ("line", "cancel-code")  # what these say is put by who reads lines, and cancels


class Doors(NamedTuple):
    """Under which extension the place stands that is our field, and where its address goes."""

    extension: str
    field: str
    words: str


def put_shared(
    made: Composing, given: Asked, around: Around, at: str, *, kind: str, doors: tuple[Doors, ...]
) -> None:
    """All that both kinds have. Raises InvalidMessage."""
    _refuse_no_order(given, at)
    put_patient(made, given.subject, around, at)
    _put_identifiers(made, given.identifier, at)
    if given.priority:
        made.put("priority", given.priority, f"{at}/priority")
    if given.note:
        _put_notes(made, given, at)
    insurance.put(made, given.insurance, around, at)
    said = extensions.found(given.extension, kind, around, at)
    for each in doors:
        for near, _ in said.pop(each.extension, ()):
            assert isinstance(near, Near)  # noqa: S101  (the table says: a Location)
            put_door(made, each.field, each.words, near, around)
        if each.field not in made.ours:
            raise InvalidMessage.at(
                f"{at}/extension", f"there is no {each.extension}\nMaybe its Location is not referred to."
            )
    _put_extensions(made, said)


def _put_extensions(made: Composing, said: Mapping[str, extensions.Found]) -> None:
    for name, values in said.items():
        row = EXTENSIONS[name]
        if name in APART:
            continue
        for value, pointer in values:
            if row.many:
                made.add(row.ours, value, pointer)
            else:
                made.put(row.ours, value, pointer)


def _refuse_no_order(given: Asked, at: str) -> None:
    if given.status != "active":
        raise InvalidMessage.at(
            f"{at}/status",
            f"{given.status[:20]!r} is not `active`\nMaybe send it once it is, or say `hold`.",
        )
    if given.intent not in ORDERS:
        raise InvalidMessage.at(
            f"{at}/intent", f"{given.intent[:20]!r} is no order\nMaybe one of {', '.join(sorted(ORDERS))}."
        )


def _put_identifiers(made: Composing, given: tuple[Identifier, ...], at: str) -> None:
    """Those in use, each once; our own is the id. Raises InvalidMessage for a medical record number."""
    kept = set[tuple[str, str]]()
    for place, each in enumerate(given):
        pointer, name = f"{at}/identifier/{place}", (each.system, each.value)
        if each.is_record_number:
            raise InvalidMessage.at(
                pointer,
                "it is a medical record number, which is its patient's and no order's\n"
                "Maybe give the order's own number here, and this one in the Patient.",
            )
        if each.in_use and each.system != REQUEST_ID and name not in kept:
            made.add("identifiers", {"system": each.system, "value": each.value}, pointer)
            kept.add(name)


def _put_notes(made: Composing, given: Asked, at: str) -> None:
    if "patient" not in made.ours:
        raise InvalidMessage.at(
            f"{at}/note", "a note is kept with its patient, and there is none\nMaybe leave it out."
        )
    made.put("patient/notes", "\n".join(each.text for each in given.note), f"{at}/note")


def put_window(made: Composing, field: str, given: Asked, at: str) -> None:
    """`occurrence` as a window on the start of service, if there is one. Raises InvalidMessage."""
    period, instant = given.occurrence_period, given.occurrence_date_time
    if period is not None and instant is not None:
        raise InvalidMessage.at(
            f"{at}/occurrenceDateTime", "occurrence is said twice\nMaybe keep the period, or the time."
        )
    if period is not None:
        if period.start is None or period.end is None:
            raise InvalidMessage.at(
                f"{at}/occurrencePeriod",
                "it needs start and end\nMaybe give occurrenceDateTime for one time.",
            )
        window, pointer = {"earliest": period.start, "latest": period.end}, f"{at}/occurrencePeriod"
    elif instant is not None:
        window, pointer = (
            {"earliest": instant - SLACK, "latest": instant + SLACK},
            f"{at}/occurrenceDateTime",
        )
    else:
        return
    made.put(field, window, pointer)


def episode_of(given: Identifier | None) -> str:
    """The episode that a request names as its own, which is there; "": none."""
    return given.value if given is not None and given.system == EPISODE_ID else ""


def shared(ours: Mapping[str, Any]) -> dict[str, Any]:
    """What both kinds say of a request of ours, but for extensions and doors."""
    covered = insurance.written(ours)
    return {
        "intent": "order",
        "priority": ours.get("priority", "routine"),
        **({"insurance": covered} if covered else {}),
        **({"identifier": ours["identifiers"]} if "identifiers" in ours else {}),
    }


def period(window: Mapping[str, Any]) -> dict[str, Any]:
    """A window of ours."""
    return {"start": window["earliest"], "end": window["latest"]}
