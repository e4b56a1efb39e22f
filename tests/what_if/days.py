"""Small days whose outcome is known by construction: everybody accepts, and is on time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from contracts.codes import LevelOfService, ServiceClass
from contracts.geo import Circle, Place, Position, Window
from contracts.instants import MINUTE_MS
from contracts.pools import Pool, Pools
from contracts.requests import TripRequest
from contracts.vendors import BaseFare, ExplicitAnswer, RateCard, Vendor
from contracts.what_if import WhatIfAnswer, WhatIfChange
from dispatcher.what_if.answers import AsRecorded, Rates
from dispatcher.what_if.days import DayAsked, compare_day
from simulation.day import DATE, Day, Submission, at, instant
from simulation.licences import valid_credentials

TZ = ZoneInfo("America/New_York")
HERE: Position = (-75.16, 39.95)
FAR: Position = (-75.16, 40.95)  # some 111 km to the north
RELIABLE = Rates(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 20.0)
RIDE = (LevelOfService.AMBULATORY,)


def vendor(name: str, cents: int, radius_m: int = 30_000, on: dt.date = DATE) -> Vendor:
    """One around HERE, who asks so much for a ride."""
    return Vendor(
        id=name,
        name=name,
        levels_of_service=RIDE,
        service_area=(Circle(centre=HERE, radius_m=radius_m),),
        rate_card=RateCard(fares=(BaseFare(level_of_service=RIDE[0], base_cents=cents),)),
        credentials=valid_credentials(date=on),
        answer=ExplicitAnswer(time_limit_s=900),
    )


def ride(number: int, minute: int, door: Position = HERE, on: dt.date = DATE) -> TripRequest:
    """A short ride at a minute of the day, within a quarter of an hour before or after."""
    wanted_ms, span_ms = at(TZ, minute, on), 15 * MINUTE_MS
    window = Window(earliest=instant(wanted_ms - span_ms, TZ), latest=instant(wanted_ms + span_ms, TZ))
    return TripRequest(
        id=f"ride-{number}",
        pickup=Place(position=door),
        dropoff=Place(position=(door[0] + 0.01, door[1])),
        level_of_service=RIDE[0],
        pickup_window=window,
        service_minutes=5,
    )  # fmt: skip


def day(vendors: Sequence[Vendor], rides: Sequence[TripRequest], units: int = 10, on: dt.date = DATE) -> Day:
    """Everything is asked for the evening before."""
    pools = Pools(pools=(Pool(id="cars", serves=(ServiceClass.AMBULATORY,), units=(units,)),))
    return Day(
        name="small",
        market="small",
        tz=TZ,
        vendors=tuple(vendors),
        capacity={(each.id, on): pools for each in vendors},
        submissions=(Submission(at(TZ, -180, on), tuple(rides)),),
        date=on,
    )


def compared(played: Day, rates: Rates = RELIABLE, /, **change: object) -> WhatIfAnswer:
    """What a change does to it."""
    asked = DayAsked(played, WhatIfChange(**change), AsRecorded(1, {}, rates), steps=20_000)  # type: ignore[arg-type]
    return compare_day(asked)


def figure(answer: WhatIfAnswer, name: str) -> tuple[float, float, str]:
    """Before, after, and the verdict."""
    return next((each.before, each.after, each.verdict) for each in answer.figures if each.name == name)
