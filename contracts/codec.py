"""Bytes to message and back: JSON and MessagePack, one set of types, one set of refusals.

msgspec alone takes duplicate keys and runs into the interpreter's recursion limit; msgpack alone takes NaN,
binary and extension types. So the bytes are first unpacked with limits, looked over once, then converted.
A body that is refused had no effect, and its refusal never repeats what stands under `patient`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any, TypeVar, get_args

import msgpack
import msgspec

from contracts.base import Wire
from contracts.outside import refuse_unreadable
from contracts.problems import Malformed, TooLarge, UnsupportedMediaType
from contracts.validation_errors import invalid_message

Form = TypeVar("Form")

JSON = "application/json"
MSGPACK = "application/msgpack"
MEDIA_TYPES = {
    JSON: JSON,
    MSGPACK: MSGPACK,
    "application/x-msgpack": MSGPACK,
    "application/vnd.msgpack": MSGPACK,
}

MAX_BYTES = 2_000_000
MAX_DEPTH = 32
MAX_ITEMS = 200_000  # members and elements altogether: a full batch of 1,000 has about 60,000
MAX_STRING_BYTES = 65_536
MAX_SAFE_INTEGER = 2**53
FEWER = "Maybe send fewer requests at once; of a vendor, areas with fewer corners."


def decode(body: bytes, form: type[Form], media: str = JSON) -> Form:
    """The message in `body`. Raises TooLarge, Malformed, InvalidMessage or UnsupportedMediaType."""
    if len(body) > MAX_BYTES:
        raise TooLarge(f"the body has {len(body):,} bytes, the limit is {MAX_BYTES:,}\n{FEWER}")
    return convert(unpack(body, media), form)


def unpack(body: bytes, media: str = JSON) -> Any:
    """Plain values out of bytes: dict, list, str, int, float, bool, None; all of them within the limits."""
    reader = _READERS.get(media)
    if reader is None:
        raise UnsupportedMediaType(f"{media!r} is not understood\nMaybe send {JSON} or {MSGPACK}.")
    if not body:
        raise Malformed("the body is empty\nMaybe it was lost on the way: this call needs one.")
    return reader(body)


def convert(value: Any, form: type[Form]) -> Form:
    """Plain values to a message. A whole float such as 5653.0 counts as an integer, as in JSON Schema."""
    try:
        return _fit(msgspec.convert(value, _kind_of(value, form)))
    except msgspec.ValidationError as error:
        if "got `float`" not in str(error):
            raise invalid_message(error, value, form) from None
    whole = _whole(value)
    try:
        return _fit(msgspec.convert(whole, form))
    except msgspec.ValidationError as error:
        raise invalid_message(error, whole, form) from None


def _kind_of(value: Any, form: type[Form]) -> type[Form]:
    """Of several kinds the one that the value says it is: msgspec would look at all of them each time."""
    field, kinds = _kinds(form)  # type: ignore[arg-type]
    said = value.get(field) if field and type(value) is dict else None
    return kinds.get(said, form) if type(said) is str else form


@cache
def _kinds(form: Any) -> tuple[str, dict[str, Any]]:
    """The field that says of which kind it is, and the kinds by that; "" where there is but one."""
    configs = {each: getattr(each, "__struct_config__", None) for each in get_args(form)}
    fields = {config.tag_field if config else None for config in configs.values()}
    field = fields.pop() if len(fields) == 1 else None
    return field or "", {config.tag: each for each, config in configs.items() if config and field}


def _fit(message: Form) -> Form:
    if isinstance(message, Wire):
        message.refuse_from_outside()
    return message


def encode(message: Any, media: str = JSON) -> bytes:
    """A message (or plain values) to bytes. Instants are RFC 3339 strings in both: no extension types."""
    if media == MSGPACK:
        return msgspec.msgpack.encode(msgspec.to_builtins(message))
    return msgspec.json.encode(message)


def _read_json(body: bytes) -> Any:
    plain = _is_plain(body)
    if plain and (value := _read_plain(body)) is not None:
        return value
    value = _parsed(body)
    if not plain:
        _look_over(value)
    return value


def _read_plain(body: bytes) -> Any:
    """What plain JSON holds; None where it has to be read with care, be it to say what is wrong.

    msgspec keeps the last of two equal keys. Where no quote is escaped, two stand around each key and string,
    so a key that was dropped leaves fewer of them when the value is written again.
    """
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return value if msgspec.json.encode(value).count(b'"') == body.count(b'"') else None


def _is_plain(body: bytes) -> bool:
    """Whether nothing that `_look_over` refuses can stand in this JSON: most bodies are small and ASCII."""
    return (
        len(body) <= MAX_ITEMS
        and body.isascii()
        and b"\\" not in body
        and b"\x7f" not in body
        and body.count(b"{") + body.count(b"[") <= MAX_DEPTH
    )


def _parsed(body: bytes) -> Any:
    try:
        return _JSON.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8 (byte {error.start})\nMaybe it is not JSON at all.") from None
    except json.JSONDecodeError as error:
        raise Malformed(
            f"the body is not JSON: {error.msg} (character {error.pos})\n"
            "Maybe it was cut short, or has another Content-Type."
        ) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # an integer of thousands of digits
        raise Malformed(f"a number is too long: {error}\nMaybe send it as a string.") from None


def _read_msgpack(body: bytes) -> Any:
    value = _unpacked(body)
    _look_over(value)
    return value


def _unpacked(body: bytes) -> Any:
    try:
        return msgpack.unpackb(
            body,
            object_pairs_hook=_members,
            ext_hook=_refuse_extension,
            strict_map_key=True,
            max_str_len=MAX_STRING_BYTES,
            max_bin_len=0,
            max_ext_len=0,
            max_array_len=10_000,
            max_map_len=1_000,
        )
    except Malformed:
        raise
    except msgpack.StackError:
        raise _too_deep() from None
    except msgpack.ExtraData:
        raise Malformed(
            "bytes follow after the end of the message\nMaybe two messages were joined."
        ) from None
    except UnicodeDecodeError:
        raise Malformed("a string is not UTF-8\nMaybe bytes were packed as a string.") from None
    except (ValueError, msgpack.UnpackException) as error:
        raise Malformed(
            f"the body is not MessagePack within the limits: {str(error) or type(error).__name__}\n"
            "Maybe it was cut short, or holds binary or extension types."
        ) from None


def _members(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("an object has the same key twice\nMaybe two versions were merged: keep one of them.")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise _not_finite()
    return number


def _not_finite() -> Malformed:
    return Malformed("a number is NaN or infinite\nMaybe leave the field out.")


def _refuse_constant(name: str) -> Any:
    raise Malformed(f"{name} is not a number in JSON\nMaybe leave the field out.")


def _refuse_extension(code: int, data: bytes) -> Any:
    raise Malformed(
        f"MessagePack extension type {code} is not used here\nMaybe send instants as RFC 3339 strings."
    )


_JSON = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_refuse_constant)
_READERS: dict[str, Callable[[bytes], Any]] = {JSON: _read_json, MSGPACK: _read_msgpack}


def _look_over(value: Any) -> None:
    """Refuse, level by level, what no message may hold: depth, count, NaN, broken text, bytes."""
    level: list[Any] = [value]
    items = 0
    for _ in range(MAX_DEPTH + 1):
        items += len(level)
        if items > MAX_ITEMS:
            raise TooLarge(f"the body has more than {MAX_ITEMS:,} values\n{FEWER}")
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise _too_deep()


def _children(node: Any) -> Any:
    kind = type(node)
    if kind is str:
        if not node.isprintable():
            refuse_unreadable(node)
        if not node.isascii():
            _refuse_surrogate(node)
        return ()
    if kind is dict:
        return [*node, *node.values()]
    if kind is list:
        return node
    if kind is float:
        if not isfinite(node):
            raise _not_finite()
        return ()
    if kind is int or kind is bool or node is None:
        return ()
    raise Malformed(f"a value of type {kind.__name__} is not used here\nMaybe send it as a string.")


def _refuse_surrogate(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed("a string has half of a surrogate pair\nMaybe an emoji was cut in two.") from None


def _whole(value: Any) -> Any:
    """The same values with whole floats as integers; a float field takes those as well."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_SAFE_INTEGER:
        return int(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return value


def _too_deep() -> Malformed:
    return Malformed(f"the body is nested deeper than {MAX_DEPTH} levels\nMaybe an object was wrapped twice.")
