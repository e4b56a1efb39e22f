"""A tree to a telegram: each element and attribute as its type, and nothing that is not known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from contracts.base import OfferId
from contracts.outside import UNREADABLE
from contracts.problems import InvalidMessage
from dispatcher.interop.tds import moments
from dispatcher.interop.tds.moments import Moment
from dispatcher.interop.tds.shapes import (
    OURS,
    TELEGRAMS,
    TIME,
    WITHOUT_A_TYPE,
    Codes,
    Field,
    Kind,
    Shape,
)
from dispatcher.interop.tds.tree import MAX_SHOWN, Node

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
FLAGS = {"true": True, "1": True, "false": False, "0": False}
OFFER_ID = re.compile(OfferId.__metadata__[0].pattern)  # type: ignore[attr-defined]
MAX_TEXT = 1_000


class Read:
    """What an element said, by the names of its parts; None for what it did not say."""

    def __init__(self, node: Node, values: Mapping[str, Any]) -> None:
        self.node, self.values = node, values

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def at(self, name: str) -> Node:
        """Where a part stands; the whole, if it has no place of its own."""
        return next((each for each in self.node.children if each.name == name), self.node)


class Telegram(Read):
    """A whole one: `name` is its element's, `offer_id` what it calls tripRequestId."""

    def __init__(self, node: Node, name: str, values: Mapping[str, Any]) -> None:
        super().__init__(node, values)
        self.name = name
        self.offer_id: str = values["tripRequestId"].strip()
        self.sent: Moment = values["timestamp"]


def telegram(root: Node) -> Telegram:
    """The telegram that this is. Raises InvalidMessage for what is not as the schema has it."""
    name = _name(root)
    read = _element(root, TELEGRAMS[name])
    found = Telegram(root, name, read.values)
    said = found["telegramType"]
    if name not in WITHOUT_A_TYPE and said.lower() != name.lower():
        raise found.at("telegramType").wrong(
            f"{said} stands in a {name}\nMaybe {name[0].upper()}{name[1:]}, or the element is another's."
        )
    if not OFFER_ID.fullmatch(found.offer_id):
        raise found.at("tripRequestId").wrong(
            "it is none of ours: a request's id, a dot, and a number\n"
            "Maybe send back, unchanged, the tripRequestId of the tripRequest that is answered."
        )
    return found


def _name(root: Node) -> str:
    """Which telegram it is; one that is called `telegram` says so by its type."""
    name = root.name
    if name == "telegram":
        said = next((each.text.strip() for each in root.children if each.name == "telegramType"), "")
        name = said[:1].lower() + said[1:]
    if name in TELEGRAMS:
        return name
    why = "is sent by the ordering client, not to it" if name in OURS else "is no telegram that is taken here"
    raise root.wrong(f"{name[:MAX_SHOWN]!r} {why}\n{_maybe(name, TELEGRAMS)}")


def _element(node: Node, shape: Shape) -> Read:
    values: dict[str, Any] = {}
    for name, text in node.attributes.items():
        field = shape.attributes.get(name)
        if field is None:
            raise node.wrong(f"there is no such attribute\n{_maybe(name, shape.attributes)}", name)
        values[name] = _scalar(node, text, field, name)
    for child in node.children:
        _child(node, child, shape, values)
    if node.text.strip():
        raise node.wrong("a text stands here, and only elements do\nMaybe it belongs into one of them.")
    for fields, what in ((shape.attributes, "attribute"), (shape.elements, "element")):
        missing = [name for name, field in fields.items() if field.needed and name not in values]
        if missing:
            raise node.wrong(f"the {what} {missing[0]} is missing\nMaybe it was left empty by the sender.")
    return Read(node, values)


def _child(node: Node, child: Node, shape: Shape, values: dict[str, Any]) -> None:
    field = shape.elements.get(child.name)
    if field is None:
        raise child.wrong(f"{node.name} has no such element\n{_maybe(child.name, shape.elements)}")
    if child.is_nil and not field.needed:
        return
    if child.name in values and not field.many:
        raise child.wrong("it stands there already\nMaybe two telegrams were merged: keep one of the two.")
    kind = field.kind
    if not isinstance(kind, Shape):
        if child.children or child.attributes:
            raise child.wrong("a text stands here, without elements or attributes")
        values[child.name] = _scalar(child, child.text, field)
        return
    read = _element(child, kind)
    if kind is TIME:
        values[child.name] = moments.read(
            child, read["time"], read["timeZoneOffset"], read["timeZoneIdentifer"] or ""
        )
    elif field.many:
        values.setdefault(child.name, []).append(read)
    else:
        values[child.name] = read


def _scalar(node: Node, text: str, field: Field, attribute: str = "") -> Any:
    kind, bare = field.kind, text.strip()
    if isinstance(kind, Codes):
        return _code(node, bare, kind, attribute)
    if kind is Kind.TEXT or kind is Kind.WORDS:
        if len(text) > MAX_TEXT:
            raise node.wrong(f"it has {len(text):,} characters, the limit is {MAX_TEXT:,}", attribute)
        if UNREADABLE.search(text):
            raise node.wrong("it has a control character, or one that turns writing", attribute)
        return text if kind is Kind.TEXT else tuple(bare.split())
    if kind is Kind.FLAG and bare.lower() in FLAGS:
        return FLAGS[bare.lower()]
    if kind is Kind.WHOLE and WHOLE.fullmatch(bare):
        return int(bare)
    if kind is Kind.POSITIVE and WHOLE.fullmatch(bare) and int(bare) > 0:
        return int(bare)
    if kind is Kind.NUMBER and NUMBER.fullmatch(bare) and math.isfinite(float(bare)):
        return float(bare)
    if kind is Kind.INSTANT:
        return bare
    raise _unfit(node, bare, str(kind), attribute)


def _code(node: Node, text: str, kind: Codes, attribute: str) -> str:
    found = next((each for each in kind.words if each.lower() == text.lower()), None)
    if found is None:
        raise node.wrong(
            f"{text[:MAX_SHOWN]!r} is none of {', '.join(kind.words)}\n{_maybe(text, kind.words)}", attribute
        )
    return str(found)


def _unfit(node: Node, text: str, kind: str, attribute: str) -> InvalidMessage:
    hint = "leave it out where there is none" if not text else "another field was put here"
    return node.wrong(f"{text[:MAX_SHOWN]!r} is no xsd:{kind}\nMaybe {hint}.", attribute)


def _maybe(name: str, known: Any) -> str:
    """The nearest of those that there are; all of them where none is near."""
    close = get_close_matches(name.lower()[:MAX_SHOWN], [each.lower() for each in known], 1)
    near = [each for each in known if close and each.lower() == close[0]]
    return (
        f"Maybe {near[0]}."
        if near
        else f"Maybe one of: {', '.join(known)}."
        if known
        else "Maybe leave it out."
    )
