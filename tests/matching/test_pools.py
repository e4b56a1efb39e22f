"""Pools between the ledgers and the arrays: what work books, and what is left after it."""

from datetime import date, datetime

import numpy as np
import pytest

from contracts.codes import ServiceClass
from contracts.geo import Window
from contracts.local_day import LocalDay
from contracts.pools import Pool, Pools
from dispatcher.domain.booking import Booking
from dispatcher.matching.capacity import capacity_book, ledger_keys
from dispatcher.matching.pools import PoolBook
from dispatcher.store.ledger import EMPTY, Ledger
from dispatcher.store.pools import posted
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.planning import plan
from tests.solvers.test_starts import vendor_of
from tests.solvers.town import DAY, HORIZON, TZ, asked, supply, trip

MINUTE_MS = 60_000


def test_bookings_of_work_over_midnight_are_one_a_day_and_count_once() -> None:
    book = PoolBook({"v1": 0}, (("vans",),), supply(1), HORIZON)
    midnight = int(HORIZON.midnight_ms[1])
    bookings = book.bookings("v1", 0, midnight - 7 * 60_000, midnight + 12 * 60_000)
    assert [(each.day, each.first, each.count, each.daily) for each in bookings] == [
        ("2026-11-23", 286, 2, 1),
        ("2026-11-24", 0, 3, 0),
    ]


def test_what_work_books_is_what_is_less_afterwards() -> None:
    book = PoolBook({"v1": 0}, (("vans",),), supply(1, units=2, daily=5), HORIZON)
    start_ms = int(HORIZON.midnight_ms[1]) + 60 * MINUTE_MS
    mine = book.copy()
    mine.take(book.bookings("v1", 0, start_ms, start_ms + 12 * MINUTE_MS))
    assert np.flatnonzero(mine.supply.left[0, 0] == 1).tolist() == [288 + 12, 288 + 13, 288 + 14]
    assert mine.supply.daily_left[0, 0].tolist() == [5, 4, 5]
    assert (book.supply.left == 2).all(), "a copy counts for itself"


def test_bookings_of_what_is_not_in_view_are_passed_over() -> None:
    book = PoolBook({"v1": 0}, (("vans",),), supply(1), HORIZON)
    before = book.copy()
    days = ("2026-11-22", "2026-11-23", "2026-11-23")
    for vendor, pool, day in zip(("v1", "v9", "v1"), ("vans", "vans", "gone"), days, strict=True):
        book.take([Booking(vendor, pool, day, 0, 3, 1)])
    for name, array in before.supply.arrays().items():
        np.testing.assert_array_equal(book.supply.arrays()[name], array)


def test_what_is_posted_less_what_is_booked_is_left() -> None:
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(3,) * 24, daily_cap=7)
    postings = {("v1", "2026-11-24"): Pools(pools=(pool,)), ("gone", "2026-11-24"): Pools(pools=(pool,))}
    ledgers = {key: Ledger(posted(pool, LocalDay.of(DAY, TZ)), EMPTY) for key in ledger_keys(postings)}
    book = capacity_book({"v1": 0}, postings, ledgers, HORIZON)
    arrays = book.supply.arrays()
    assert arrays["left"][0, 0].tolist() == [0] * 288 + [3] * 288 + [0] * 288
    assert arrays["daily_left"][0, 0].tolist() == [0, 7, 0]
    assert book.resource_id(0, 0) == "vans"


@pytest.mark.parametrize("day", [date(2027, 3, 14), date(2027, 6, 2), date(2027, 11, 7)])
def test_a_ride_is_matched_at_the_clocks_hours_on_every_day_of_the_year(day: date) -> None:
    """Vans from 7:00 to 17:00 by the clock, on days of 23, 24 and 25 hours."""
    horizon, clock = Horizon.of(TZ, day, 2), LocalDay.of(day, TZ)
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(0,) * 7 + (2,) * 10 + (0,) * 7)
    postings = {("v1", day.isoformat()): Pools(pools=(pool,))}
    ledgers = {key: Ledger(posted(pool, clock), EMPTY) for key in ledger_keys(postings)}
    supply = capacity_book({"v1": 0}, postings, ledgers, horizon).supply
    times = [(6, 50), (7, 5), (16, 0), (17, 5)]
    starts = [datetime(day.year, day.month, day.day, hour, minute, tzinfo=TZ) for hour, minute in times]
    rides = [
        asked(trip(f"r{n}", pickup_window=Window(earliest=at, latest=at))) for n, at in enumerate(starts)
    ]
    screening = encode(
        rides, VendorBook.of([vendor_of()]), supply, horizon, now_ms=horizon.start_ms, values={}
    )
    assert plan(screening).chosen.request.tolist() == [1, 2]
