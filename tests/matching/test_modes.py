"""How an offer finds its taker: down a chain that goes on by itself, or of several that are asked at once."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import DeclineCode, OfferState, RequestState, Role
from contracts.offer_modes import OfferMode
from contracts.offers import Decline
from contracts.vendors import RateCard
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.views import request_view
from dispatcher.jobs.timers import Timers
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.security.principal import Principal
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor

O = OfferState  # noqa: E741
MINUTE_MS = 60_000
NO = Decline(code=DeclineCode.NO_VEHICLES_AVAILABLE)
CARDS = tuple(RateCard(included_miles=miles) for miles in (15, 2, 1, 0))


async def open_with(town: Town, count: int = 4, units: int = 1, **facts: object) -> None:
    """Vendors v0, v1 … each dearer than the one before."""
    for number in range(count):
        card = RateCard(included_miles=0, delivery_cents=0, night_cents=100 * number)
        card = replace(card, fares=(), weekend_cents=0)
        made = vendor(f"v{number}", rate_card=RateCard(included_miles=15 - number), **facts)
        await town.add_vendor(made, units=units)


async def offered(
    town: Town, own: Ownership, mode: OfferMode, name: str = "r1", **more: object
) -> RequestRecord:
    await town.submit(trip(name, start_min=30, offer_mode=mode, **more))
    await match_imminent(own, town.market, [name])
    return await town.record(name)


def asked(record: RequestRecord) -> list[tuple[str, OfferState]]:
    return [(each.vendor_id, each.state) for each in record.offers]


async def is_sound(town: Town) -> None:
    assert (await audit(town.store.reader, town.name, town.ids))["findings"] == []


def of(town: Town, vendor_id: str) -> Principal:
    return Principal.of(Role.VENDOR, markets=frozenset({town.name}), vendor_id=vendor_id)


async def accept(town: Town, record: RequestRecord, vendor_id: str) -> RequestRecord:
    offer = next(each for each in record.offers if each.vendor_id == vendor_id)
    command = AcceptOffer(offer_id=offer_id(record, offer))
    after: RequestRecord = await town.service.execute(of(town, vendor_id), town.name, command)
    return after


async def test_a_cascade_goes_down_its_chain_by_itself(town: Town, own: Ownership) -> None:
    await open_with(town)
    record = await offered(town, own, OfferMode.CASCADE)
    assert asked(record) == [("v0", O.REQUESTED)]
    assert [each.vendor_id for each in request_view(record).chain] == ["v1", "v2", "v3"]
    await is_sound(town)
    await town.decline("r1", NO)
    record = await town.record("r1")
    assert (record.state, asked(record)) == (
        RequestState.OFFERED,
        [("v0", O.REJECTED), ("v1", O.REQUESTED)],
    )
    await is_sound(town)
    town.clock.ms = record.offers[-1].expires_ms
    await Timers(town.service).fire_due(town.name)
    record = await town.record("r1")
    assert asked(record)[1:] == [("v1", O.EXPIRED), ("v2", O.REQUESTED)]
    assert record.offers[2].bookings
    await is_sound(town)


async def test_the_first_of_a_broadcast_has_it(town: Town, own: Ownership) -> None:
    await open_with(town)
    record = await offered(town, own, OfferMode.BROADCAST)
    assert asked(record) == [(f"v{n}", O.REQUESTED) for n in range(4)]
    assert not any(each.bookings for each in record.offers)
    await is_sound(town)
    record = await accept(town, record, "v2")
    assert asked(record) == [(f"v{n}", O.ACCEPTED if n == 2 else O.CANCELLED) for n in range(4)]
    assert record.offers[2].bookings and not record.offers[2].wants
    await is_sound(town)
