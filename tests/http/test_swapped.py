"""A door as [lat, lon] comes in by no way where the market's zone tells; its sender alone is told."""

from __future__ import annotations

from typing import Any

from tests.http.conftest import Api, trip
from tests.http.test_episodes import oxygen
from tests.http.test_privacy import logged  # noqa: F401  (a fixture)

SWAPPED, HERE = {"position": [40.78123, -73.97123]}, {"position": [-73.97123, 40.78123]}


def ways(there: dict[str, Any]) -> dict[str, tuple[str, str, Any]]:
    """By the pointer of what is refused: how a door comes in."""
    ride, order = trip("r2", dropoff=there), {"rule": "FREQ=DAILY;COUNT=2"}
    return {
        "/pickup/position": ("POST", "/requests", trip("r2", pickup=there)),
        "/place/position": ("POST", "/requests", oxygen("o2", place=there)),
        "/requests/1/dropoff/position": ("POST", "/requests", {"requests": [trip("r3"), ride]}),
        "/requests/0/dropoff/position": ("POST", "/episodes", {"id": "e", "requests": [ride]}),
        "/request/dropoff/position": ("PUT", "/standing-orders/r2", order | {"request": ride}),
        "/return_ride/dropoff/position": (
            "PUT",
            "/standing-orders/r2",
            order | {"request": trip("r2"), "return_ride": ride},
        ),
        "/dropoff/position": ("POST", "/requests/r1/amend", {"dropoff": there}),
    }


async def test_a_swapped_door_is_refused_wherever_it_comes_in_and_nothing_is_stored_or_logged(
    api: Api,
    logged: list[str],  # noqa: F811
) -> None:
    assert (await api.call("POST", "/requests", trip("r1", pickup=HERE, dropoff=HERE)))[0] == 202
    keys = await api.store.reader.ask("KEYS", f"dispatch:{{{api.market}}}:*")
    for pointer, (method, path, body) in ways(SWAPPED).items():
        status, told = await api.call(method, path, body)
        assert (status, told["type"]) == (422, "/problems/invalid-message"), pointer
        (error,) = told["errors"]
        assert error["pointer"] == pointer
        assert " km from the city of America/New_York, [-73.9712, 40.7812] 8 km\n" in error["detail"]
    status, told = await api.call("POST", "/quotes", trip("q", pickup=SWAPPED))
    assert (status, told["errors"][0]["pointer"]) == (422, "/pickup/position")
    assert await api.store.reader.ask("KEYS", f"dispatch:{{{api.market}}}:*") == keys
    async with api.client.get("/metrics") as answer:
        assert "40.78" not in await answer.text() + "\n".join(logged)
