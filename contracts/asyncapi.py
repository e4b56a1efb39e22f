"""AsyncAPI 3.0 of the Redis streams, from the event types; nothing is written twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from contracts import streams
from contracts.base import Wire
from contracts.codec import MSGPACK
from contracts.event_types import event_types
from contracts.events import CloudEvent
from contracts.patterns import published
from contracts.streams import To

REF = "#/components/schemas/{name}"

# AsyncAPI writes a parameter in braces, and a key has braces of its own around its market. So the key of a
# market that is called like the parameter is the address; the parameter stands for a market and its braces.
HASH_TAG, VENDOR = "hash_tag", "vendor"
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    HASH_TAG: {
        "description": "the market's id in braces, which are part of the key: `{metro}` for `metro`",
        "examples": ["{metro}"],
    },
    VENDOR: {"description": "the vendor's id", "examples": ["careful-vans"]},
}


class Channel(NamedTuple):
    """One stream: its key, what the service does with it, and for whom it is."""

    address: str
    action: str  # send or receive
    summary: str


CHANNELS: Mapping[To, Channel] = {
    To.EVENTS: Channel(
        streams.events(HASH_TAG), "send", "every change of a request or a task, for the platform and ops"
    ),
    To.MATCHES: Channel(
        streams.matches(HASH_TAG),
        "send",
        "requests that found a vendor, and those that did not, for the platform",
    ),
    To.VENDOR: Channel(
        streams.vendor(HASH_TAG, f"{{{VENDOR}}}"),
        "send",
        "offers to one vendor and what became of them; read with a consumer group of its own",
    ),
    To.REPLIES: Channel(
        streams.replies(HASH_TAG, f"{{{VENDOR}}}"),
        "receive",
        "one vendor's answers and reports, if not over HTTP; `dispatchsignature` is a JWT (HS256, with its "
        "reply key) that repeats the event: aud `dispatcher-replies`, jti = id, source, type, data",
    ),
}


def asyncapi(*, title: str, version: str) -> dict[str, Any]:
    """The document, as plain values."""
    types = event_types()
    forms = dict.fromkeys(each.form for each in types.values())
    _, schemas = msgspec.json.schema_components([CloudEvent, *forms], ref_template=REF)
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": _ABOUT},
        "defaultContentType": MSGPACK,
        "channels": {to.value: _channel(to, channel) for to, channel in CHANNELS.items()},
        "operations": {to.value: _operation(to, channel) for to, channel in CHANNELS.items()},
        "components": {
            "schemas": schemas,
            "messages": {name: _message(name, each.form) for name, each in types.items()},
        },
    }
    made: dict[str, Any] = published(document)
    return made


_ABOUT = (
    f"Redis streams, one CloudEvent 1.0 in MessagePack an entry, in its field `{streams.FIELD}`. Entries "
    "come at least once: `source` and `id` together dedupe. Keys of a market `metro` start with "
    f"`{streams.prefix('metro')}`; Pub/Sub `{streams.wake('metro')}` is only a hint to look."
)


def _channel(to: To, channel: Channel) -> dict[str, Any]:
    return {
        "address": channel.address,
        "description": channel.summary,
        "parameters": {name: told for name, told in PARAMETERS.items() if f"{{{name}}}" in channel.address},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in event_types(to)},
    }


def _operation(to: To, channel: Channel) -> dict[str, Any]:
    return {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{to.value}"},
        "summary": channel.summary,
        "messages": [{"$ref": f"#/channels/{to.value}/messages/{each}"} for each in event_types(to)],
    }


def _message(name: str, form: type[Wire]) -> dict[str, Any]:
    """The envelope with this type's name and data."""
    narrowed = {"properties": {"type": {"const": name}, "data": {"$ref": REF.format(name=form.__name__)}}}
    return {
        "name": name,
        "summary": (form.__doc__ or "").partition("\n")[0],
        "contentType": MSGPACK,
        "payload": {"allOf": [{"$ref": REF.format(name="CloudEvent")}, narrowed]},
    }
