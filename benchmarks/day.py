"""The parameters of a generated day, each with its source, and the three loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AMBULATORY, WHEELCHAIR, STRETCHER, EQUIPMENT = range(4)  #: levels of service, and the pools that serve them
LEVELS: Final = 4

#: Share of the day's pick-ups asked for in each hour, midnight first: a real call-taxi day of 6,002 trips.
HOURLY_SHARE: Final = (
    0.0005, 0.0005, 0.0010, 0.0012, 0.0042, 0.0045, 0.0213, 0.1200, 0.0730, 0.0465, 0.0715, 0.0973,
    0.0953, 0.0810, 0.1375, 0.1051, 0.0541, 0.0285, 0.0173, 0.0130, 0.0142, 0.0068, 0.0028, 0.0029,
)  # fmt: skip

#: (first hour, last hour, share of the vehicles): most drive by day, a few around the clock.
SHIFTS: Final = (
    (5, 14, 0.05), (6, 15, 0.18), (7, 16, 0.25), (8, 17, 0.17), (10, 19, 0.15), (12, 21, 0.12), (0, 24, 0.08),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Day:
    """What a generated day looks like; every field can be overridden by name in `generate`."""

    bucket_min: int = 15  #: length of a time bucket
    region_km: float = 18.0  #: half the side of a region of `requests_per_region` requests
    requests_per_region: int = 2000  #: more requests come from a larger region, as dense
    requests_per_place: int = 250  #: hospitals and dialysis centres, around which half of the pick-ups lie
    usual_deadhead_km: float = 5.0  #: on the way to a pick-up, for the size of the fleets
    peak_use: float = 0.85  #: demand over capacity in the tightest bucket, per level of service
    reach: int = 10  #: nearest capable vendors that are asked
    most_columns: int = 110  #: candidates a request keeps at most
    vehicles_per_vendor: float = 7.5  #: a vendor has 7-8 vehicles
    vendor_size_spread: float = 0.5  #: sigma of the vendors' log-normal sizes
    level_share: tuple[float, ...] = (0.50, 0.33, 0.05, 0.12)  #: ambulatory, wheelchair, stretcher, equipment
    vendor_offers: tuple[float, ...] = (0.90, 0.75, 0.30, 0.35)  #: share of vendors serving each of them
    distance_km: tuple[float, float] = (4.3, 0.96)  #: median and log sigma: p10/p50/p90 = 1.2/4.3/14.1
    detour: float = 1.35  #: road over straight line
    speed_kmh: float = 26.0  #: off peak
    peak_speed_kmh: float = 19.0  #: 7-9 and 14-17 h
    service_min: tuple[float, ...] = (8.0, 14.0, 30.0, 55.0)  #: getting in and out, or set-up, per level
    window_min: tuple[int, int] = (15, 15)  #: pick-up window before and after: -/+15
    loose_share: float = 0.30  #: requests with the paratransit window
    loose_window_min: tuple[int, int] = (10, 30)  #: paratransit: -10/+30
    equipment_window_min: int = 120  #: equipment delivery: 2 h
    base_price_cents: tuple[int, ...] = (3500, 4500, 22200, 6500)  #: rate card up to the included miles
    included_miles: float = 15.0
    mile_cents: int = 150
    night_cents: int = 4500  #: 20-6 h
    weekend_cents: int = 2250
    weekend: bool = False
    out_of_area_cents: int = 2500
    area_km: float = 9.0  #: radius of a vendor's own area
    vendor_rate: tuple[float, float] = (0.85, 1.20)  #: a vendor's prices over the rate card
    deadhead_cents_per_km: float = 60.0
    early_late_cents_per_min: float = 25.0  #: off the time asked for
    scorecard_cents: int = 600  #: worst scorecard, against 0 for the best
    upgrade_vendors: int = 3  #: nearest vendors that would send a wheelchair van to an ambulatory rider
    upgrade_cents: int = 900  #: an ambulatory rider in a wheelchair van
    two_units: tuple[float, ...] = (0.0, 0.03, 0.20, 0.15)  #: share that needs a second crew, per level
    vendor_two_units: tuple[float, ...] = (0.0, 0.0, 0.15, 0.10)  #: vendors that always send two crews
    priority_share: tuple[float, ...] = (0.70, 0.22, 0.08)  #: routine, soon, urgent
    priority_penalty: tuple[float, ...] = (4.0, 8.0, 16.0)  #: penalty over the rate-card price
    penalty_base_cents: int = 10_000
    tight_cap_share: float = 0.20  #: vendors with a low daily cap
    cap_per_vehicle: tuple[int, int] = (16, 9)  #: requests a day: usual, tight
    target_share: float = 0.30  #: vendors with a fair-share target
    target_of_even: float = 0.6  #: that target over an even share by size
    shortfall_cents: int = 1500  #: each request short of a target
    pair_share: float = 0.02  #: precedence pairs over requests
    sequence_share: float = 0.0  #: requests in sequences of two or three, oxygen before the ride
    sequence_lag_min: tuple[int, ...] = (0, 15, 30, 60)  #: least between the end and the next start
    sequence_play_min: tuple[int, ...] = (60, 120, 240, 0)  #: beyond that at the most; 0: no limit
    bundle_share: float = (
        0.0  #: requests matched all or none, two or three at a time, half of them in sequence
    )
    pair_lag_min: tuple[int, ...] = (0, 15, 30, 60)  #: rest between the first's end and the second's start


LOADS: Final = {
    "normal": Day(),
    "overloaded": Day(peak_use=1.33),
    "dense": Day(peak_use=0.95, reach=22, window_min=(30, 30), loose_share=0.0),
}
