"""Whatever stands in a resource, it is read or refused: no defect, nothing of the patient told."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.problems import Problem
from dispatcher.interop.fhir import creating
from dispatcher.interop.fhir.ids import chosen, request_name
from dispatcher.interop.fhir.references import Around
from dispatcher.interop.fhir.transaction import read_bundle
from tests.examples import examples
from tests.interop.fhir.orders import oxygen, ride
from tests.interop.fhir.test_bundles import discharge, entry, group

Json = dict[str, Any]
WORDS = ["#ward", "#pat", "#home", "2026-03-03T15:00:00Z", "urn:dispatcher:fhir:needs", "Patient"]
NAMES = st.sampled_from(["reference", "url", "extension", "value", "id", "coding", "x"])
ONE = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False)
ANYTHING = st.recursive(
    ONE | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything within."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield (*path, name)
        yield from places(child, (*path, name))


@st.composite
def damaged(draw: st.DrawFn, whole: Json) -> Json:
    """The resource with some of its parts replaced or missing."""
    body = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        *steps, last = draw(st.sampled_from(list(places(body))))
        node = body
        for step in steps:
            node = node[step]
        if draw(st.booleans()):
            node[last] = draw(ANYTHING)
        else:
            del node[last]
    return body


def one(body: Json) -> None:
    given_ = creating.decoded(body, str(whole_kind(body)))
    name = request_name(chosen(given_.identifier), "caller", "key")
    creating.made(creating.composed(given_, name, Around(given_.contained)), "America/New_York")


def whole_kind(body: Json) -> str:
    kind = body.get("resourceType")
    return kind if kind in ("ServiceRequest", "DeviceRequest") else "ServiceRequest"


@settings(max_examples=examples(150), deadline=None)
@given(damaged(ride()) | damaged(oxygen()))
def test_a_damaged_order_is_read_or_refused(body: Json) -> None:
    try:
        one(body)
    except Problem as problem:
        assert problem.status in (400, 422)
        assert "Canary" not in str(problem.detail)


@settings(max_examples=examples(100), deadline=None)
@given(damaged(discharge(entry(group()))))
def test_a_damaged_bundle_is_read_or_refused(body: Json) -> None:
    try:
        read_bundle(body, "caller", "key", "America/New_York")
    except Problem as problem:
        assert problem.status in (400, 422)
        assert "Canary" not in str(problem.detail)


@pytest.mark.parametrize("at", ["", "contained", "subject"])
def test_a_modifier_is_found_wherever_it_stands(at: str) -> None:
    body = ride()
    node = {"": body, "contained": body["contained"][0], "subject": body["subject"]}[at]
    node["modifierExtension"] = [{"url": "http://x.org/not", "valueBoolean": True}]
    with pytest.raises(Problem, match="modifierExtension"):
        one(body)
