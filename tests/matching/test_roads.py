"""Matching by road: a plan finds what was fetched meanwhile, and waits for no silent server."""

import numpy as np
import pytest

from contracts.geo import Circle, Place
from contracts.instants import MINUTE_MS, to_instant
from contracts.requests import TripRequest
from dispatcher.domain.offers import OfferRecord
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.quotes import Quoter
from dispatcher.matching.solving import SolverPool
from dispatcher.travel.engine import Engine
from solvers.rides import by_hour
from solvers.travel import DetourTravel
from tests import roads
from tests.matching.conftest import Town
from tests.solvers.town import NOW_MS, TZ, trip, vendor
from tests.travel.conftest import running, until
from tests.travel.test_faults import silence

APPOINTMENT_MS, AT_DOOR = NOW_MS + 300 * MINUTE_MS, 10


def ride(request_id: str, start_min: float = 300) -> TripRequest:
    ends = {"pickup": Place(position=roads.STATION), "dropoff": Place(position=roads.HARBOUR)}
    return trip(request_id, start_min=start_min, **ends)


def to_appointment(request_id: str) -> TripRequest:
    at = to_instant(APPOINTMENT_MS)
    changes = {"pickup_window": None, "appointment_at": at, "service_minutes": AT_DOOR}
    ends = {"pickup": Place(position=roads.STATION), "dropoff": Place(position=roads.HARBOUR)}
    return trip(request_id, **changes, **ends)


async def offer_of(town: Town, request_id: str) -> OfferRecord:
    offer = (await town.record(request_id)).offers[-1]
    assert offer is not None
    return offer


async def by_road(town: Town, engine: Engine, units: int = 9) -> None:
    town.market.travel_of = engine.travel_of
    town.service.requests.travel_of = engine.travel_of
    await town.add_vendor(vendor(service_area=(Circle(centre=roads.CENTRE, radius_m=20_000),)), units)


async def test_the_next_batch_goes_by_the_road_and_reaches_its_appointment(
    town: Town, own: Ownership, solvers: SolverPool, osrm: roads.Server
) -> None:
    async with running("osrm", osrm.port, tile=10) as engine:
        await by_road(town, engine)
        await town.submit(ride("r1"))
        await run_batch(own, town.market, solvers)
        await until(lambda: len(engine.cache) == 1)
        await town.submit(ride("r2"), to_appointment("r3"))
        await run_batch(own, town.market, solvers)
        await town.submit(ride("r4", start_min=30))
        await match_imminent(own, town.market, ["r4"])
        hourly_s = by_hour(engine.travel_of({}), roads.STATION, roads.HARBOUR)
    answers, _ = engine.cache.look(next(iter(engine.cache)), [0], engine.now())
    first, *later = [await offer_of(town, f"r{n}") for n in range(1, 5)]
    estimate = DetourTravel.of({}).between(
        *(np.array([each]) for each in (roads.STATION, roads.HARBOUR)), [9]
    )
    assert first.distance_m == round(estimate.metres[0])
    assert {each.distance_m for each in later} == {round(answers[0].metres)} != {first.distance_m}
    assert min(hourly_s) == pytest.approx(answers[0].seconds)
    assert APPOINTMENT_MS - 30 * MINUTE_MS <= later[1].end_ms <= APPOINTMENT_MS


async def test_quotes_and_batches_go_on_while_the_server_says_nothing(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    async with silence() as port, running("osrm", port, timeout_s=3_600) as engine:
        await by_road(town, engine)
        quoter = Quoter(town.store, town.clock, {town.name: TZ}, engine.travel_of)
        assert (await quoter.quote(town.name, to_appointment("q"))).quotes
        await town.submit(ride("r1"), to_appointment("r2"), ride("r3", start_min=30))
        assert (await match_imminent(own, town.market, ["r3"])).offered == {"r3"}
        assert (await run_batch(own, town.market, solvers)).offered == {"r1", "r2"}
        assert not engine.calls, "the server has not said a word yet"
        assert engine.pairs["road"] == 0
