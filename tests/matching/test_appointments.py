"""An appointment is reached, on every day of the year, at every hour: never late, never too early (P13)."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.geo import Place
from contracts.instants import MINUTE_MS, to_instant
from contracts.requests import TripRequest
from dispatcher.matching.requests import asked_of
from solvers.candidates import expand
from solvers.capacity.pools import PoolSupply
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.planning import plan
from solvers.rules.arrival import RULE
from solvers.rules.base import Candidate, Candidates, View
from solvers.screening import CLASSES, OpenRequest, Screening
from tests.contracts.test_local_day import clock_changes
from tests.solvers import town
from tests.solvers.test_starts import vendor_of

BY, AT_DOOR = 30, 10


def ride_to(appointment_ms: int, km: float) -> TripRequest:
    away = Place(position=(town.CENTRE[0], town.CENTRE[1] + km / 111.195))
    return replace(
        town.trip(), dropoff=away, pickup_window=None, appointment_at=to_instant(appointment_ms),
        service_minutes=AT_DOOR,
    )  # fmt: skip


def day_of(asked: list[OpenRequest], horizon: Horizon, values: dict[str, float]) -> Screening:
    supply = PoolSupply.nothing(1, 1, horizon)
    supply.serves[:], supply.left[:], supply.daily_left[:] = 2 ** len(CLASSES) - 1, 99, 99
    book = VendorBook.of([vendor_of(out_of_area_m=200_000)])
    return encode(asked, book, supply, horizon, now_ms=horizon.start_ms, values=values)


@settings(max_examples=15, deadline=None)
@given(
    tz=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]).map(ZoneInfo),
    data=st.data(),
    rides=st.lists(st.tuples(st.integers(0, 24 * 60), st.floats(0.2, 150)), min_size=5, max_size=20),
)
def test_every_appointment_is_reached_from_half_an_hour_before_it(
    tz: ZoneInfo, data: st.DataObject, rides: list[tuple[int, float]]
) -> None:
    day = data.draw(st.sampled_from([date(2027, 6, 2), *clock_changes(tz)]))
    horizon = Horizon.of(tz, date.fromordinal(day.toordinal() - 1), 3)
    times = [int(horizon.midnight_ms[1]) + minute * MINUTE_MS for minute, _ in rides]
    asked = [asked_of(ride_to(at, km), tz, {}) for at, (_, km) in zip(times, rides, strict=True)]
    found = plan(day_of(asked, horizon, {}))
    assert found.chosen.request.tolist() == list(range(len(rides))), "each has a start"
    done_ms = found.chosen.start_ms + found.chosen.service_ms
    late_min = (done_ms - np.array(times)) / MINUTE_MS
    early_min = -late_min + AT_DOOR  # at the door, before it is passed
    assert (late_min <= 0).all()
    assert (early_min <= BY).all()


@settings(max_examples=15, deadline=None)
@given(
    at_min=st.integers(6 * 60, 40 * 60),
    minutes=st.lists(st.tuples(st.integers(-200, 60), st.integers(1, 300)), min_size=1, max_size=20),
    by=st.sampled_from([0, 10, 30, 120]),
)
def test_the_mask_of_arrival_is_its_twin(at_min: int, minutes: list[tuple[int, int]], by: int) -> None:
    horizon, values = town.HORIZON, {"arrive_by_minutes": by}
    at_ms = horizon.start_ms + at_min * MINUTE_MS
    asked = OpenRequest(request=ride_to(at_ms, 4), earliest_ms=at_ms, latest_ms=at_ms)
    screening, none = day_of([asked], horizon, values), np.zeros(len(minutes), np.int64)
    start_ms, lasts_ms = (
        at_ms * (1 - n) + np.array([each[n] for each in minutes]) * MINUTE_MS for n in (0, 1)
    )
    candidates = Candidates(none, none, none, start_ms, lasts_ms, lasts_ms, none.astype(float))
    mask = RULE.mask(View(screening, slice(0, 1), "arrival"), candidates)
    assert mask.tolist() == [
        RULE.permits(
            Candidate(
                asked=asked, vendor=vendor_of(), start_ms=start, end_ms=start + lasts, free_ms=start + lasts,
                metres=0.0, room=screening.supply.room(0, 0, 0), known={}, now_ms=0, horizon=horizon,
                values=values,
            )
        )
        for start, lasts in zip(start_ms.tolist(), lasts_ms.tolist(), strict=True)
    ]  # fmt: skip


def test_who_would_come_too_late_or_too_early_is_told_by_how_much() -> None:
    at_ms = town.NOW_MS + 5 * 3_600_000
    wide = OpenRequest(
        request=ride_to(at_ms, 4), earliest_ms=at_ms - 100 * MINUTE_MS, latest_ms=at_ms - 20 * MINUTE_MS
    )
    screening = day_of([wide], town.HORIZON, {"start_step_minutes": 5})
    view = View(screening, slice(0, 1), "arrival")
    every = expand(view, np.ones((1, 1), np.bool_))
    before = (at_ms - every.start_ms - every.service_ms) // MINUTE_MS
    short = RULE.short_by(view, every)
    assert short.tolist() == [max(0, -each, each - 20) for each in before.tolist()]
    assert (RULE.mask(view, every) == (short == 0)).all()
