"""A telegram that is sent again, for its answer was lost, has its effect once and the same answer."""

from __future__ import annotations

from contracts.codes import Role
from tests.http.conftest import Api
from tests.http.test_modes import Town
from tests.interop.tds.conftest import Centre, offered
from tests.interop.tds.test_answers import NO, NOWHERE, YES, at


async def test_a_confirmation_that_took_the_ride_is_no_message_when_it_is_sent_again(centre: Centre) -> None:
    """By then the offer is a dispatch, for which another confirmation is a word to the coordinator."""
    await offered(centre)

    def confirmation() -> str:
        inner = (
            '<scheduledPickupTime time="2026-03-03T10:00:00"/><scheduledPickupPoint/><scheduledDropoffPoint/>'
        )
        return centre.says("providerOrderConfirmation", inner, attributes='vehicleNumber="12"')

    async def messages() -> int:
        _, told = await centre.api.call("GET", "/dispatches/r1.1/messages", role=Role.VENDOR, vendor="v1")
        return len(told["messages"])

    first = confirmation()
    assert [(await centre.send(first))[0] for _ in range(2)] == [200, 200]
    assert (await centre.state())[0] == "accepted"
    assert await messages() == 0
    assert (await centre.send(confirmation()))[0] == 200
    assert await messages() == 1
    assert [(await centre.send(first))[0] for _ in range(2)] == [200, 200]
    assert await messages() == 1


async def test_a_yes_for_which_there_was_no_room_is_refused_however_often_it_comes(api: Api) -> None:
    """The first closes the offer, and is known then: a receipt would say that the ride is its vendor's."""
    town, centre = Town(api), Centre(api)
    await town.open(2)
    for name in ("r1", "r2"):
        await town.match(name, offer_mode="broadcast")
    first, second = (centre.says("tripRequestResponse", YES, f"{name}.1") for name in ("r1", "r2"))
    assert (await centre.send(first, "v00"))[0] == 200
    for _ in range(2):
        status, problem = await centre.send(second, "v00")
        assert (status, "no_capacity" in problem["detail"]) == (409, True)


async def test_what_may_be_taken_for_a_yes_is_refused_where_it_is_none(centre: Centre) -> None:
    """With a receipt a van comes for nothing; or a ride is given away whose vendor would have kept it."""
    order = at("scheduledPickupTime", "10:10") + NOWHERE

    async def confirmed() -> tuple[int, str]:
        status, told = await centre.send(centre.says("providerOrderConfirmation", order))
        return status, told.get("detail", "") if status != 200 else ""

    await offered(centre)
    assert (await centre.send(centre.says("tripRequestResponse", YES)))[0] == 200
    assert await confirmed() == (200, ""), "within the window that was agreed on"
    for other in ("fareAmount='60'", "transportServices='ambulatory'"):
        said = centre.says("providerOrderConfirmation", order, attributes=other)
        status, problem = await centre.send(said)
        assert (status, "not what was agreed on" in problem["detail"]) == (422, True)
    later = {"earliest": "2026-03-03T15:10:00Z", "latest": "2026-03-03T15:40:00Z"}
    assert (await centre.api.call("POST", "/requests/r1/amend", {"pickup_window": later}))[0] == 200
    status, detail = await confirmed()
    assert (status, "answer its tripRequest first" in detail) == (409, True)
    assert (await centre.send(centre.says("tripRequestResponse", NO)))[0] == 200
    assert (await centre.state())[0] == "matching"
    for empty in (order, ""):
        name = "providerOrderConfirmation" if empty else "vehicleConfirmation"
        status, problem = await centre.send(centre.says(name, empty))
        assert (status, "its work is not yours" in problem["detail"]) == (409, True)
