"""Telegrams that are several steps: all of them or none; and what a vehicle tells time and again."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Role
from contracts.instants import HOUR_MS
from tests.interop.tds.conftest import Centre
from tests.interop.tds.test_answers import GPS, TASK, WHO, at, taken


async def given(centre: Centre) -> list[Any]:
    """What was given as proof: part, when, whether it counts."""
    _, proof = await centre.api.call("GET", "/dispatches/r1.1/proof", role=Role.OPS)
    return [(each["report"]["part"], each["at"], each["counts"]) for each in proof["parts"]]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (
            at("pickupTime", "07:10") + at("dropoffTime", "07:40") + at("performedPickupTime", "07:10"),
            "too early",
        ),
        (
            at("pickupTime", "10:00") + at("dropoffTime", "10:30") + at("performedDropoffTime", "10:30"),
            "at is 2026-03-03T15:30:00+00:00, and it is 2026-03-03T15:05:00+00:00",
        ),
        (
            at("pickupTime", "2026-03-01T10:00:00")
            + at("dropoffTime", "10:04")
            + at("performedPickupTime", "2026-03-01T10:00:00")
            + at("performedDropoffTime", "10:04"),
            "not before",
        ),
    ],
)
async def test_a_completion_that_is_refused_has_done_nothing(centre: Centre, times: str, why: str) -> None:
    """Nor is the passenger on board after it."""
    await taken(centre)
    status, problem = await centre.send(centre.says("tripTaskCompletion", f"<cost>45</cost>{times}"))
    assert (status, why in problem["detail"]) == (422, True), problem
    assert await centre.state() == ("accepted", None)
    assert await given(centre) == []


async def test_an_arrival_that_is_told_time_and_again_is_one(centre: Centre) -> None:
    """Proof is given a dozen times at most: the ride could not be completed by telegram any more."""
    await taken(centre)

    async def arrived(time: str, boarded: str = "false") -> None:
        inner = f"{WHO}{GPS}<passengerBoarded>{boarded}</passengerBoarded>"
        said = centre.says("tripPickupArrivalConfirmation", inner, kind="TripTaskStatus")
        assert (await centre.send(said.replace("2026-03-02T09:00", f"2026-03-03T{time}")))[0] == 200

    for _ in range(13):
        await arrived("10:00")
    await arrived("10:04", "true")
    await arrived("10:01")
    said = centre.says("tripTaskConfirmation", TASK, attributes="tripStatus='no pickup'")
    status, problem = await centre.send(said)
    assert (status, "passenger on board" in problem["detail"]) == (409, True), "it would end as failed"
    seen = [("pickup", "2026-03-03T15:00:02Z", False), ("pickup", "2026-03-03T15:04:15Z", True)]
    assert await given(centre) == seen, "what came too late is no correction"
    centre.api.clock.ms += HOUR_MS
    done = (at("pickupTime", "10:04") + at("dropoffTime", "10:30") + at("performedPickupTime", "10:04")) + at(
        "performedDropoffTime", "10:30"
    )
    assert (await centre.send(centre.says("tripTaskCompletion", f"<cost>45</cost>{done}")))[0] == 200
    assert await centre.state() == ("completed", "completed")
    await arrived("10:02")
    ends = [("pickup", "2026-03-03T15:04:00Z", True), ("dropoff", "2026-03-03T15:30:00Z", True)]
    assert [each for each in await given(centre) if each[2]] == ends
