"""Elements of what comes along that may change its meaning (FHIR: "is modifier"), and when they are taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from contracts.problems import InvalidMessage


class Row(NamedTuple):
    """One element: whether it is taken as it stands, and in words what is."""

    taken: Callable[[Any], bool]
    words: str


def _is(*values: Any) -> Callable[[Any], bool]:
    return lambda value: any(value is each or value == each for each in values)


def _not_replaced(links: Any) -> bool:
    return isinstance(links, list) and all(
        isinstance(each, dict) and each.get("type") != "replaced-by" for each in links
    )


MODIFIERS: Mapping[str, Mapping[str, Row]] = {
    "Patient": {
        "active": Row(_is(True), "`true`, or left out"),
        "deceasedBoolean": Row(_is(False), "`false`, or left out"),
        "deceasedDateTime": Row(_is(), "left out: cancel what is still asked for"),
        "link": Row(_not_replaced, "no link of type `replaced-by`: send the other record"),
    },
    "Location": {
        "status": Row(_is("active"), "`active`, or left out"),
        "mode": Row(_is("instance"), "`instance`, or left out"),
    },
    "Coverage": {"status": Row(_is("active"), "`active`, or left out")},
}


def refuse_modified(resource: Mapping[str, Any], kind: str, at: str) -> None:
    """Raises InvalidMessage where one of them says that it is not to be used so, without its value."""
    for name, row in MODIFIERS.get(kind, {}).items():
        if name in resource and not row.taken(resource[name]):
            raise InvalidMessage.at(
                f"{at}/{name}", f"it is not taken as it stands\nMaybe it is to be {row.words}."
            )
