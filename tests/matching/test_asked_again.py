"""Who declined a request is asked again only after something changed that makes another answer likely."""

from datetime import timedelta

import pytest

from contracts.codes import DeclineCode, RequestState, ServiceClass
from contracts.offers import Decline
from contracts.pools import Pool, Pools
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from tests.matching.conftest import Town
from tests.solvers.town import DAY, trip, vendor

DECLINE = Decline(code=DeclineCode.NO_VEHICLES_AVAILABLE)
EVERYTHING = tuple(ServiceClass)


def vans(units: int = 2, serves: tuple[ServiceClass, ...] = EVERYTHING, name: str = "vans") -> Pools:
    return Pools(pools=(Pool(id=name, serves=serves, units=(units,) * 24, daily_cap=100),))


@pytest.fixture
async def declined(town: Town, own: Ownership) -> Town:
    """The only vendor has declined the request; a minute later."""
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    await town.decline("r1", DECLINE)
    town.clock.ms += 60_000
    return town


async def asked_again(town: Town, own: Ownership) -> bool:
    await town.market.refresh()
    await match_imminent(own, town.market, ["r1"])
    return (await town.record("r1")).state is RequestState.OFFERED


async def test_nothing_changed_so_it_is_not_asked_again(declined: Town, own: Ownership) -> None:
    assert not await asked_again(declined, own)


@pytest.mark.parametrize(
    "posting", [vans(3), vans(2, name="more"), vans(1, name="more")], ids=["units", "a pool", "another pool"]
)
async def test_a_vendor_that_posts_more_for_the_day_is_asked_again(
    declined: Town, own: Ownership, posting: Pools
) -> None:
    await declined.store.market(declined.name).capacity.put("v1", DAY, posting, at_ms=declined.clock.now_ms())
    assert await asked_again(declined, own)


async def test_a_vendor_whose_document_changed_is_asked_again_and_may_decline_again(
    declined: Town, own: Ownership
) -> None:
    wider = vendor("v1", max_stairs=40)
    await declined.store.market(declined.name).vendors.put(wider, at_ms=declined.clock.now_ms())
    assert await asked_again(declined, own)
    await declined.decline("r1", DECLINE)
    assert not await asked_again(declined, own)


async def test_what_says_the_same_or_less_or_is_for_another_day_is_no_reason_to_ask_again(
    declined: Town, own: Ownership
) -> None:
    store, name, now_ms = declined.store, declined.name, declined.clock.now_ms()
    await store.market(name).vendors.put(vendor("v1"), at_ms=now_ms)
    await store.market(name).capacity.put("v1", DAY, vans(2), at_ms=now_ms)
    await store.market(name).capacity.put("v1", DAY, vans(1), at_ms=now_ms)
    await store.market(name).capacity.put("v1", DAY + timedelta(days=1), vans(9), at_ms=now_ms)
    assert not await asked_again(declined, own)


async def test_what_changed_before_the_decline_was_known_to_the_vendor(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    await town.store.market(town.name).capacity.put("v1", DAY, vans(9), at_ms=town.clock.now_ms())
    await town.decline("r1", DECLINE)
    assert not await asked_again(town, own)
