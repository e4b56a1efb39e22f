"""Extensions of ours, read and written by their table; of others' nothing is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from contracts.problems import InvalidMessage
from dispatcher.interop.fhir.canonical import CANONICAL, UCUM, url
from dispatcher.interop.fhir.datatypes import Extension, Quantity, Reference
from dispatcher.interop.fhir.extension_table import EXTENSIONS, Row
from dispatcher.interop.fhir.references import Around, read, written

PREFIX = f"{CANONICAL}:"
Found = list[tuple[Any, str]]  # values, each with where it stood


def found(given: Sequence[dict[str, Any]], on: str, around: Around, at: str) -> dict[str, Found]:
    """Our extensions on an element, by name: what each says, and where. Raises InvalidMessage."""
    rows = {name: row for name, row in EXTENSIONS.items() if on in row.on}
    said = dict[str, Found]()
    for place, each in enumerate(given):
        address = each.get("url")
        if isinstance(address, str) and address.startswith(PREFIX):
            pointer = f"{at}/extension/{place}"
            name = _known(address.removeprefix(PREFIX), rows, pointer, on)
            one = read(each, Extension, pointer)
            said.setdefault(name, []).append((_value(one, rows[name], around, pointer), pointer))
    _refuse_several(said, rows)
    return said


def _known(name: str, rows: Mapping[str, Row], pointer: str, on: str) -> str:
    if name not in rows:
        near = get_close_matches(name, rows, 1)
        raise InvalidMessage.at(
            pointer,
            f"{name[:80]!r} is none of our extensions of {on}\nMaybe {near[0] if near else 'leave it out'}.",
        )
    return name


def _refuse_several(said: Mapping[str, Found], rows: Mapping[str, Row]) -> None:
    for name, values in said.items():
        if len(values) > 1 and not rows[name].many:
            raise InvalidMessage.at(values[1][1], f"{name} is said twice\nMaybe keep one of the two.")


def _value(given: Extension, row: Row, around: Around, pointer: str) -> Any:
    """What it says. Raises InvalidMessage for another type of value than the table has."""
    if row.parts:
        return _complex(given, row.parts, around, pointer)
    name = "".join(f"_{each.lower()}" if each.isupper() else each for each in row.value)
    value = getattr(given, name)
    if value is None:
        raise InvalidMessage.at(pointer, f"it has no {row.value}\nMaybe it stands under another type.")
    if isinstance(value, Reference):
        return around.meant(value, row.to, f"{pointer}/{row.value}")
    if isinstance(value, Quantity):
        return _in_unit(value, row.unit, f"{pointer}/{row.value}")
    return value


def _complex(given: Extension, parts: Mapping[str, Row], around: Around, pointer: str) -> dict[str, Any]:
    made = dict[str, Any]()
    for place, each in enumerate(given.extension):
        part = f"{pointer}/extension/{place}"
        row = parts[_known(each.url, parts, part, "that extension")]
        if row.ours in made:
            raise InvalidMessage.at(part, f"{each.url} is said twice\nMaybe keep one of the two.")
        made[row.ours] = _value(each, row, around, part)
    return made


def unit_of(given: Quantity, pointer: str) -> str:
    """The unit of a quantity that is as much as it says. Raises InvalidMessage: it is more than that, say."""
    if given.comparator:
        raise InvalidMessage.at(
            pointer, "it has a comparator: no one number is meant\nMaybe say the most that it may be."
        )
    return given.code or given.unit


def _in_unit(given: Quantity, unit: str, pointer: str) -> float | int:
    said = unit_of(given, pointer)
    if said != unit:
        raise InvalidMessage.at(pointer, f"its unit is {said[:20]!r}\nMaybe convert it: {unit} is taken.")
    return int(given.value) if given.value.is_integer() else given.value


def tell(name: str, value: Any) -> dict[str, Any]:
    """One of our extensions that says this, our field's value as plain JSON."""
    return {"url": url(name)} | _written(EXTENSIONS[name], value)


def tell_all(on: str, ours: Mapping[str, Any], but: Iterable[str] = ()) -> list[dict[str, Any]]:
    """What a message of ours says by extensions on this element; nothing for what it leaves out."""
    made = list[dict[str, Any]]()
    for name, row in EXTENSIONS.items():
        if on not in row.on or name in but or (value := ours.get(row.ours)) in (None, [], (), {}):
            continue
        values = value if row.many and isinstance(value, list | tuple) else [value]
        made += [tell(name, each) for each in values]
    return made


def _written(row: Row, value: Any) -> dict[str, Any]:
    if row.parts:
        inner = [
            {"url": name} | _written(part, value[part.ours])
            for name, part in row.parts.items()
            if value.get(part.ours) is not None
        ]
        return {"extension": inner}
    if row.to:
        return {row.value: written(row.to, value)}
    if row.unit:
        return {row.value: {"value": value, "unit": row.unit, "system": UCUM, "code": row.unit}}
    return {row.value: value}
