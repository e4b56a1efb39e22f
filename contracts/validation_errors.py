"""Validation errors: where a message is not as described; value, limit, suggestion; nothing of a patient."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from contracts import other_forms, suggestions
from contracts.problems import InvalidMessage

HIDDEN = frozenset({"patient"})  # what stands under these is never repeated, nor is an unknown key
MAX_SHOWN = 80
LEFT_EMPTY = "Maybe it was left empty by the sender: it has no default."
SWAPPED = "Maybe the two are swapped: a position is [lon, lat], east first."

WORDS = (  # msgspec's, as people read them; which form it is stands below, as the schemas describe it
    (re.compile(r"Expected `str` matching regex .*", re.DOTALL), "Expected text of another form"),
    (re.compile(r"Invalid RFC3339 encoded date$"), "Expected a day, such as 2026-03-02"),
    (
        re.compile(r"Invalid RFC3339 encoded datetime$"),
        "Expected a moment, such as 2026-03-02T14:00:00-05:00",
    ),
)
_AT = re.compile(r" - at `(?:key in )?\$?([^`]*)`$")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`$", re.DOTALL)


def invalid_message(error: msgspec.ValidationError, body: Any, form: Any) -> InvalidMessage:
    """What msgspec says about `body`, which should have been a `form`, with the place as a JSON pointer."""
    steps, what = _place(error)
    pointer = _pointer(steps)
    if HIDDEN.intersection(steps):
        told = what if what.startswith("Expected") else "not as described"
        return InvalidMessage.at(pointer, f"{told}\nMaybe compare it with /openapi.json.")
    if _is_swapped(body, steps):
        return InvalidMessage.at(pointer, f"{_with_value(what, _value(body, steps))}\n{SWAPPED}")
    return InvalidMessage.at(pointer, _remedied(_with_value(what, _value(body, steps)), form, steps, body))


def place_of(error: msgspec.ValidationError) -> tuple[str, str]:
    """Where something is wrong, as a JSON pointer, and what; of messages that must not be repeated."""
    steps, what = _place(error)
    return _pointer(steps), what


def _place(error: msgspec.ValidationError) -> tuple[tuple[str | int, ...], str]:
    text = str(error)
    found = _AT.search(text)
    what = _in_words(text[: found.start()] if found else text)
    return _steps(found[1]) if found else (), what


def _pointer(steps: Sequence[str | int]) -> str:
    return "".join(f"/{step}" for step in steps)


def _in_words(told: str) -> str:
    for pattern, words in WORDS:
        told = pattern.sub(words, told)
    return told


def _is_swapped(body: Any, steps: Sequence[str | int]) -> bool:
    """Whether it is the second of two numbers that would do the other way round: beyond the poles."""
    pair = _value(body, steps[:-1]) if steps and steps[-1] == 1 else None
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return False
    numbers = [each for each in pair if isinstance(each, int | float) and not isinstance(each, bool)]
    return len(numbers) == 2 and abs(numbers[0]) <= 90 < abs(numbers[1]) <= 180


def _steps(path: str) -> tuple[str | int, ...]:
    """msgspec's path (`.requests[3].id`) in steps; it ends where a key is the sender's (`[...]`)."""
    return tuple(name or int(index) for name, index in _STEP.findall(path.partition("[...]")[0]))


def _value(body: Any, steps: Sequence[str | int]) -> Any:
    """What stands there; an Ellipsis if nothing does."""
    for step in steps:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return ...
    return body


def _with_value(what: str, value: Any) -> str:
    first, newline, remedy = what.partition("\n")
    if "of length" in first and isinstance(value, str | list):
        return f"{first}; it has {len(value):,}{newline}{remedy}"
    shown = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    if not isinstance(value, str | int | float) or shown in what:
        return what
    return f"{first}; it is {shown[:MAX_SHOWN]}{'…' if len(shown) > MAX_SHOWN else ''}{newline}{remedy}"


def _remedied(what: str, form: Any, steps: Sequence[str | int], body: Any) -> str:
    """With a second line, unless the type itself has said what may fix it."""
    if "\n" in what:
        return what
    if form_here := other_forms.ours(suggestions.kinds_at(form, steps, body), _value(body, steps)):
        return f"{what}\n{form_here}"
    if unknown := _UNKNOWN.search(what):
        suggestion = suggestions.nearest(form, steps, unknown[1], body)
    elif missing := _MISSING.search(what):
        suggestion = suggestions.allowed(form, (*steps, missing[1]), body) or LEFT_EMPTY
    else:
        suggestion = suggestions.allowed(form, steps, body) or suggestions.described(form, steps, body)
    return f"{what}\n{suggestion or 'Maybe compare it with the type and bounds in /openapi.json.'}"
