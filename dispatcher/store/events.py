"""Messages as CloudEvents 1.0, one MessagePack map per stream entry, field `ce`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from contracts import streams
from contracts.events import CloudEvent
from contracts.instants import to_instant
from contracts.streams import To
from dispatcher.domain.decision import Message
from dispatcher.runtime import traces
from dispatcher.store.codec import encode
from dispatcher.store.keys import Keys
from dispatcher.store.resp import text_of

FIELD = streams.FIELD
_NAME = FIELD.encode()
_decoder = msgspec.msgpack.Decoder(CloudEvent)


class Entry(NamedTuple):
    """One stream entry: its place in the stream, and the event's bytes (b"" if it carries none)."""

    stream: str
    id: str
    event: bytes


def entries_read(found: Any) -> list[Entry]:
    """What the server answers who reads several streams at once; None: there was nothing."""
    return [
        Entry(stream, text_of(name), _event(fields or ()))
        for stream, entries in ((text_of(key), entries) for key, entries in found or ())
        for name, fields in entries
    ]


def _event(fields: Sequence[bytes]) -> bytes:
    """Of names and values, one after the other; ours has one of each."""
    if len(fields) == 2 and fields[0] == _NAME:
        return fields[1]
    return dict(zip(fields[::2], fields[1::2], strict=True)).get(_NAME, b"")


def place(entry_id: str) -> tuple[int, int]:
    """An entry's place in its stream as numbers, which compare as entries follow each other."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number or 0)


def event_id(about: str, version: int, number: int) -> str:
    """The id of the `number`-th message of one commit: the same for a replay, which is so recognised."""
    return f"{about}.{version}.{number}"


def pack_event(market: str, message: Message, event_id: str, at_ms: int, trace: bytes = b"") -> bytes:
    """The message as a CloudEvent; `trace`: of the request that it is about."""
    traced = {"traceparent": traces.shown(trace)} if trace else {}
    return encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": f"/markets/{market}",
            "type": message.type,
            "subject": message.subject,
            "time": _time(at_ms),
            **traced,
            "data": msgspec.to_builtins(message.data),
        }
    )


@lru_cache(1_024)  # many events are of the same moment
def _time(at_ms: int) -> str:
    return to_instant(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unpack_event(raw: bytes) -> CloudEvent:
    """An event of our own. Raises msgspec.DecodeError; bytes from outside go through contracts.codec."""
    return _decoder.decode(raw)


def stream_of(keys: Keys, message: Message) -> str:
    """Where the message goes."""
    if message.vendor_id:
        return keys.stream(message.vendor_id)
    return keys.matches if message.to is To.MATCHES else keys.events
