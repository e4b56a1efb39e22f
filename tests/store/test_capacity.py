"""Posted capacity: versioned, and never lowered below what is booked without saying so."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import ServiceClass
from contracts.pools import Pool, Pools
from dispatcher.domain.refusals import OverBooked, Stale
from dispatcher.store import ledger
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.market import MarketStore
from tests.store.made import DAY, booking, offered, pools, received, record, released, trip

VANS = LedgerKey("v1", "vans", DAY.isoformat())


async def book(market: MarketStore, units: int) -> None:
    """Vans from 14:00 to 14:30."""
    await market.commit([received("a")], requests=[trip("a")])
    assert (await market.commit([offered(record("a"), booking(units, first=168))])).ok


async def test_a_posting_is_read_back_with_its_version(market: MarketStore) -> None:
    assert await market.capacity.get("v1", DAY) is None
    assert await market.capacity.put("v1", DAY, pools(2), expected_version=0) == 1
    assert await market.capacity.put("v1", DAY, pools(3), expected_version=1) == 2
    assert await market.capacity.get("v1", DAY) == (2, pools(3), 0)
    assert await market.capacity.get_all([DAY, DAY + timedelta(days=1)]) == {
        ("v1", DAY.isoformat()): (2, pools(3), 0)
    }


async def test_a_posting_over_another_version_is_refused(market: MarketStore) -> None:
    await market.capacity.put("v1", DAY, pools(2))
    for wrong in (0, 2):
        with pytest.raises(Stale):
            await market.capacity.put("v1", DAY, pools(9), expected_version=wrong)
    assert await market.capacity.get("v1", DAY) == (1, pools(2), 0)


async def test_capacity_below_what_is_booked_is_refused_and_each_bucket_named(market: MarketStore) -> None:
    await market.capacity.put("v1", DAY, pools(3))
    await book(market, 2)
    with pytest.raises(OverBooked) as refusal:
        await market.capacity.put("v1", DAY, pools(1))
    over = refusal.value.facts["over_booked"]
    assert [each["at"] for each in over] == ["14:00", "14:05", "14:10", "14:15", "14:20", "14:25"]
    assert over[0] == {"pool": "vans", "at": "14:00", "booked": 2, "posted": 1}
    assert "pool vans at 14:00: 2 booked, 1 posted" in refusal.value.detail
    assert (await market.capacity.get("v1", DAY)) == (1, pools(3), 0)
    assert ledger.unpack((await market.capacity.ledger([VANS]))[VANS].limit)[1] == 3


async def test_a_daily_cap_below_what_is_booked_is_refused(market: MarketStore) -> None:
    await market.capacity.put("v1", DAY, pools(3))
    await book(market, 2)
    with pytest.raises(OverBooked) as refusal:
        await market.capacity.put("v1", DAY, pools(3, daily_cap=0))
    assert refusal.value.facts["over_booked"] == [{"pool": "vans", "at": "day", "booked": 1, "posted": 0}]


async def test_capacity_may_go_down_to_what_is_booked(market: MarketStore) -> None:
    await market.capacity.put("v1", DAY, pools(3))
    await book(market, 2)
    assert await market.capacity.put("v1", DAY, pools(2, daily_cap=1)) == 2


async def test_a_pool_with_bookings_is_not_taken_away_and_without_them_is(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await market.capacity.put("v1", DAY, pools(3))
    await book(market, 2)
    with pytest.raises(OverBooked, match="pool vans at 14:00: 2 booked, 0 posted"):
        await market.capacity.put("v1", DAY, pools(3, pool_id="cars"))
    await market.commit([released(offered(record("a"), booking(2, first=168)).after)])
    await market.capacity.put("v1", DAY, pools(3, pool_id="cars"))
    assert not await raw.exists(keys.limit(*VANS), keys.used(*VANS))


async def test_every_bucket_of_the_posting_is_in_the_ledger(market: MarketStore) -> None:
    units = tuple(range(48))
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=units, daily_cap=7)
    await market.capacity.put("v1", DAY, Pools(pools=(pool,)))
    limit, used = map(ledger.unpack, (await market.capacity.ledger([VANS]))[VANS])
    assert limit[0] == 7
    assert [limit[1 + bucket] for bucket in range(288)] == [bucket // 6 for bucket in range(288)]
    assert set(limit[289:]) == {0}, "a day without a change of clocks has no 25th hour"
    assert not any(used)


async def test_old_days_go_once_nothing_is_held_on_them(market: MarketStore, raw: Redis, keys: Keys) -> None:
    await market.capacity.put("v1", DAY, pools(3))
    await market.capacity.put("v2", DAY, pools(3))
    await book(market, 2)
    assert await market.retention.forget_days(DAY) == 0
    assert await market.retention.forget_days(DAY + timedelta(days=1)) == 1
    assert await market.capacity.get("v1", DAY) is not None
    assert await market.capacity.get("v2", DAY) is None
    await market.commit([released(offered(record("a"), booking(2, first=168)).after)])
    assert await market.retention.forget_days(DAY + timedelta(days=1)) == 1
    assert not [name async for name in raw.scan_iter(match=f"{keys.prefix}[luc]*")]


@pytest.mark.parametrize(
    ("day", "first", "end", "told"),
    [
        (date(2027, 3, 14), 6 * 12, 16 * 12, "07:05"),  # 02:00 is skipped: 07:00 is the seventh hour's end
        (date(2027, 11, 7), 8 * 12, 18 * 12, "07:05"),  # 01:00 comes twice
    ],
)
async def test_a_posted_hour_is_the_clocks_hour(
    market: MarketStore, day: date, first: int, end: int, told: str
) -> None:
    """Open from 7:00 to 17:00: the ledger has its units where the clock of that day shows these hours."""
    tz, key = ZoneInfo("America/New_York"), LedgerKey("v1", "vans", day.isoformat())
    open_by_day = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(0,) * 7 + (2,) * 10 + (0,) * 7)
    await market.capacity.put("v1", day, Pools(pools=(open_by_day,)), tz=tz)
    limit = ledger.unpack((await market.capacity.ledger([key]))[key].limit)[1:]
    assert [bucket for bucket, units in enumerate(limit) if units] == list(range(first, end))
    await market.commit([received("a")], requests=[trip("a")])
    taken = replace(booking(2, first=first + 1, count=1), day=day.isoformat())
    assert (await market.commit([offered(record("a"), taken)])).ok
    with pytest.raises(OverBooked, match=f"pool vans at {told}: 2 booked, 1 posted"):
        await market.capacity.put("v1", day, Pools(pools=(replace(open_by_day, units=(1,)),)), tz=tz)


async def test_what_was_posted_by_hours_since_midnight_is_posted_again_by_the_clock(
    market: MarketStore,
) -> None:
    tz, spring = ZoneInfo("America/New_York"), date(2027, 3, 14)
    by_day = Pools(pools=(Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(0,) * 7 + (2,) * 17),))
    for day in (spring, spring + timedelta(days=1)):
        await market.capacity.put("v1", day, by_day)  # as if it had no clock that changes
    assert [await market.capacity.renew_by_clock(spring, tz) for _ in range(2)] == [1, 0]
    key = LedgerKey("v1", "vans", spring.isoformat())
    assert ledger.unpack((await market.capacity.ledger([key]))[key].limit)[72:74] == (0, 2)
    assert (await market.capacity.get("v1", spring)) == (2, by_day, 0)
