"""A small made-up day: some 420 rides and 80 equipment orders, twelve vendors, patients who do not exist.

A handful of requests cannot be served (critical care, a door far away, too many stairs, a rare device), so
that the day also shows what the service says when there is no vendor.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from zoneinfo import ZoneInfo

from contracts.codes import Acquisition, DoorLevel, LevelOfService, Priority, ServiceClass
from contracts.geo import Place, Position
from contracts.needs import PassengerNeeds
from contracts.offer_modes import OfferMode
from contracts.pools import Pool, Pools
from contracts.requests import EquipmentOrder, OrderLine, Request, TripRequest
from simulation.day import DATE, Day, Reach, around, at, booked, instant
from simulation.fleet import CENTRE, small_vendors
from simulation.patients import nobody

MARKET, TZ = "metro", ZoneInfo("America/New_York")
TRIPS, ORDERS = 420, 80
ADVANCE_SHARE, CANCEL_SHARE = 0.7, 0.01
COUNTER_SHARE = 0.06
WINDOW_MINUTES = 15
PROOFS = {"proof_ride_required": 1, "proof_delivery_required": 2}  # the drop-off; a delivery, and who signed
HOUR_WEIGHTS = (0, 0, 0, 0, 1, 2, 5, 9, 10, 9, 9, 8, 8, 10, 13, 10, 7, 5, 4, 3, 2, 1, 1, 0)
LEVELS = {
    LevelOfService.AMBULATORY: 55,
    LevelOfService.WHEELCHAIR: 32,
    LevelOfService.BARIATRIC_WHEELCHAIR: 4,
    LevelOfService.STRETCHER: 5,
    LevelOfService.BLS: 3,
    LevelOfService.ALS: 1,
}
DEVICES = (("E1390", 40), ("E0260", 35), ("E0431", 20), ("K0001", 15), ("E0601", 30), ("E0630", 30))


def generate(seed: int, *, trips: int = TRIPS, orders: int = ORDERS, date: dt.date = DATE) -> Day:
    """The same seed gives the same day, on whichever date."""
    rng = random.Random(seed)
    requests: list[Request] = [_trip(number, rng, date) for number in range(1, trips + 1)]
    requests += [_order(number, rng, date) for number in range(1, orders + 1)]
    requests += _impossible(date)
    vendors = small_vendors(date)
    load = max(1.0, trips / TRIPS)
    days = (date, date + dt.timedelta(days=1))
    return Day(
        name="made-up",
        market=MARKET,
        tz=TZ,
        vendors=tuple(vendor for vendor, _ in vendors),
        capacity={(vendor.id, day): _pools(pools, load) for vendor, pools in vendors for day in days},
        submissions=booked(requests, TZ, ADVANCE_SHARE, rng, date),
        cancel_share=CANCEL_SHARE,
        date=date,
        reached=tuple(Reach),
        counter_share=COUNTER_SHARE,
        proves=True,
        tuning=PROOFS,
    )


MODES = {  # what cannot wait for one vendor after the other, and what should not
    Priority.STAT: OfferMode.BROADCAST,
    Priority.ASAP: OfferMode.BROADCAST,
    Priority.URGENT: OfferMode.CASCADE,
}


def _pools(pools: dict[tuple[ServiceClass, ...], int], load: float) -> Pools:
    """Full strength from 06:00 to 20:00, a third of it (at least one unit) at other hours."""
    return Pools(
        pools=tuple(
            Pool(
                id=f"pool-{number}",
                serves=serves,
                units=tuple(
                    math.ceil(units * load) if 6 <= hour < 20 else math.ceil(units * load / 3)
                    for hour in range(24)
                ),
            )
            for number, (serves, units) in enumerate(pools.items(), 1)
        )
    )


def _trip(number: int, rng: random.Random, date: dt.date) -> TripRequest:
    level = rng.choices(list(LEVELS), weights=list(LEVELS.values()))[0]
    wanted_ms = at(TZ, 60 * rng.choices(range(24), weights=HOUR_WEIGHTS)[0] + 5 * rng.randrange(12), date)
    by_appointment = rng.random() < 0.3
    priority = rng.choices(list(Priority), weights=(90, 6, 3, 1))[0]
    return TripRequest(
        id=f"ride-{number:04d}",
        priority=priority,
        offer_mode=MODES.get(priority),
        patient=nobody(f"r{number:04d}", rng),
        pickup=Place(position=_near(rng)),
        dropoff=Place(position=_near(rng)),
        level_of_service=level,
        pickup_window=None if by_appointment else around(wanted_ms, WINDOW_MINUTES, TZ),
        appointment_at=instant(wanted_ms, TZ) if by_appointment else None,
        needs=_needs(level, rng),
        service_minutes=5 if level is LevelOfService.AMBULATORY else 10,
    )


def _needs(level: LevelOfService, rng: random.Random) -> PassengerNeeds:
    heavy = level is LevelOfService.BARIATRIC_WHEELCHAIR
    return PassengerNeeds(
        escorts=int(rng.random() < 0.2),
        oxygen_l_min=2.0 if rng.random() < 0.08 else 0.0,
        stairs=rng.choice((4, 8, 12)) if rng.random() < 0.06 else 0,
        weight_kg=rng.randint(140, 220) if heavy else None,
        door_level=rng.choices(list(DoorLevel), weights=(60, 30, 8, 2))[0],
    )


def _order(number: int, rng: random.Random, date: dt.date) -> EquipmentOrder:
    code, setup_minutes = rng.choice(DEVICES)
    wanted_ms = at(TZ, 60 * rng.choices(range(24), weights=HOUR_WEIGHTS)[0], date)
    wanted_ms = min(max(wanted_ms, at(TZ, 9 * 60, date)), at(TZ, 18 * 60, date))
    return EquipmentOrder(
        id=f"order-{number:04d}",
        patient=nobody(f"e{number:04d}", rng),
        place=Place(position=_near(rng)),
        window=around(wanted_ms, 60, TZ),
        lines=(OrderLine(hcpcs=code, acquisition=Acquisition.RENTAL, setup_minutes=setup_minutes),),
    )


def _impossible(date: dt.date) -> list[Request]:
    """Four requests that no vendor may take, each for a reason of its own."""
    noon, near = around(at(TZ, 12 * 60, date), WINDOW_MINUTES, TZ), Place(position=CENTRE)
    beyond = Place(position=(CENTRE[0] + 3.0, CENTRE[1]))
    level = LevelOfService.WHEELCHAIR
    device = (OrderLine(hcpcs="E0483"),)
    return [
        TripRequest(
            id="ride-critical-care",
            pickup=near,
            dropoff=near,
            level_of_service=LevelOfService.CCT,
            pickup_window=noon,
        ),
        TripRequest(
            id="ride-far-away", pickup=beyond, dropoff=near, level_of_service=level, pickup_window=noon
        ),
        TripRequest(
            id="ride-many-stairs",
            pickup=near,
            dropoff=near,
            level_of_service=level,
            pickup_window=noon,
            needs=PassengerNeeds(stairs=60),
        ),
        EquipmentOrder(id="order-rare-device", place=near, window=noon, lines=device),
    ]


def _near(rng: random.Random) -> Position:
    """Within about 12 km of the centre, denser in the middle."""
    radius_deg, angle = 0.11 * rng.random(), rng.uniform(0, 2 * math.pi)
    lon = CENTRE[0] + radius_deg * math.cos(angle) / math.cos(math.radians(CENTRE[1]))
    return round(lon, 6), round(CENTRE[1] + radius_deg * math.sin(angle), 6)
