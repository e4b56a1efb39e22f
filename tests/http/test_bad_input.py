"""Bad input gets its clear 4xx, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgpack
import pytest

from contracts.codes import Role
from tests.http.conftest import NOW, Api, trip

HOUR_MS = 3_600_000


def _with(**changes: Any) -> bytes:
    return json.dumps(trip("r1", **changes)).encode()


def _window(earliest: str, latest: str) -> bytes:
    return _with(pickup_window={"earliest": earliest, "latest": latest})


def _msgpack(body: Any) -> bytes:
    return bytes(msgpack.packb(body))


JSON_CASES: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"hello", 400, "malformed-body"),
    "empty": (b"", 400, "malformed-body"),
    "cut short": (_with()[:-9], 400, "malformed-body"),
    "NaN": (_with().replace(b"-73.97", b"NaN"), 400, "malformed-body"),
    "infinite": (_with().replace(b"-73.97", b"1e999"), 400, "malformed-body"),
    "the same key twice": (_with().replace(b'{"kind"', b'{"id": "r1", "kind"', 1), 400, "malformed-body"),
    "half a surrogate pair": (
        _with(patient={"name": "x"}).replace(b'"x"', b'"\\ud83d"'),
        400,
        "malformed-body",
    ),
    "not UTF-8": (_with(patient={"name": "x"}).replace(b'"x"', b'"\xff"'), 400, "malformed-body"),
    "10,000 levels deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "malformed-body"),
    "33 levels deep": (_with().replace(b"-73.97", b"[" * 33 + b"]" * 33), 400, "malformed-body"),
    "a number of 5,000 digits": (_with().replace(b"-73.97", b"9" * 5_000), 400, "malformed-body"),
    "two messages": (_with() + _with(), 400, "malformed-body"),
    "not an object": (b"[1, 2]", 422, "invalid-message"),
    "null": (b"null", 422, "invalid-message"),
    "a field nobody knows": (_with(colour="red"), 422, "invalid-message"),
    "a missing field": (_with().replace(b'"dropoff"', b'"drop_off"'), 422, "invalid-message"),
    "window end before start": (
        _window("2026-03-03T15:30:00Z", "2026-03-03T15:00:00Z"),
        422,
        "invalid-message",
    ),
    "window in the past": (_window("2026-03-01T15:00:00Z", "2026-03-01T15:30:00Z"), 422, "invalid-request"),
    "an instant without an offset": (
        _window("2026-03-03T15:00:00", "2026-03-03T15:30:00"),
        422,
        "invalid-message",
    ),
    "unknown level of service": (_with(level_of_service="flying"), 422, "invalid-message"),
    "east of the globe": (_with(pickup={"position": [180.5, 40.0]}), 422, "invalid-message"),
    "south of the globe": (_with(pickup={"position": [-73.9, -90.01]}), 422, "invalid-message"),
    "three coordinates": (_with(pickup={"position": [-73.9, 40.0, 3.0]}), 422, "invalid-message"),
    "a fraction where a whole number is due": (_with(service_minutes=5.5), 422, "invalid-message"),
    "text where a number is due": (_with(service_minutes="5"), 422, "invalid-message"),
    "true where a number is due": (_with(service_minutes=True), 422, "invalid-message"),
    "window and appointment": (_with(appointment_at="2026-03-03T15:00:00Z"), 422, "invalid-message"),
    "a window in a year that is none": (
        _with(pickup_window={"earliest": "9999-12-31T23:00:00-12:00", "latest": "9999-12-31T23:59:59-12:00"}),
        422,
        "invalid-message",
    ),
    "a window before time began": (
        _with(pickup_window={"earliest": "0001-01-01T00:00:00+14:00", "latest": "2026-03-03T16:00:00Z"}),
        422,
        "invalid-message",
    ),
    "a deadline beyond all years": (_with(match_by="9999-12-31T23:59:59-12:00"), 422, "invalid-message"),
    "an id with a line break": (_with().replace(b'"r1"', b'"r1\\n"'), 422, "invalid-message"),
    "an id with a brace": (_with().replace(b'"r1"', b'"r{1}"'), 422, "invalid-message"),
    "1,001 requests": (
        json.dumps({"requests": [trip(f"r{n}") for n in range(1_001)]}).encode(),
        422,
        "invalid-message",
    ),
    "no requests": (b'{"requests": []}', 422, "invalid-message"),
    "one id twice in a batch": (json.dumps({"requests": [trip("r1")] * 2}).encode(), 422, "id-reused"),
    "5 MB": (b" " * 5_000_000, 413, "too-large"),
}

MSGPACK_CASES: dict[str, tuple[bytes, int, str]] = {
    "cut short": (_msgpack(trip("r1"))[:-9], 400, "malformed-body"),
    "empty": (b"", 400, "malformed-body"),
    "an extension type": (_msgpack(trip("r1", note=msgpack.ExtType(5, b"x"))), 400, "malformed-body"),
    "a timestamp extension": (_msgpack(trip("r1", match_by=msgpack.Timestamp(1))), 400, "malformed-body"),
    "binary": (_msgpack(trip("r1", note=b"x")), 400, "malformed-body"),
    "NaN": (_msgpack(trip("r1", pickup={"position": [float("nan"), 1.0]})), 400, "malformed-body"),
    "trailing bytes": (_msgpack(trip("r1")) + b"x", 400, "malformed-body"),
    "the same key twice": (b"\x82\xa1a\x01\xa1a\x01", 400, "malformed-body"),
    "a key that is a number": (_msgpack({1: 2}), 400, "malformed-body"),
    "10,000 levels deep": (b"\x91" * 10_000 + b"\x01", 400, "malformed-body"),
    "500 levels deep": (b"\x91" * 500 + b"\x01", 400, "malformed-body"),
    "an array that claims four thousand million": (b"\xdd\xff\xff\xff\xff", 400, "malformed-body"),
    "half a surrogate pair": (b"\x81\xa1a\xa3\xed\xa0\x80", 400, "malformed-body"),
}


async def _refused(api: Api, body: bytes, content_type: str) -> tuple[int, str]:
    headers = api.headers() | {"Content-Type": content_type}
    async with api.client.post(f"{api.base}/requests", data=body, headers=headers) as answer:
        problem = await answer.json(content_type=None)
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == answer.status
    assert problem["title"]
    assert problem["detail"]
    assert await _stored_keys(api) == 0
    return answer.status, problem["type"]


async def _stored_keys(api: Api) -> int:
    found = await api.store.reader.ask("KEYS", f"dispatch:{{{api.market}}}:*")
    return len(found)


@pytest.mark.parametrize("case", JSON_CASES)
async def test_bad_json_is_refused_and_nothing_is_stored(api: Api, case: str) -> None:
    body, status, problem_type = JSON_CASES[case]
    assert await _refused(api, body, "application/json") == (status, f"/problems/{problem_type}")


@pytest.mark.parametrize("case", MSGPACK_CASES)
async def test_bad_messagepack_is_refused_and_nothing_is_stored(api: Api, case: str) -> None:
    body, status, problem_type = MSGPACK_CASES[case]
    assert await _refused(api, body, "application/msgpack") == (status, f"/problems/{problem_type}")


async def test_a_body_without_a_length_is_cut_off_at_the_limit(api: Api) -> None:
    async def endless() -> Any:
        for _ in range(80):
            yield b" " * 65_536

    headers = api.headers() | {"Content-Type": "application/json"}
    async with api.client.post(f"{api.base}/requests", data=endless(), headers=headers) as answer:
        assert answer.status == 413


async def test_a_whole_float_counts_as_an_integer_as_in_json_schema(api: Api) -> None:
    body = _with(service_minutes=12).replace(b'"service_minutes": 12', b'"service_minutes": 12.0')
    headers = api.headers() | {"Content-Type": "application/json"}
    async with api.client.post(f"{api.base}/requests", data=body, headers=headers) as answer:
        assert answer.status == 202


HEADER_CASES: dict[str, tuple[dict[str, str], int, str]] = {
    "no key": ({"Idempotency-Key": ""}, 400, "missing-header"),
    "a key with spaces": ({"Idempotency-Key": "a b"}, 400, "invalid-parameter"),
    "a key of 129 characters": ({"Idempotency-Key": "k" * 129}, 400, "invalid-parameter"),
    "a form nobody reads": ({"Content-Type": "text/xml"}, 415, "unsupported-media-type"),
    "a form nobody writes": ({"Accept": "text/xml"}, 406, "not-acceptable"),
    "no token": ({"Authorization": ""}, 401, "unauthenticated"),
    "another scheme": ({"Authorization": "Basic dTpw"}, 401, "unauthenticated"),
    "a token that is none": ({"Authorization": "Bearer abc.def.ghi"}, 401, "unauthenticated"),
}


@pytest.mark.parametrize("case", HEADER_CASES)
async def test_bad_headers_are_refused_and_nothing_is_stored(api: Api, case: str) -> None:
    changes, status, problem_type = HEADER_CASES[case]
    headers = api.headers() | {"Content-Type": "application/json"} | changes
    async with api.client.post(f"{api.base}/requests", data=_with(), headers=headers) as answer:
        assert (answer.status, (await answer.json(content_type=None))["type"]) == (
            status,
            f"/problems/{problem_type}",
        )
    assert await _stored_keys(api) == 0


async def _with_token(api: Api, token: str) -> tuple[int, str]:
    headers = api.headers() | {"Authorization": f"Bearer {token}"}
    async with api.client.post(f"{api.base}/requests", json=trip("r1"), headers=headers) as answer:
        return answer.status, (await answer.json(content_type=None)).get("detail", "")


async def test_an_expired_token_is_refused_by_the_service_s_own_clock(api: Api) -> None:
    token = api.token(Role.PLATFORM, hours=1)
    assert (await _with_token(api, token))[0] == 202  # remembered from here on
    api.clock.ms += HOUR_MS
    status, detail = await _with_token(api, token)
    assert status == 401
    assert "expired" in detail


async def test_a_token_from_the_future_is_refused(api: Api) -> None:
    token = api.token(Role.PLATFORM)
    api.clock.ms -= HOUR_MS
    assert (await _with_token(api, token))[0] == 401


@pytest.mark.parametrize("change", [lambda t: t[:-4], lambda t: t + "x", lambda t: t.replace(".", "", 1)])
async def test_a_changed_token_is_refused_and_never_repeated(api: Api, change: Callable[[str], str]) -> None:
    token = change(api.token(Role.PLATFORM))
    status, detail = await _with_token(api, token)
    assert status == 401
    assert token not in detail


async def test_an_unknown_market_and_one_that_is_not_the_callers_are_the_same_404(api: Api) -> None:
    answers = []
    for market in ("nowhere", api.market):
        token = api.token(
            Role.PLATFORM, markets=["nowhere", "elsewhere"] if market == "nowhere" else ["elsewhere"]
        )
        headers = api.headers() | {"Authorization": f"Bearer {token}"}
        async with api.client.post(
            f"/v1/markets/{market}/requests", json=trip("r1"), headers=headers
        ) as answer:
            problem = await answer.json(content_type=None)
            answers.append((answer.status, problem["type"], problem["detail"].replace(market, "…")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


async def test_paths_and_methods_that_do_not_exist_are_problems_too(api: Api) -> None:
    async with api.client.get("/v2/nothing") as answer:
        assert answer.status == 404
        assert (await answer.json(content_type=None))["type"] == "/problems/not-found"
    async with api.client.delete(f"{api.base}/requests") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD, POST"


async def test_the_time_of_the_tests_is_the_time_of_the_service(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    _, view = await api.call("GET", "/requests/r1")
    assert view["received_at"] == NOW.isoformat().replace("+00:00", "Z")
