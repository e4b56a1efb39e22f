"""Every published pattern can be compiled by RE2 (Go, gateways), and means the same there as here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import re2

from contracts.asyncapi import asyncapi
from contracts.authorizations import Authorization
from contracts.base import Id, OfferId
from contracts.codes import Hcpcs, Npi
from contracts.openapi import openapi
from contracts.paging import Cursor
from contracts.patterns import published, whole
from contracts.what_if import WhatIfRequest
from dispatcher.http.routing import subjects

OPERATIONS = [route.operation for subject in subjects() for route in subject]
DOCUMENTS = {
    "OpenAPI": openapi(OPERATIONS, title="t", version="1"),
    "AsyncAPI": asyncapi(title="t", version="1"),
}


def _patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(found := node.get("pattern"), str):
            yield found
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _patterns(each)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_pattern_compiles_and_ends_at_the_end(name: str) -> None:
    found = set(_patterns(json.loads(msgspec.json.encode(DOCUMENTS[name]))))
    assert len(found) >= 4
    for pattern in found:
        assert re2.compile(pattern)
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        assert not re.search(r"\\[AZzGbB]|\(\?", pattern)  # ECMA 262 has none of these, or reads it otherwise


@pytest.mark.parametrize(
    ("form", "text"),
    [(Id, "r-1"), (OfferId, "r-1.1"), (Hcpcs, "E1390"), (Npi, "1234567893"), (Cursor, "1.r-1")],
)
def test_a_newline_behind_it_is_refused(form: Any, text: str) -> None:
    assert msgspec.convert(text, form) == text
    for newline in ("\n", "\r", "\r\n", "\u2028", "\x85"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text + newline, form)


@pytest.mark.parametrize(
    ("form", "name", "whole_ones"),
    [
        (Authorization, "services", ("E1390", "bls", "equipment")),
        (WhatIfRequest, "against", ("now", "2026-03-02", "0123456789abcdef-1")),
    ],
)
def test_of_several_choices_each_is_the_whole_text(form: Any, name: str, whole_ones: tuple[str, ...]) -> None:
    properties = msgspec.json.schema(form)["$defs"][form.__name__]["properties"][name]
    pattern = re.compile((properties.get("items") or properties)["pattern"])
    for text in whole_ones:
        assert pattern.search(text)
        assert not any(pattern.search(each) for each in (f"{text}x", f"x{text}", f"{text} {text}"))


def test_what_is_published_is_python_s_own_but_for_the_end() -> None:
    schema = {"pattern": whole("[a-z]+"), "properties": {"pattern": {"pattern": "^x$"}}, "anyOf": (1, "\\Z")}
    assert published(schema) == {
        "pattern": "^[a-z]+$",
        "properties": {"pattern": {"pattern": "^x$"}},
        "anyOf": [1, "\\Z"],
    }
