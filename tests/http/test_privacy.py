"""Patient data: in no log, metric, error, or stream meant for others; only where it is due."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from contracts.codes import Role
from contracts.patients import Patient
from tests.http.conftest import Api, trip

FIELDS = tuple(each for each in Patient.__struct_fields__ if each != "contact")


def canary(field: str) -> str:
    return f"CANARY-{field}-7e57"


def patient(**changes: Any) -> dict[str, Any]:
    """A patient block with a canary in each field."""
    return {field: canary(field) for field in FIELDS} | changes


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Every log line of the test, at every level, with all of its facts."""
    lines: list[str] = []

    def keep(_: Any, method: str, event: dict[str, Any]) -> Any:
        lines.append(json.dumps({**event, "level": method}, default=str))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, keep], cache_logger_on_first_use=False
    )
    yield lines
    structlog.configure(**before)


def _held(text: str) -> list[str]:
    return [field for field in FIELDS if canary(field) in text]


async def everything_told(api: Api) -> str:
    """What a stranger could see: metrics, events, and every key of the market with what it holds."""
    async with api.client.get("/metrics") as answer:
        told = await answer.text()
    reader = api.store.reader
    for key in await reader.ask("KEYS", f"dispatch:{{{api.market}}}:*"):
        kind = await reader.ask("TYPE", key)
        read = {
            b"string": ("GET", key),
            b"stream": ("XRANGE", key, "-", "+"),
            b"zset": ("ZRANGE", key, 0, -1),
            b"set": ("SMEMBERS", key),
            b"hash": ("HGETALL", key),
        }[kind if isinstance(kind, bytes) else kind.encode()]
        told += f"{key!r} {await reader.ask(*read)!r}\n"
    return told


async def test_a_stored_patient_is_told_to_nobody_who_has_no_business_with_it(
    api: Api, logged: list[str]
) -> None:
    number = {"system": canary("system"), "value": canary("number")}
    request = trip("r1", patient=patient(), identifiers=[number])
    assert (await api.call("POST", "/requests", request))[0] == 202
    for role in (Role.PLATFORM, Role.OPS):
        for path in ("/requests/r1", "/requests?limit=10"):
            status, view = await api.call("GET", path, role=role)
            assert status == 200
            assert _held(json.dumps(view)) == []
    told = await everything_told(api) + "\n".join(logged)
    assert _held(told) == []
    assert not [each for each in number.values() if each in told]
    kept = await api.store.market(api.market).requests.patient("r1")
    assert kept is not None
    assert kept.name == canary("name")  # it is there, under its key, for whom it is due


BROKEN = {
    "a field too long": patient(phone=canary("phone") * 10),
    "a field nobody knows": patient() | {canary("name"): 1},
    "a field of another type": patient(notes=[canary("notes")]),
    "not an object": canary("name"),
    "a list": [canary("name")],
    "a missing name": {"phone": canary("phone"), "notes": canary("notes")},
}


@pytest.mark.parametrize("value", ["", canary("number") * 20, f"{canary('number')}\n2", " "])
async def test_an_error_about_an_identifier_does_not_repeat_it(
    api: Api, logged: list[str], value: str
) -> None:
    status, problem = await api.call("POST", "/requests", trip("r1", identifiers=[{"value": value}]))
    assert (status, problem["errors"][0]["pointer"]) == (422, "/identifiers/0/value")
    assert canary("number") not in json.dumps(problem) + "".join(logged)


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("batch", [False, True])
async def test_an_error_about_a_patient_repeats_neither_value_nor_key(
    api: Api, logged: list[str], case: str, batch: bool
) -> None:
    request = trip("r1", patient=BROKEN[case])
    status, problem = await api.call("POST", "/requests", {"requests": [request]} if batch else request)
    assert status == 422
    assert "/patient" in problem["errors"][0]["pointer"]
    assert _held(json.dumps(problem)) == []
    assert _held("\n".join(logged)) == []


async def test_an_error_elsewhere_does_not_repeat_the_patient(api: Api, logged: list[str]) -> None:
    body = json.dumps(trip("r1", patient=patient(), service_minutes=0)).encode()
    for broken in (body, body[:-30], body.replace(b"CANARY-name", b"\\ud83dCANARY-name")):
        headers = api.headers() | {"Content-Type": "application/json"}
        async with api.client.post(f"{api.base}/requests", data=broken, headers=headers) as answer:
            assert answer.status in (400, 422)
            assert _held(await answer.text()) == []
    changed = trip("r2", patient=patient())
    await api.call("POST", "/requests", changed)
    _, problem = await api.call("POST", "/requests", changed | {"service_minutes": 20})
    assert problem["type"] == "/problems/id-reused"
    assert _held(json.dumps(problem)) == []
    assert _held("\n".join(logged)) == []


async def test_a_defect_is_logged_without_what_it_was_working_on(
    api: Api, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: Any, **more: Any) -> None:
        raise RuntimeError(f"cannot store {args}")  # a careless message, with the patient in it

    monkeypatch.setattr(api.store.market(api.market), "commit", fail)
    status, problem = await api.call("POST", "/requests", trip("r1", patient=patient()))
    assert (status, problem["type"]) == (500, "/problems/internal")
    assert "RuntimeError" not in json.dumps(problem)
    told = "\n".join(logged)
    assert problem["call_id"] in told
    assert "RuntimeError" in told
    assert _held(told + json.dumps(problem)) == []


async def test_bytes_that_are_no_call_are_a_problem_and_are_not_repeated(api: Api, logged: list[str]) -> None:
    body = json.dumps(trip("r1", patient=patient())).encode()
    told = b""
    for length in (20, body.index(b"CANARY")):  # what follows is read as the next call
        reader, writer = await asyncio.open_connection(api.client.host, api.client.port)
        lines = [f"POST {api.base}/requests HTTP/1.1", "Host: h", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in api.headers().items()]
        writer.write("\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode() + body + b"\r\n\r\n")
        async with asyncio.timeout(10):
            told += await reader.read()
        writer.close()
    assert b"/problems/malformed-call" in told
    assert _held(told.decode()) == []
    assert _held("\n".join(logged)) == []


async def test_event_streams_carry_no_patient(api: Api) -> None:
    seen = b""
    async with api.client.get(f"{api.base}/events", headers=api.headers()) as stream:
        await api.call("POST", "/requests", trip("r1", patient=patient()))
        async with asyncio.timeout(10):
            while b'"subject":"r1"' not in seen:
                seen += await stream.content.readany()
    assert _held(seen.decode()) == []
