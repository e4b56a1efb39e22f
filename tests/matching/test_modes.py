"""How an offer finds its taker: down a chain that goes on by itself, or of several that are asked at once."""

from __future__ import annotations

import asyncio

import pytest

from contracts.codes import DeclineCode, LevelOfService, OfferState, RequestState, Role
from contracts.offer_modes import OfferMode
from contracts.offers import Decline
from contracts.tuning import Tuning
from contracts.vendors import BaseFare, RateCard
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.views import request_view
from dispatcher.jobs.timers import Timers
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.security.principal import Principal
from tests.matching.conftest import Town
from tests.matching.test_moves import tune
from tests.solvers.town import trip, vendor

O = OfferState  # noqa: E741
NO = Decline(code=DeclineCode.NO_VEHICLES_AVAILABLE)


def dear(number: int) -> RateCard:
    """A card that is a dollar dearer than the one before."""
    fare = BaseFare(level_of_service=LevelOfService.WHEELCHAIR, base_cents=3_000 + 100 * number)
    return RateCard(fares=(fare,))


async def open_with(town: Town, count: int = 4, units: int = 1) -> None:
    """Vendors v0, v1 … each dearer than the one before."""
    for number in range(count):
        await town.add_vendor(vendor(f"v{number}", rate_card=dear(number)), units=units)


async def offered(
    town: Town, own: Ownership, mode: OfferMode | None, name: str = "r1", **more: object
) -> RequestRecord:
    await town.submit(trip(name, start_min=30, width_min=0, offer_mode=mode, **more))
    await town.market.refresh()
    await match_imminent(own, town.market, [name])
    return await town.record(name)


def asked(record: RequestRecord) -> list[tuple[str, OfferState]]:
    return [(each.vendor_id, each.state) for each in record.offers]


def chain(record: RequestRecord) -> list[str]:
    return [each.vendor_id for each in request_view(record).chain]


async def is_sound(town: Town) -> None:
    assert (await audit(town.store.reader, town.name, town.ids))["findings"] == []


async def accept(town: Town, record: RequestRecord, vendor_id: str) -> RequestRecord:
    offer = next(each for each in record.offers if each.vendor_id == vendor_id)
    who = Principal.of(Role.VENDOR, markets=frozenset({town.name}), vendor_id=vendor_id)
    command = AcceptOffer(offer_id=offer_id(record, offer))
    after: RequestRecord = await town.service.execute(who, town.name, command)
    return after


async def test_a_cascade_goes_down_its_chain_by_itself(town: Town, own: Ownership) -> None:
    await open_with(town, 5)
    record = await offered(town, own, OfferMode.CASCADE)
    assert (asked(record), chain(record)) == ([("v0", O.REQUESTED)], ["v1", "v2", "v3"])
    assert [each.price_cents for each in request_view(record).chain] == [3_100, 3_200, 3_300]
    await town.decline("r1", NO)
    record = await town.record("r1")
    assert (record.state, asked(record)) == (RequestState.OFFERED, [("v0", O.REJECTED), ("v1", O.REQUESTED)])
    await is_sound(town)
    town.clock.ms = record.offers[-1].expires_ms
    await Timers(town.service).fire_due(town.name)
    record = await town.record("r1")
    assert asked(record)[1:] == [("v1", O.EXPIRED), ("v2", O.REQUESTED)]
    assert record.offers[2].bookings
    await is_sound(town)


@pytest.mark.parametrize("by", ["decline", "timer"])
async def test_who_has_no_room_by_then_or_is_another_is_passed_over(
    town: Town, own: Ownership, by: str
) -> None:
    await open_with(town)
    record = await offered(town, own, OfferMode.CASCADE)
    other = await offered(town, own, None, "r2", excluded_vendors=("v0",))
    assert other.offers[0].vendor_id == "v1", "its one van is taken meanwhile"
    await accept(town, other, "v1")
    await town.store.market(town.name).vendors.put(vendor("v2", rate_card=dear(2), paused=True), 1)
    if by == "decline":
        await town.decline("r1", NO)
    else:
        town.clock.ms = record.offers[0].expires_ms
        await Timers(town.service).fire_due(town.name)
    record = await town.record("r1")
    assert [each for each, _ in asked(record)] == ["v0", "v3"]
    assert (record.state, chain(record)) == (RequestState.OFFERED, [])
    await is_sound(town)


