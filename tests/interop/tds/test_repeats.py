"""A telegram that is sent again, for its answer was lost, has its effect once and the same answer."""

from __future__ import annotations

from contracts.codes import Role
from tests.interop.tds.conftest import Centre, offered


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
