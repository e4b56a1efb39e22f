"""The documents say what the code does, and stand by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from contracts.codec import MAX_BYTES, MAX_DEPTH, MAX_ITEMS
from contracts.event_types import event_types
from contracts.operations import Operation
from contracts.problems import PROBLEM_TYPES, Problem
from dispatcher.domain.refusals import Refusal
from dispatcher.http.concurrency import Limits
from dispatcher.http.server import SWITCH
from tests.http.conftest import GUARDED, OPEN, Api, trip

DOCS = Path(__file__).parents[2] / "docs"


async def _document(api: Api, path: str) -> dict[str, Any]:
    async with api.client.get(path) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def test_the_served_openapi_is_valid_and_has_every_route(api: Api) -> None:
    document = await _document(api, "/openapi.json")
    OpenAPIV31SpecValidator(document).validate()
    served = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert served == {(each.method, each.path) for each in GUARDED + OPEN}
    routes = api.client.server.app[SWITCH]
    routed = {(route.method, route.resource.canonical) for route in routes if route.resource}
    assert served == routed


async def test_what_the_service_answers_fits_its_own_schema(api: Api) -> None:
    document = await _document(api, "/openapi.json")
    await api.call("POST", "/requests", trip("r1", patient={"name": "A"}))
    _, view = await api.call("GET", "/requests/r1")
    _, problem = await api.call("GET", "/requests/r2")
    for name, value in (("RequestView", view), ("ProblemDetails", problem)):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.validate(value, schema, jsonschema.Draft202012Validator)


async def test_the_served_asyncapi_has_every_event_and_every_reference_holds(api: Api) -> None:
    document = await _document(api, "/asyncapi.json")
    assert document["asyncapi"] == "3.0.0"
    assert set(document["components"]["messages"]) == set(event_types())
    assert {each["action"] for each in document["operations"].values()} == {"send", "receive"}
    on_channels = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert on_channels == set(event_types())
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [each for child in node for each in _references(child)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [each for child in node.values() for each in _references(child)]


async def test_what_can_be_read_can_be_asked_for_without_its_body(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    for path in ("/livez", "/docs", f"{api.base}/requests/r1"):
        async with api.client.get(path, headers=api.headers()) as answer:
            whole, length = await answer.read(), answer.headers["Content-Length"]
        async with api.client.head(path, headers=api.headers()) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Length"] == length == str(len(whole))
            assert await answer.read() == b""
    async with api.client.head(f"{api.base}/events", headers=api.headers()) as answer:
        assert answer.status == 405  # it would never end


async def test_the_bare_address_leads_to_the_documentation(api: Api) -> None:
    async with api.client.get("/") as answer:
        assert answer.status == 200
        assert answer.url.path == "/docs"


async def test_the_docs_page_needs_no_other_host(api: Api) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/docs.css"):
        async with api.client.get(path) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            text = await answer.text()
            assert "http://" not in text
            assert "https://" not in text


@pytest.mark.parametrize("name", PROBLEM_TYPES)
async def test_every_problem_type_is_a_page_and_a_row_of_the_docs(api: Api, name: str) -> None:
    told = PROBLEM_TYPES[name]
    row = f"| `/problems/{name}` | {told.status} | {told.title} | {told.remedy} |"
    assert row in (DOCS / "errors.md").read_text(encoding="utf-8")
    async with api.client.get(f"/problems/{name}") as answer:
        assert answer.status == 200
        assert told.title in (await answer.text()).replace("&#x27;", "'")


def test_every_route_is_a_row_of_the_docs() -> None:
    rows = set((DOCS / "api.md").read_text(encoding="utf-8").splitlines())
    assert [row for row in map(_row, GUARDED + OPEN) if row not in rows] == []


def _row(operation: Operation) -> str:
    who = ", ".join(sorted(operation.roles or ())) or "anyone"
    answers = ", ".join(map(str, operation.answers))
    return f"| `{operation.method} {operation.path}` | {who} | {operation.summary} | {answers} |"


def test_the_limits_in_the_docs_are_those_of_the_code() -> None:
    text, limits = (DOCS / "api.md").read_text(encoding="utf-8"), Limits()
    for number in (limits.in_flight, limits.per_caller, limits.streams, limits.streams_per_caller):
        assert f" {number:,} " in text
    assert f"\n{limits.connections:,} connections" in text
    for seconds in (limits.header_s, limits.body_s, limits.idle_s):
        assert f" {seconds:g} s " in text
    for number in (MAX_BYTES, MAX_ITEMS, MAX_DEPTH):
        assert f"{number:,}" in text


def test_every_error_class_has_its_problem_type() -> None:
    refusals, problems = _all_subclasses(Refusal), _all_subclasses(Problem)
    assert len(refusals) > 5
    for refusal in refusals:
        assert PROBLEM_TYPES[refusal.type].status == refusal.status
    assert {each.type for each in problems} <= set(PROBLEM_TYPES)
    used = (
        {each.type for each in refusals}
        | {each.type for each in problems}
        | {"method-not-allowed", "malformed-call", "internal"}
    )
    assert used == set(PROBLEM_TYPES)


def _all_subclasses(kind: type[Any]) -> set[Any]:
    return {each for child in kind.__subclasses__() for each in {child, *_all_subclasses(child)}}
