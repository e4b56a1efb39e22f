"""The tables of docs/fhir.md, made from those that the code reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dispatcher.domain.hcpcs import RIDES
from dispatcher.interop.fhir.along import MODIFIERS
from dispatcher.interop.fhir.canonical import url
from dispatcher.interop.fhir.elements import ELEMENTS, Fate
from dispatcher.interop.fhir.extension_table import EXTENSIONS, TOLD, Row
from dispatcher.interop.fhir.levels import ASKED
from dispatcher.interop.fhir.outcome import ISSUES
from dispatcher.interop.fhir.routes import ROUTES
from dispatcher.interop.fhir.states import OFFERS, REQUESTS
from tools.marked_tables import filled, table

SHORT = {"ServiceRequest": "ride", "DeviceRequest": "equipment"}


def fhir_page(before: str) -> str:
    """The page, its tables made anew; the rest is written by hand."""
    return filled(before, TABLES, "docs/fhir.md")


def _routes() -> list[str]:
    return table(
        ("call", "what", "for"),
        (
            (
                f"`{o.method} {o.path.partition('/fhir')[2] or 'BASE'}`",
                o.summary,
                ", ".join(sorted(o.roles or ())),
            )
            for o in (each.operation for each in ROUTES)
        ),
    )


def _elements() -> list[str]:
    rows = list[tuple[str, str, str, str]]()
    for name in dict.fromkeys(name for each in ELEMENTS.values() for name in each):
        having = [kind for kind, each in ELEMENTS.items() if name in each]
        row = ELEMENTS[having[0]][name]
        if row.fate is not Fate.PASSED:
            on = "both" if len(having) == 2 else SHORT[having[0]]
            ours = ", ".join(f"`{each}`" for each in row.ours.split(", ") if each)
            rows.append(
                (
                    f"`{name}`",
                    on,
                    ours or "—",
                    row.words if row.fate is Fate.READ else f"refused: {row.words}",
                )
            )
    return table(("element", "of", "our field", "what it means here"), rows)


def _passed() -> list[str]:
    passed = {n: None for table in ELEMENTS.values() for n, row in table.items() if row.fate is Fate.PASSED}
    return [", ".join(f"`{each}`" for each in passed) + "."]


def _along() -> list[str]:
    rows = [
        (f"`{kind}.{name}`", " or ".join(f"`{str(each).lower()}`" for each in only.values) or "not there",
         only.words)
        for kind, names in MODIFIERS.items() for name, only in names.items()
    ]  # fmt: skip
    return table(("element", "taken if it is", "else"), rows)


def _extensions() -> list[str]:
    rows = list[tuple[str, str, str, str, str]]()
    for name, row in EXTENSIONS.items():
        rows.append(_extension(f"`{url(name)}`", row, ", ".join(SHORT.get(on, f"`{on}`") for on in row.on)))
        rows += [_extension(f"&nbsp;&nbsp;`{part}`", each, "within") for part, each in row.parts.items()]
    return table(("url", "on", "value", "our field", "what it says"), rows)


def _extension(name: str, row: Row, on: str) -> tuple[str, str, str, str, str]:
    value = f"`{row.value}`" if row.value else "parts"
    more = f" ({row.to or row.unit})" if row.to or row.unit else ""
    many = ", may be repeated" if row.many else ""
    return name, on, value + more + many, f"`{row.ours}`" if row.ours else "—", row.words


def _told() -> list[str]:
    return table(
        ("url", "where, and what it says"), ((f"`{url(name)}`", words) for name, words in TOLD.items())
    )


def _states() -> list[str]:
    return table(
        ("state of a request (`businessStatus`)", "`Task.status`", "status of the request's resource"),
        ((f"`{state}`", f"`{row.task}`", f"`{row.request}`") for state, row in REQUESTS.items()),
    )


def _offers() -> list[str]:
    return table(
        ("state of an offer (`businessStatus`)", "`Task.status` of the attempt"),
        ((f"`{state}`", f"`{status}`") for state, status in OFFERS.items()),
    )


def _levels() -> list[str]:
    codes: Mapping[str, list[str]] = {
        level: [c for c, each in ASKED.items() if each == level] for level in RIDES
    }
    return table(
        ("level of service", "HCPCS codes that ask for it", "told as"),
        ((f"`{level}`", ", ".join(each) or "—", RIDES[level]) for level, each in codes.items()),
    )


def _issues() -> list[str]:
    return table(
        ("[problem](errors.md)", "`issue.code`"),
        ((f"`{name}`", f"`{code}`") for name, code in ISSUES.items()),
    )


TABLES: Mapping[str, Callable[[], list[str]]] = {
    "calls": _routes,
    "elements": _elements,
    "passed over": _passed,
    "along": _along,
    "extensions": _extensions,
    "told": _told,
    "states": _states,
    "offers": _offers,
    "levels": _levels,
    "issues": _issues,
}