async def test_where_nobody_of_the_chain_has_room_the_matcher_plans_anew(town: Town, own: Ownership) -> None:
    await open_with(town, 2)
    await offered(town, own, OfferMode.CASCADE)
    await offered(town, own, None, "r2")
    await town.decline("r1", NO)
    record = await town.record("r1")
    assert (record.state, record.chain) == (RequestState.MATCHING, ())
    await town.add_vendor(vendor("v9"))
    await town.market.refresh()
    await match_imminent(own, town.market, ["r1"])
    assert asked(await town.record("r1"))[-1] == ("v9", O.REQUESTED)
    await is_sound(town)


async def test_broadcasts_that_all_count_on_the_same_vans_never_book_one_twice(
    town: Town, own: Ownership
) -> None:
    await open_with(town, 3)
    names = [f"r{n}" for n in range(4)]
    records = [await offered(town, own, OfferMode.BROADCAST, name) for name in names]
    assert all(len(asked(each)) == 3 for each in records), "none of them takes anything"
    answers = await asyncio.gather(
        *(accept(town, each, f"v{n}") for each in records for n in range(3)), return_exceptions=True
    )
    assert {type(each) for each in answers} == {RequestRecord, WrongState}
    found = [await town.record(name) for name in names]
    taken = [each.dispatch.vendor_id for each in found if each.dispatch is not None]
    assert sorted(taken) == ["v0", "v1", "v2"]
    (left,) = [each for each in found if each.dispatch is None]
    assert (left.state, {each.code for each in left.offers}) == (RequestState.MATCHING, {"no_capacity"})
    await is_sound(town)


async def test_a_broadcast_to_one_vendor_alone_keeps_its_place(town: Town, own: Ownership) -> None:
    await open_with(town, 1)
    record = await offered(town, own, OfferMode.BROADCAST)
    (offer,) = record.offers
    assert (offer.mode, bool(offer.bookings), offer.wants, offer.assumed) == ("explicit", True, (), False)


async def test_a_broadcast_asks_as_many_as_tuning_says_however_few_attempts_are_left(
    town: Town, own: Ownership
) -> None:
    await open_with(town, 5)
    values = {"broadcast_offers": 32, "max_attempts": 1}
    await town.store.market(town.name).tuning.put(Tuning(version=1, values=values), 0)
    record = await offered(town, own, OfferMode.BROADCAST)
    assert [state for _, state in asked(record)] == [O.REQUESTED] * 5


async def test_tuning_says_who_is_asked_how_and_how_many(town: Town, own: Ownership) -> None:
    await open_with(town, 5)
    stored = town.store.market(town.name).tuning
    lists = {"broadcast_services": ("wheelchair",), "cascade_services": ("*",)}
    values = {"broadcast_most_lead_minutes": 20, "broadcast_offers": 2, "cascade_links": 3}
    await stored.put(Tuning(version=1, values=values, lists=lists), 0)
    record = await offered(town, own, None)
    assert (asked(record), chain(record)) == ([("v0", O.REQUESTED)], ["v1", "v2"]), "in half an hour"
    town.clock.ms += 15 * 60_000
    record = await offered(town, own, None, "r2")
    assert [each for each, _ in asked(record)] == ["v1", "v2"], "the cheapest two that have room"
    record = await offered(town, own, OfferMode.ASSUMED, "r3")
    assert (len(record.offers), record.chain, record.offers[0].mode) == (1, (), "")


async def test_a_batch_offers_in_every_mode_and_counts_nothing_as_taken_that_is_not(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await open_with(town, 3)
    await tune(town, cascade_links=2)
    for name, mode in (("r1", OfferMode.BROADCAST), ("r2", OfferMode.CASCADE)):
        await town.submit(trip(name, start_min=240, width_min=0, offer_mode=mode))
    done = await run_batch(own, town.market, solvers)
    assert done.offered == {"r1", "r2"}
    first, second = [await town.record(name) for name in ("r1", "r2")]
    assert len(first.offers) == 2, "one of the three vans is the other's"
    assert (len(second.offers), len(second.chain)) == (1, 1)
    known = town.market.reading
    assert known is not None
    counted = {name: each.copy() for name, each in known.capacity.supply.arrays().items()}
    fresh = (await town.market.refresh()).capacity.supply.arrays()
    assert all((counted[name] == fresh[name]).all() for name in fresh)
    await is_sound(town)
