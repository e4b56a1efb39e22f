"""Suggestions for a message that is not as described: values, names or meaning that a place does take."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from msgspec import inspect
from msgspec.inspect import Type

MOST = 12  # more than these are not listed


def allowed(form: Any, steps: Sequence[str | int], body: Any) -> str:
    """A line on the values of an enumeration at this place, or of a tag; "" if it is neither."""
    values = dict.fromkeys(str(value) for value in _values(kinds_at(form, steps, body)))
    if not values and steps:
        values = dict.fromkeys(_tags(kinds_at(form, steps[:-1], body), steps[-1]))
    return f"Maybe one of: {', '.join(values)}." if 0 < len(values) <= MOST else ""


def nearest(form: Any, steps: Sequence[str | int], unknown: str, body: Any) -> str:
    """A line on the field that was probably meant, or on those there are; "" if the place has none."""
    names = _names(kinds_at(form, steps, body))
    close = difflib.get_close_matches(unknown, names, n=1)
    others = _structs(kinds_at(form, steps, body, whatever_tag=True))
    other = next((each for each in others if each.tag_field and unknown in _names([each])), None)
    if other and not (close and unknown in close[0]):
        return f"Maybe its `{other.tag_field}` should be {other.tag}: that one has `{unknown}`."
    if close:
        return f"Maybe you meant `{close[0]}`."
    return f"Maybe one of: {', '.join(names)}." if 0 < len(names) <= MOST else ""


def described(form: Any, steps: Sequence[str | int], body: Any) -> str:
    """A line on what the place holds, as the schemas describe it; "" if they do not."""
    inner = [_known(form)]
    if steps:
        inner = [each for kind in kinds_at(form, steps[:-1], body) for each in _inside(kind, steps[-1])]
    told = dict.fromkeys(text for each in inner for text in _descriptions(each))
    is_empty = _value(body, steps) in ("", [], {})
    guess = "it was left empty" if is_empty else "it was meant for another field"
    return f"Maybe {guess}; this one takes: {'; or '.join(told)}." if told else ""


@cache
def _known(form: Any) -> Type:
    return inspect.type_info(form)


def kinds_at(form: Any, steps: Sequence[str | int], body: Any, *, whatever_tag: bool = False) -> list[Type]:
    """The types that may stand at a place; of a union those that the tag in the body says, if it does.

    `whatever_tag`: at the place itself all of them.
    """
    found = list(_spread(_known(form)))
    for step in steps:
        inner = [each for kind in _tagged(found, body) for each in _inside(kind, step)]
        found, body = [each for kind in inner for each in _spread(kind)], _below(body, step)
    return found if whatever_tag else _tagged(found, body)


def _tagged(kinds: list[Type], value: Any) -> list[Type]:
    """Those whose tag the value has; all, where it has none of theirs."""
    if not isinstance(value, dict):
        return kinds
    there = [each for each in _structs(kinds) if each.tag_field and value.get(each.tag_field) == each.tag]
    return list(there) or kinds


def _value(body: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        body = _below(body, step)
    return body


def _below(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _names(kinds: Iterable[Type]) -> list[str]:
    return list(dict.fromkeys(field.encode_name for each in _structs(kinds) for field in each.fields))


def _descriptions(kind: Type) -> Iterator[str]:
    if isinstance(kind, inspect.Metadata):
        if text := (kind.extra_json_schema or {}).get("description"):
            yield str(text)
        yield from _descriptions(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _descriptions(each)


def _spread(kind: Type) -> Iterator[Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _spread(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _spread(each)
    else:
        yield kind


def _inside(kind: Type, step: str | int) -> Iterator[Type]:
    if isinstance(kind, inspect.StructType):
        yield from (field.type for field in kind.fields if field.encode_name == step)
    elif isinstance(kind, inspect.VarTupleType | inspect.ListType):
        yield kind.item_type
    elif isinstance(kind, inspect.TupleType) and isinstance(step, int) and step < len(kind.item_types):
        yield kind.item_types[step]


def _values(kinds: Iterable[Type]) -> Iterator[Any]:
    for kind in kinds:
        if isinstance(kind, inspect.EnumType):
            yield from (member.value for member in kind.cls)
        elif isinstance(kind, inspect.LiteralType):
            yield from kind.values


def _tags(kinds: Iterable[Type], field: str | int) -> Iterator[str]:
    return (str(each.tag) for each in _structs(kinds) if each.tag_field == field)


def _structs(kinds: Iterable[Type]) -> Iterator[inspect.StructType]:
    return (kind for kind in kinds if isinstance(kind, inspect.StructType))
