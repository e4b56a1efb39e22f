"""Hours of business are the clock's, on days that change it too, and however long the work is."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vendors import Hours, Vendor
from solvers.arrays import Ints
from solvers.capacity.pools import PoolSupply
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.rules.base import Candidate, Candidates, View
from solvers.rules.hours import RULE
from solvers.screening import Screening
from tests.contracts.test_local_day import ZONES, clock_changes
from tests.examples import examples
from tests.solvers import town

NEW_YORK = ZoneInfo("America/New_York")
MINUTE_MS = 60_000


def day_of(vendors: list[Vendor], horizon: Horizon) -> Screening:
    supply = PoolSupply.nothing(len(vendors), 1, horizon)
    book = VendorBook.of(vendors)
    return encode([town.asked(town.trip())], book, supply, horizon, now_ms=horizon.start_ms, values={})


def works(vendor: Ints, start_ms: Ints, lasts_ms: Ints) -> Candidates:
    none = np.zeros(len(vendor), np.int64)
    return Candidates(none, vendor, none, start_ms, lasts_ms, lasts_ms, none.astype(float))


def permitted(screening: Screening, vendors: list[Vendor], candidates: Candidates) -> list[bool]:
    found = []
    for row in range(len(candidates)):
        one = candidates.at(row)
        end_ms = one.start_ms + one.service_ms
        room = screening.supply.room(one.vendor, 0, 0)
        words = {"asked": town.asked(town.trip()), "vendor": vendors[one.vendor], "metres": 0.0, "room": room}
        now = {"known": {}, "now_ms": screening.now_ms, "horizon": screening.horizon, "values": {}}
        times = {"start_ms": one.start_ms, "end_ms": end_ms, "free_ms": end_ms}
        found.append(RULE.permits(Candidate(**words, **now, **times)))
    return found


def open_(opens: int, closes: int) -> Vendor:
    hours = tuple(Hours(weekday=n, opens_minute=opens, closes_minute=closes) for n in range(7))
    return town.vendor("v0", hours=hours)


@pytest.mark.parametrize(
    ("day", "opens", "closes", "start", "fold", "minutes", "ok"),
    [
        (date(2027, 3, 14), 0, 240, "01:30", 0, 90, True),  # ends at 04:00 on the clock
        (date(2027, 3, 14), 0, 240, "01:30", 0, 110, False),  # ends at 04:20, past closing
        (date(2027, 11, 7), 0, 120, "00:30", 0, 126, True),  # the second 01:36; it closes at 02:00
        (date(2027, 11, 7), 0, 120, "01:30", 1, 50, False),  # ends at 02:20
        (date(2027, 11, 7), 0, 90, "01:10", 1, 20, True),  # an hour that comes twice is open twice
        (date(2027, 11, 7), 0, 90, "01:20", 0, 60, False),  # between them it shows 01:30 and is closed
    ],
)
def test_a_vendor_works_until_its_clock_shows_closing_time(
    day: date, opens: int, closes: int, start: str, fold: int, minutes: int, ok: bool
) -> None:
    horizon, vendors = Horizon.of(NEW_YORK, day, 2), [open_(opens, closes)]
    at = datetime.fromisoformat(f"{day}T{start}").replace(tzinfo=NEW_YORK, fold=fold)
    one = works(np.zeros(1, np.int64), np.array([town.ms(at)]), np.array([minutes * MINUTE_MS]))
    day_ = day_of(vendors, horizon)
    assert RULE.mask(View(day_, slice(0, 1), "hours"), one).tolist() == [ok]
    assert permitted(day_, vendors, one) == [ok]


def test_other_hours_on_the_same_days_count_at_once() -> None:
    horizon = Horizon.of(NEW_YORK, date(2027, 3, 15), 2)
    at = np.array([town.ms(datetime(2027, 3, 15, 9, tzinfo=NEW_YORK))])
    one = works(np.zeros(1, np.int64), at, np.array([30 * MINUTE_MS]))
    found = [
        RULE.mask(View(day_of([open_(opens, 720)], horizon), slice(0, 1), "hours"), one).tolist()
        for opens in (480, 600, 480)
    ]
    assert found == [[True], [False], [True]]


@settings(max_examples=examples(15), deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    data=st.data(),
    hours=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 143), st.integers(1, 144)), max_size=9),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_mask_is_its_twin_in_every_zone_on_every_day_for_work_of_any_length(
    zone: str, data: st.DataObject, hours: list[tuple[int, int, int]], seed: int
) -> None:
    tz, rng = ZoneInfo(zone), np.random.default_rng(seed)
    day = data.draw(st.sampled_from([date(2027, 6, 2), *clock_changes(tz)]))
    horizon = Horizon.of(tz, day - timedelta(days=1), data.draw(st.sampled_from([3, 12])))
    listed = tuple(
        Hours(weekday=weekday, opens_minute=10 * a, closes_minute=10 * b) for weekday, a, b in hours if a < b
    )
    every_day = tuple(Hours(weekday=n) for n in range(7))
    vendors = [
        town.vendor(f"v{row}", hours=some) for row, some in enumerate((listed, every_day, every_day[:5], ()))
    ]
    start_ms = rng.integers(horizon.start_ms, horizon.end_ms, 24)
    lasts_ms = rng.choice([1, 30, 90, 600, 3_000, 11_000], 24) * MINUTE_MS
    candidates = works(rng.integers(0, 4, 24), start_ms, lasts_ms)
    screening = day_of(vendors, horizon)
    mask = RULE.mask(View(screening, slice(0, 1), "hours"), candidates)
    assert mask.tolist() == permitted(screening, vendors, candidates)
