"""The forms of a call: Content-Type and Accept, parameters and headers by type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from contracts import codec
from contracts.operations import Body, Operation
from contracts.paging import POSITION
from contracts.problems import (
    InvalidParameter,
    MissingHeader,
    NotAcceptable,
    UnsupportedMediaType,
)
from contracts.validation_errors import invalid_message
from dispatcher.http import if_match
from dispatcher.http.switch import Found

Form = TypeVar("Form")

_KEY = re.compile(r"[!-~]{1,128}")
_EVENT_ID = re.compile(POSITION)
_ANY = {"*/*": codec.JSON, "application/*": codec.JSON, "application/problem+json": codec.JSON}


def wanted(accept: str) -> str:
    """The form to answer in: the first of the best weights; JSON if none is said. Raises NotAcceptable."""
    if not accept or accept in (codec.JSON, "*/*"):
        return codec.JSON
    best, found = 0.0, ""
    for part in accept.split(","):
        name, _, parameters = part.strip().partition(";")
        media = codec.MEDIA_TYPES.get(name.strip().lower()) or _ANY.get(name.strip().lower(), "")
        if media and (weight := _weight(parameters)) > best:
            best, found = weight, media
    if not found:
        raise NotAcceptable(f"no form of answer fits Accept: {accept[:80]}\nMaybe accept {codec.JSON}.")
    return found


def sent(content_type: str, body: Body) -> str:
    """How to read a body of this Content-Type. Raises UnsupportedMediaType."""
    media = body.media_types.get(content_type.partition(";")[0].strip().lower())
    if media is None:
        raise UnsupportedMediaType(
            f"Content-Type {content_type[:80]!r} is not understood\n"
            f"Maybe send {' or '.join(body.named_media_types)}."
        )
    return media


def parameters(request: web.Request, operation: Operation) -> dict[str, Any]:
    """What stands in the path, by name. Raises InvalidParameter."""
    given, types = request.match_info, operation.parameters
    if isinstance(given, Found) and given.typed is not None:
        return given.typed
    typed = {name: _typed(name, given[name], types[name]) for name in operation.names}
    if isinstance(given, Found):
        given.typed = typed
    return typed


def query(request: web.Request, operation: Operation) -> Any:
    """The query as the operation's type; None if it has none. Raises InvalidParameter."""
    given = request.query
    if operation.query is None:
        if given:
            raise InvalidParameter(
                f"there are no query parameters here, and there are {len(given)}\nMaybe leave them out."
            )
        return None
    if len(given) != len(set(given)):
        raise InvalidParameter("a query parameter is given twice\nMaybe keep one of the two.")
    return _typed("query", dict(given), operation.query)


def headers(request: web.Request, operation: Operation) -> dict[str, Any]:
    """`key`, `if_match` and `after`, as the operation takes them."""
    found: dict[str, Any] = {}
    if operation.method == "POST":
        found["key"] = _key(request.headers, required=operation.keyed)
    if operation.versioned or operation.conditional:
        found["if_match"] = _condition(request.headers, versioned=operation.versioned)
    if operation.resumable and (text := request.headers.get("Last-Event-ID")):
        found["after"] = _matched("Last-Event-ID", _EVENT_ID, text, "the id of an event")[0]
    return found


def _condition(given: Mapping[str, str], *, versioned: bool) -> if_match.IfMatch | None:
    """Which version a change is meant for; None: nothing is said. Raises InvalidParameter."""
    text, none = given.get("If-Match"), given.get("If-None-Match") if versioned else None
    if none is None:
        return None if text is None else if_match.parse(text)
    new = if_match.parse_none(none)
    return new if text is None else if_match.both(if_match.parse(text), new)


def _key(given: Mapping[str, str], *, required: bool) -> str:
    text = given.get("Idempotency-Key", "")
    if not text and not required:
        return ""
    if not text:
        raise MissingHeader("Idempotency-Key is missing\nMaybe send a new UUID with each new call.")
    return _matched("Idempotency-Key", _KEY, text, "1 to 128 visible ASCII characters")[0]


def _matched(name: str, pattern: re.Pattern[str], text: str, described: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise InvalidParameter(
            f"{name} is not {described}; it has {len(text)} characters\nMaybe it was cut, joined, or quoted."
        )
    return found


def _typed(name: str, value: Any, form: type[Form]) -> Form:
    try:
        return msgspec.convert(value, form, strict=False)
    except msgspec.ValidationError as error:
        told = invalid_message(error, value, form).detail.removeprefix("the body: ")
        raise InvalidParameter(f"{name}: {told}") from None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
