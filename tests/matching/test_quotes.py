"""Quotes: ranked, priced, with reasons when there are none; nothing is booked."""

import subprocess
import sys
from datetime import timedelta

from contracts.codes import LevelOfService, ServiceClass
from contracts.geo import Circle, Place
from contracts.pools import Pool, Pools
from contracts.prices import PriceKind
from contracts.vendors import BaseFare, RateCard
from dispatcher.matching.quotes import Quoter
from tests.matching.conftest import Town
from tests.solvers.town import CENTRE, DAY, TZ, trip, vendor


def priced(vendor_id: str, base_cents: int) -> RateCard:
    return RateCard(fares=(BaseFare(level_of_service=LevelOfService.WHEELCHAIR, base_cents=base_cents),))


async def test_the_cheapest_vendor_comes_first_each_once(town: Town) -> None:
    for vendor_id, base_cents in (("v1", 6_000), ("v2", 4_000), ("v3", 5_000)):
        await town.add_vendor(vendor(vendor_id, rate_card=priced(vendor_id, base_cents)))
    quotes = (await Quoter(town.store, town.clock, {town.name: TZ}).quote(town.name, trip())).quotes
    assert [(each.vendor_id, each.price_cents) for each in quotes] == [
        ("v2", 4_000),
        ("v3", 5_000),
        ("v1", 6_000),
    ]
    assert all(sum(term.cost_cents for term in each.terms) == each.cost_cents for each in quotes)


async def test_a_quote_books_nothing(town: Town) -> None:
    await town.add_vendor(vendor("v1"), units=1)
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    first = await quoter.quote(town.name, trip(width_min=0))
    assert first == await quoter.quote(town.name, trip(width_min=0))
    assert first.quotes


async def test_without_a_vendor_the_quote_says_why(town: Town) -> None:
    await town.add_vendor(vendor("v1", levels_of_service=(LevelOfService.AMBULATORY,)))
    quotes = await Quoter(town.store, town.clock, {town.name: TZ}).quote(town.name, trip())
    assert quotes.quotes == ()
    assert quotes.unmatched is not None
    assert quotes.unmatched.last_rule == "level_of_service"


def test_quoting_does_not_load_the_optimiser() -> None:
    code = "import sys, dispatcher.matching.quotes; sys.exit('ortools' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_quote_without_a_vendor_names_the_smallest_change_that_would_find_one(town: Town) -> None:
    await town.add_vendor(vendor("v1", service_area=(Circle(centre=(-74.5, 40.7), radius_m=20_000),)))
    await town.add_vendor(vendor("v2", paused=True))
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    why = (await quoter.quote(town.name, trip())).unmatched
    assert why is not None
    assert (why.last_rule, why.last_rule_alone) == ("service_area", True)
    (relaxation,) = why.relaxations
    (change,) = relaxation.changes
    assert (relaxation.vendor_id, change.kind, change.rule, change.unit) == (
        "v1",
        "rule",
        "service_area",
        "metres",
    )
    await town.add_vendor(
        vendor("v1", service_area=(Circle(centre=(-74.5, 40.7), radius_m=20_000 + change.amount),))
    )
    assert (await quoter.quote(town.name, trip())).quotes


async def test_a_quote_for_a_day_beyond_the_horizon_finds_the_capacity_posted_for_it(town: Town) -> None:
    await town.add_vendor(vendor("v1"))
    in_a_week = DAY + timedelta(days=7)
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(1,))
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    ride = trip(start_min=60 + 7 * 24 * 60)
    assert (await quoter.quote(town.name, ride)).quotes == ()
    await town.store.market(town.name).capacity.put("v1", in_a_week, Pools(pools=(pool,)))
    (quote,) = (await quoter.quote(town.name, ride)).quotes
    assert quote.start_at.date() == in_a_week


async def test_doors_given_as_lat_lon_get_a_hint(town: Town) -> None:
    await town.add_vendor(vendor("v1"))
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    lon, lat = CENTRE
    swapped = trip(pickup=Place(position=(lat, lon)), dropoff=Place(position=(lat + 0.02, lon)))
    for ride, hinted in ((swapped, True), (trip(pickup=Place(position=(-90.0, lat))), False)):
        why = (await quoter.quote(town.name, ride)).unmatched
        assert why is not None
        assert (why.last_rule, "[lon, lat]" in why.hint) == ("service_area", hinted)


async def test_a_window_that_opens_beyond_what_can_be_looked_at_blames_the_horizon(town: Town) -> None:
    await town.add_vendor(vendor("v1"))
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    why = (await quoter.quote(town.name, trip(start_min=60 + 20 * 24 * 60))).unmatched
    assert why is not None
    assert (why.last_rule, why.vendors, why.relaxations) == ("horizon_hours", 1, ())
    assert [(each.rule, each.vendors) for each in why.removed] == [("horizon_hours", 1)]


async def test_a_quote_names_other_starts_of_its_vendor_soonest_first_each_with_its_price(town: Town) -> None:
    await town.add_vendor(vendor("v1", rate_card=priced("v1", 6_000)))
    await town.add_vendor(vendor("v2", rate_card=priced("v2", 4_000)))
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    quotes = (await quoter.quote(town.name, trip(width_min=60))).quotes
    assert [each.vendor_id for each in quotes] == ["v2", "v1"]
    for quote, cents in zip(quotes, (4_000, 6_000), strict=True):
        starts = [each.start_at for each in quote.other_starts]
        assert starts == [quote.start_at + timedelta(minutes=15 * n) for n in range(1, 5)]
        assert {each.price_cents for each in quote.other_starts} == {cents}
        assert (quote.price_lines[0].kind, quote.price_lines[0].cents) == (PriceKind.BASE, cents)
        for each in (quote, *quote.other_starts):
            assert sum(line.cents for line in each.price_lines) == each.price_cents
        assert quote.rates is not None
        assert quote.rates.waiting_half_hour_cents == 1_000
    (only,) = (await quoter.quote(town.name, trip(width_min=0, preferred_vendors=("v2",)))).quotes[:1]
    assert only.other_starts == ()
    long = (await quoter.quote(town.name, trip(width_min=300))).quotes[0]
    assert len(long.other_starts) == 8
