"""Starts follow from when capacity frees and vendors open: a wider window never gets a worse answer."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes import CredentialKind
from contracts.geo import Place, Window
from contracts.requests import TripRequest
from contracts.vendors import Credential, Hours, Vendor
from solvers.capacity.pools import PoolSupply
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.planning import BatchPlan, plan
from solvers.screening import CLASSES
from tests.contracts.test_local_day import clock_changes
from tests.examples import examples
from tests.solvers import town

MINUTE_MS = 60_000
PLAIN = date(2027, 6, 2)
ALL = 2 ** len(CLASSES) - 1


def vendor_of(**changes: Any) -> Vendor:
    papers = tuple(Credential(kind=kind, expires_on=date(2029, 1, 1)) for kind in CredentialKind)
    return town.vendor(credentials=papers, **changes)


def horizon_of(tz: ZoneInfo, day: date) -> Horizon:
    return Horizon.of(tz, day, 3)


def answer(
    horizon: Horizon,
    free: list[tuple[int, int]],
    window: tuple[int, int],
    *,
    ride: TripRequest | None = None,
    vendor: Vendor | None = None,
    values: dict[str, float] | None = None,
) -> BatchPlan:
    """One ride beside one van that is free from and to these minutes after the first midnight."""
    supply = PoolSupply.nothing(1, 1, horizon)
    supply.serves[:], supply.daily_left[:] = ALL, 9
    for first, end in free:
        supply.left[0, 0, first // 5 : end // 5] = 1
    ends = [datetime.fromtimestamp(horizon.start_ms / 1000 + 60 * at, town.TZ) for at in window]
    asked = replace(ride or town.trip(), pickup_window=Window(earliest=ends[0], latest=ends[1]))
    book, now_ms = VendorBook.of([vendor or vendor_of()]), horizon.start_ms - 60 * MINUTE_MS
    return plan(encode([town.asked(asked)], book, supply, horizon, now_ms=now_ms, values=values or {}))


def start_of(found: BatchPlan, horizon: Horizon) -> list[float]:
    return ((found.chosen.start_ms - horizon.start_ms) / MINUTE_MS).tolist()


@pytest.mark.parametrize(
    ("free", "window", "start"),
    [
        ([(605, 720)], (600, 614), 605),  # no step of a quarter of an hour falls into what is free
        ([(0, 480), (625, 670)], (480, 1_200), 625),  # nor one of 45 minutes: a long window has wide steps
        ([(625, 670), (730, 790)], (480, 1_200), 625),
    ],
)
def test_a_ride_starts_when_a_van_becomes_free(
    free: list[tuple[int, int]], window: tuple[int, int], start: int
) -> None:
    horizon = horizon_of(town.TZ, PLAIN)
    assert start_of(answer(horizon, free, window), horizon) == [start]


def test_a_ride_starts_when_a_vendor_opens() -> None:
    horizon = horizon_of(town.TZ, PLAIN)
    hours = tuple(Hours(weekday=n, opens_minute=607, closes_minute=680) for n in range(7))
    found = answer(horizon, [(0, 1_440)], (600, 614), vendor=vendor_of(hours=hours))
    assert start_of(found, horizon) == [607]


def test_a_ride_starts_when_a_day_with_a_cap_of_its_own_begins() -> None:
    horizon = horizon_of(town.TZ, PLAIN)
    supply = PoolSupply.nothing(1, 1, horizon)
    supply.serves[:], supply.left[:] = ALL, 1
    supply.daily_left[0, 0] = [0, 1, 0]
    at = datetime.fromtimestamp(horizon.midnight_ms[1] / 1000, town.TZ)
    window = Window(earliest=at - timedelta(minutes=8), latest=at + timedelta(minutes=3))
    asked = town.asked(replace(town.trip(), pickup_window=window))
    book = VendorBook.of([vendor_of()])
    found = plan(encode([asked], book, supply, horizon, now_ms=horizon.start_ms, values={}))
    assert found.chosen.start_ms.tolist() == [int(horizon.midnight_ms[1])]


ZONES = st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]).map(ZoneInfo)


@settings(max_examples=examples(20), deadline=None)
@given(
    tz=ZONES,
    data=st.data(),
    free=st.lists(st.tuples(st.integers(0, 400), st.integers(4, 40)), min_size=1, max_size=6),
    window=st.tuples(st.integers(0, 2_000), st.integers(0, 200)),
    wider=st.tuples(st.integers(0, 700), st.integers(0, 700)),
    hours=st.tuples(st.integers(0, 700), st.integers(701, 1_440)),
    km=st.sampled_from([0.05, 0.4]),
    bucket=st.sampled_from([5, 15]),
)
def test_widening_a_window_never_turns_a_match_into_none(
    tz: ZoneInfo,
    data: st.DataObject,
    free: list[tuple[int, int]],
    window: tuple[int, int],
    wider: tuple[int, int],
    hours: tuple[int, int],
    km: float,
    bucket: int,
) -> None:
    horizon = horizon_of(tz, data.draw(st.sampled_from([PLAIN, *clock_changes(tz)])))
    longest = int(horizon.buckets) * 5
    spans = [(5 * first, min(5 * (first + lasts), longest)) for first, lasts in free]
    earliest, latest = window[0], window[0] + window[1]
    dropoff = Place(position=(town.CENTRE[0] + km, town.CENTRE[1]))
    open_ = tuple(Hours(weekday=n, opens_minute=hours[0], closes_minute=hours[1]) for n in range(7))
    words = {
        "ride": replace(town.trip(), dropoff=dropoff),
        "vendor": vendor_of(hours=open_, out_of_area_m=200_000),
        "values": {"bucket_minutes": bucket},
    }
    short = answer(horizon, spans, (earliest, latest), **words)
    long = answer(horizon, spans, (max(0, earliest - wider[0]), latest + wider[1]), **words)
    assert len(short.chosen) <= len(long.chosen)
    np.testing.assert_array_equal(short.candidate_counts > 0, [len(short.chosen) > 0])
