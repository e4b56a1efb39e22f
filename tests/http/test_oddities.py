"""What HTTP/1.1 allows, and nobody means: problems, before anything is read or stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.problems import PROBLEM_TYPES
from tests.http.conftest import Api, trip
from tests.http.wire import post, wire

RIDE = json.dumps(trip("r1")).encode()
SIZE = f"Content-Length: {len(RIDE)}"


async def _stored(api: Api) -> bool:
    return await api.store.market(api.market).requests.records.get("r1") is not None


ODD: dict[str, tuple[tuple[str, ...], str]] = {
    "another expectation": (("Expect: 200-ok", SIZE), "expectation-failed"),
    "two expectations": (("Expect: 100-continue", "Expect: 100-continue", SIZE), "malformed-call"),
    "two keys": (("Idempotency-Key: k2", SIZE), "malformed-call"),
    "the same key twice": (("Idempotency-Key: k1", SIZE), "malformed-call"),
    "two tokens": (("Authorization: Bearer x", SIZE), "malformed-call"),
    "two lengths": ((SIZE, "Content-Length: 1"), "malformed-call"),
    "two types": (("Content-Type: text/plain", SIZE), "malformed-call"),
    "a length and chunks": ((SIZE, "Transfer-Encoding: chunked"), "malformed-call"),
    "another transfer coding": (("Transfer-Encoding: gzip, chunked",), "malformed-call"),
    "two hosts": (("Host: y", SIZE), "malformed-call"),
    "a header line that goes on": ((SIZE, "X-A: b", " c"), "malformed-call"),
    "a header name with a blank": ((SIZE, "X A: b"), "malformed-call"),
}


@pytest.mark.parametrize("case", ODD)
async def test_odd_header_lines_are_a_problem_and_nothing_is_stored(api: Api, case: str) -> None:
    more, problem = ODD[case]
    async with wire(api) as line:
        line.send(*post(api, *more, Idempotency_Key="k1"), body=RIDE)
        told = await line.told()
        assert (told.status, told.problem) == (PROBLEM_TYPES[problem].status, problem)
        assert await line.ended()
    assert not await _stored(api)


LONG = "x" * 9_000


@pytest.mark.parametrize(
    "lines",
    [
        (f"GET /livez?{LONG} HTTP/1.1", "Host: x"),
        ("GET /livez HTTP/1.1", "Host: x", f"Authorization: Bearer {LONG}"),
        ("GET /livez HTTP/1.1", "Host: x", *(f"X-{each}: y" for each in range(200))),
    ],
)
async def test_a_head_that_is_too_large_is_told_its_limits_and_nothing_of_itself(
    api: Api, lines: tuple[str, ...]
) -> None:
    async with wire(api) as line:
        line.send(*lines)
        told = await line.told()
    assert (told.status, told.problem) == (400, "malformed-call")
    assert b"8,190 bytes" in told.body
    assert b"xxx" not in told.body


@pytest.mark.parametrize("version", ["2.0", "0.9"])
async def test_another_version_of_http_is_refused_in_ours(api: Api, version: str) -> None:
    async with wire(api) as line:
        line.send(f"GET /livez HTTP/{version}", "Host: x")
        assert (await line.reader.readuntil(b" ")) == b"HTTP/1.1 "
        answer = (await line.reader.read()).decode()
        assert answer.startswith("505 ")
        assert "unsupported-http-version" in answer


@pytest.mark.parametrize("path", ["/nowhere", "/livez", "/"])
async def test_an_expectation_is_refused_wherever_it_goes(api: Api, path: str) -> None:
    async with wire(api) as line:
        line.send(f"GET {path} HTTP/1.1", "Host: x", "Expect: 200-ok")
        assert (await line.told()).problem == "expectation-failed"


async def test_the_go_ahead_comes_behind_the_token(api: Api) -> None:
    async with wire(api) as line:
        line.send(*post(api, SIZE, "Expect: 100-continue", Authorization="Bearer none"))
        assert (await line.told()).problem == "unauthenticated"  # and no 100 before it
        assert await line.ended()
    async with wire(api) as line:
        line.send(*post(api, SIZE, "Expect: 100-Continue"))
        assert (await line.told()).status == 100
        line.writer.write(RIDE)
        assert (await line.told()).status == 202
        line.send("GET /livez HTTP/1.1", "Host: x")
        assert (await line.told()).status == 200
    assert await _stored(api)


async def test_who_does_not_wait_for_the_go_ahead_is_served_as_well(api: Api) -> None:
    async with wire(api) as line:
        line.send(*post(api, SIZE, "Expect: 100-continue"), body=RIDE)
        told = await line.told()
        assert (told if told.status != 100 else await line.told()).status == 202


ANSWERS: dict[str, tuple[str, int]] = {
    "a page": ("GET /docs HTTP/1.1", 200),
    "a document": ("GET /openapi.json HTTP/1.1", 200),
    "text": ("GET /livez HTTP/1.1", 200),
    "metrics": ("GET /metrics HTTP/1.1", 200),
    "a way": ("GET / HTTP/1.1", 302),
    "no such path": ("GET /nowhere HTTP/1.1", 404),
    "no such method": ("DELETE /livez HTTP/1.1", 405),
    "no token": ("GET /v1/markets/m/tasks HTTP/1.1", 401),
    "no HTTP": ("nonsense", 400),
    "another protocol": ("PRI * HTTP/2.0", 400),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_every_answer_forbids_guessing_and_names_no_version(api: Api, case: str) -> None:
    first, status = ANSWERS[case]
    async with wire(api) as line:
        line.send(first, "Host: x")
        told = await line.told()
    assert told.status == status
    assert (told.headers["server"], told.headers["x-content-type-options"]) == ("dispatcher", "nosniff")


async def test_so_do_event_streams_and_what_was_stored(api: Api) -> None:
    for path, sent in (("/events", None), ("/requests", trip("r2"))):
        call: Any = api.client.post if sent else api.client.get
        async with call(f"{api.base}{path}", json=sent, headers=api.headers()) as answer:
            assert answer.headers["Server"] == "dispatcher"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_body_where_none_is_read_is_refused_and_not_left_undone(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    await api.call("PUT", "/episodes/e", {})
    status, problem = await api.call("PUT", "/episodes/e/requests/r1", {"after": [{"request": "r0"}]})
    assert (status, problem["detail"].split("\n")[0]) == (
        422,
        "the body: this call takes no body, and one came",
    )
    assert (await api.call("PUT", "/episodes/e/requests/r1", {}))[0] == 200, "as clients send that always do"
    assert (await api.call("DELETE", "/episodes/e/requests/r1"))[0] == 200
