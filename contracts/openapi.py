"""OpenAPI 3.1 from the operations and the message types; nothing is written twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from contracts.codec import JSON, MSGPACK
from contracts.operations import Answer, Body, Operation
from contracts.paging import POSITION
from contracts.patterns import published, whole
from contracts.problems import PREFIX, PROBLEM_JSON, PROBLEM_TYPES, ProblemDetails

REF = "#/components/schemas/{name}"
HEADERS = {
    "Idempotency-Key": "any text, new for each new call; a repeat has one effect and the same answer",
    "If-Match": "the ETag of the version that is changed, or several; *: any there is; left out: it is new",
    "If-None-Match": "*: it is new, as without If-Match",
    "Last-Event-ID": "resume after this event; left out: from now on",
}
IF_MATCH = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'  # RFC 9110; see dispatcher.http.if_match
KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"}


def openapi(operations: Sequence[Operation], *, title: str, version: str) -> dict[str, Any]:
    """The document, as plain values."""
    forms = list(dict.fromkeys(form for operation in operations for form in _forms(operation)))
    schemas, components = msgspec.json.schema_components([*forms, ProblemDetails], ref_template=REF)
    known = dict(zip(map(repr, forms), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, known)
    document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    made: dict[str, Any] = published(document)
    return made


_ABOUT = (
    "Matches rides and equipment to vendors, offers them, and follows them to their end. JSON or MessagePack "
    "by Content-Type and Accept; instants are RFC 3339 with an offset, positions [lon, lat], errors RFC 9457."
)


def _forms(operation: Operation) -> Iterable[Any]:
    yield from operation.body.forms if operation.body and not operation.body.raw_bytes else ()
    yield from (answer.body for answer in operation.answers.values() if answer.body is not None)


def _operation(operation: Operation, known: dict[str, Any]) -> dict[str, Any]:
    answers = {
        str(status): {"description": answer.summary or operation.summary} | _answer(answer, known)
        for status, answer in operation.answers.items()
    }
    made: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": dict(sorted((_problems(operation) | answers).items())),
    }
    if parameters := [*_path(operation), *_query(operation), *_headers(operation)]:
        made["parameters"] = parameters
    if operation.body:
        made["requestBody"] = _body(operation.body, known)
    if operation.roles:
        made["security"] = [{"bearer": sorted(operation.roles)}]
        made["description"] = f"For {', '.join(sorted(operation.roles))}."
    return made


def _answer(answer: Answer, known: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if answer.headers:
        made["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
    if answer.media:
        made["content"] = {
            answer.media: {"schema": {"type": "string"} if answer.body is None else known[repr(answer.body)]}
        }
    elif answer.body is not None:
        made["content"] = _content(known[repr(answer.body)])
    return made


def _body(body: Body, known: dict[str, Any]) -> dict[str, Any]:
    if body.raw_bytes:  # OpenAPI 3.1: of what is no JSON the media type says all, but for its length
        raw = {"type": "string", "format": "binary", "maxLength": body.raw_bytes}
        return {"required": True, "content": _content(raw, body.named_media_types)}
    schemas = [known[repr(form)] for form in body.forms]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"required": not body.optional, "content": _content(schema, body.named_media_types)}


def _content(schema: Any, media_types: Iterable[str] = (JSON, MSGPACK)) -> dict[str, Any]:
    return {media_type: {"schema": schema} for media_type in media_types}


def _problems(operation: Operation) -> dict[str, Any]:
    """One answer a status, listing the problem types that come with it."""
    by_status: dict[int, list[str]] = {}
    for each in operation.problem_types():
        by_status.setdefault(PROBLEM_TYPES[each].status, []).append(each)
    schema = {"$ref": REF.format(name="ProblemDetails")}
    return {
        str(status): {
            "description": "; ".join(f"{PROBLEM_TYPES[each].title} (`{PREFIX}{each}`)" for each in types),
            "content": {PROBLEM_JSON: {"schema": schema}, MSGPACK: {"schema": schema}},
        }
        for status, types in sorted(by_status.items())
    }


def _path(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in operation.names:
        (schema,), components = msgspec.json.schema_components([operation.parameters[name]], ref_template=REF)
        yield {"name": name, "in": "path", "required": True, "schema": _inlined(schema, components)}


def _query(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.query is None:
        return
    (_,), components = msgspec.json.schema_components([operation.query], ref_template=REF)
    form = components[operation.query.__name__]
    for name, schema in form["properties"].items():
        required = name in form.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": _inlined(schema, components)}


def _inlined(schema: dict[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    """With what it refers to written out, and without null: a parameter that is not given is left out."""
    given = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    one: dict[str, Any] = given[0] if len(given) == 1 else schema
    return dict(components[one["$ref"].rpartition("/")[2]]) if "$ref" in one else one


def _headers(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.method == "POST":
        yield _header("Idempotency-Key", KEY_SCHEMA, required=operation.keyed)
    if operation.versioned or operation.conditional:
        yield _header("If-Match", {"type": "string", "pattern": IF_MATCH})
    if operation.versioned:
        yield _header("If-None-Match", {"type": "string", "enum": ["*"]})
    if operation.resumable:
        yield _header("Last-Event-ID", {"type": "string", "pattern": whole(POSITION)})


def _header(name: str, schema: Any, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": HEADERS[name],
        "schema": schema,
    }
