"""The addresses of AsyncAPI, letter by letter: whoever has only the document finds the keys by them."""

from __future__ import annotations

import pytest

from contracts import streams
from contracts.asyncapi import asyncapi

DOCUMENT = asyncapi(title="t", version="1")
ADDRESSES = {
    "events": "dispatch:{hash_tag}:events",
    "matches": "dispatch:{hash_tag}:matches",
    "vendor": "dispatch:{hash_tag}:vendor:{vendor}",
    "replies": "dispatch:{hash_tag}:replies:{vendor}",
}
KEYS = {
    "events": streams.events("metro"),
    "matches": streams.matches("metro"),
    "vendor": streams.vendor("metro", "careful-vans"),
    "replies": streams.replies("metro", "careful-vans"),
}


def test_every_stream_has_its_address() -> None:
    assert {name: channel["address"] for name, channel in DOCUMENT["channels"].items()} == ADDRESSES


@pytest.mark.parametrize("name", KEYS)
def test_an_address_with_the_examples_of_its_parameters_is_a_key(name: str) -> None:
    channel = DOCUMENT["channels"][name]
    key = channel["address"]
    for parameter, told in channel["parameters"].items():
        assert f"{{{parameter}}}" in key
        key = key.replace(f"{{{parameter}}}", told["examples"][0])
    assert key == KEYS[name]
    assert key.startswith("dispatch:{metro}:")


def test_the_description_says_field_prefix_and_channel_as_they_are() -> None:
    told = DOCUMENT["info"]["description"]
    assert all(f"`{each}`" in told for each in ("ce", "dispatch:{metro}:", "dispatch:{metro}:wake"))
