"""A refusal names the call and, apart from it, what it is about."""

from __future__ import annotations

import pytest

from contracts.codec import MSGPACK
from contracts.problems import PROBLEM_JSON
from dispatcher.http import problem_responses
from tests.http.conftest import Api, trip

PAST = {"earliest": "2020-01-01T10:00:00Z", "latest": "2020-01-01T11:00:00Z"}


async def test_a_refusal_names_the_call_and_the_request_of_a_batch_that_is_wrong(api: Api) -> None:
    batch = {"requests": [trip("c1"), trip("c2", pickup_window=PAST), trip("c3")]}
    async with api.client.post(f"{api.base}/requests", json=batch, headers=api.headers()) as answer:
        problem, header = await answer.json(content_type=PROBLEM_JSON), answer.headers["X-Request-Id"]
    assert problem["type"] == "/problems/invalid-request"
    assert problem["request_id"] == "c2"
    assert problem["call_id"] == header != ""


async def test_every_answer_carries_the_id_of_its_call_and_no_two_the_same(api: Api) -> None:
    seen = []
    for path in (f"{api.base}/requests", "/nowhere", "/readyz", f"{api.base}/events"):
        async with api.client.get(path, headers=api.headers() | {"X-Request-Id": "mine"}) as answer:
            seen.append(answer.headers["X-Request-Id"])
    assert len({*seen, "mine", ""}) == len(seen) + 2


@pytest.mark.parametrize("media", [PROBLEM_JSON, MSGPACK])
def test_a_defect_tells_where_to_look_and_nothing_else(media: str) -> None:
    answer = problem_responses.answer(RuntimeError("a careless text"), "c7", media)
    assert (answer.status, answer.headers["X-Request-Id"], answer.content_type) == (500, "c7", media)
    assert isinstance(answer.body, bytes)
    assert b"call_id" in answer.body
    assert b"careless" not in answer.body
