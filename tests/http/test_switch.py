"""A path leads to its operation however it is written, and nowhere else."""

from __future__ import annotations

import pytest

from contracts.codes import Role
from tests.http.conftest import Api, trip
from tests.http.wire import Told, wire


async def asked(api: Api, method: str, written: str) -> Told:
    async with wire(api) as line:
        bearer = f"Authorization: Bearer {api.token(Role.PLATFORM)}"
        line.send(f"{method} {api.base}/{written} HTTP/1.1", "Host: x", bearer)
        return await line.told()


@pytest.mark.parametrize(
    "written", ["%72equests/r1", "requests/%72%31", "requests/r1?", "%72equests/%72%31?"]
)
async def test_an_odd_way_to_write_a_path_is_served_as_the_plain_one(api: Api, written: str) -> None:
    await api.call("POST", "/requests", trip("r1"))
    plain, odd = await asked(api, "GET", "requests/r1"), await asked(api, "GET", written)
    assert (plain.status, plain.body) == (odd.status, odd.body)
    assert plain.status == 200


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("requests//r1", "not-found"),
        ("requests/", "not-found"),
        ("requests/r1/", "not-found"),
        ("requests%2Fr1", "not-found"),
        ("requests/r%2F1", "invalid-parameter"),  # a slash within an id ends no part
        ("requests/r%251", "invalid-parameter"),
    ],
)
async def test_what_is_no_operations_path_or_no_id_is_refused(api: Api, written: str, problem: str) -> None:
    assert (await asked(api, "GET", written)).problem == problem


@pytest.mark.parametrize("written", ["requests/r1", "requests/%72%31", "%72equests/r1?a=b"])
async def test_another_method_hears_which_there_are_with_all_that_every_answer_has(
    api: Api, written: str
) -> None:
    other, nowhere = await asked(api, "PUT", written), await asked(api, "GET", "nowhere")
    assert (other.problem, other.headers["allow"]) == ("method-not-allowed", "GET, HEAD")
    assert other.headers.keys() - {"allow"} == nowhere.headers.keys()
