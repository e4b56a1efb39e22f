"""Room is kept for returns as they were called before: one that is called on a full day is found at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import Priority, RequestState
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.requests import Request
from contracts.tuning import Tuning
from contracts.will_call import WillCall
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import decide
from dispatcher.domain.context import Context
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.will_call import DayKind
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.matching.will_calls import foreseen, share_of_days
from dispatcher.store.keys import Keys
from tests.matching.conftest import Town
from tests.solvers.town import DAY, NOW_MS, TZ, trip, vendor

CALLED_AT = 16  # o'clock, on the days before


def will_call(name: str, day: date = DAY, until_ms: int | None = None) -> Any:
    call = WillCall(day=day, until=None if until_ms is None else to_instant(until_ms))
    return replace(trip(name), pickup_window=None, will_call=call)


async def full_day(town: Town, own: Ownership, solvers: SolverPool, share: float) -> Town:
    """One van; rides with half the afternoon to choose from, and a will-call for which nobody has called."""
    stored = town.store.market(town.name)
    await stored.tuning.put(Tuning(version=1, values={"will_call_reserve_share": share, "move_limit": 0}), 0)
    await town.store.reader.ask("HSET", Keys(town.name).calls("2026-11"), f"weekday:{CALLED_AT}", 20)
    await town.add_vendor(vendor("v1"), units=1)
    rides = [trip(f"ride{number}", start_min=210, width_min=300) for number in range(4)]
    await town.submit(*rides, will_call("back"))
    await run_batch(own, town.market, solvers)
    assert [each is not None for each in await town.vendors_of([each.id for each in rides])] == [True] * 4
    return town


async def called(town: Town, own: Ownership) -> RequestRecord:
    """It is called at four in the afternoon, and looked at once."""
    stored = town.store.market(town.name)
    town.clock.ms = NOW_MS + 4 * HOUR_MS
    context = Context(now_ms=town.clock.ms, by="platform", roles=frozenset(), tz=TZ)
    decision = decide(await town.record("back"), ActivateRequest(request_id="back"), context)
    assert decision is not None
    assert (await stored.commit([decision])).ok
    await match_imminent(own, town.market, ["back"])
    return await town.record("back")


async def test_with_room_kept_a_will_call_is_found_at_once_on_a_full_day(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    record = await called(await full_day(town, own, solvers, share=1.0), own)
    assert record.state is RequestState.OFFERED
    assert record.offers[0].start_ms <= town.clock.ms + 15 * MINUTE_MS


async def test_without_it_waits(town: Town, own: Ownership, solvers: SolverPool) -> None:
    record = await called(await full_day(town, own, solvers, share=0), own)
    assert record.state is RequestState.RECEIVED


async def test_a_call_is_matched_by_the_matcher_though_its_passenger_is_ready_in_hours_only(
    town: Town, own: Ownership
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(will_call("back"), trip("later", start_min=300))
    context = Context(now_ms=town.clock.ms, by="platform", tz=TZ)
    ready = ActivateRequest(request_id="back", ready_ms=NOW_MS + 5 * HOUR_MS)
    decision = decide(await town.record("back"), ready, context)
    assert decision is not None
    assert (await town.store.market(town.name).commit([decision])).ok
    done = await match_imminent(own, town.market, ["back", "later"])
    assert (done.offered, done.deferred) == ({"back"}, 1)
    offer = (await town.record("back")).offers[0]
    assert NOW_MS + 5 * HOUR_MS <= offer.start_ms <= NOW_MS + 6 * HOUR_MS
    assert (await town.record("back")).priority is Priority.ASAP


def expected(
    requests: list[Request],
    calls: Mapping[tuple[DayKind, int], int],
    share: float = 1.0,
    now_ms: int = NOW_MS,
) -> list[str]:
    """When they are expected, as the clock in New York has it."""
    context = Context(now_ms=NOW_MS, tz=TZ)
    records = [receive(each, context).after for each in requests]
    snapshot: Any = SimpleNamespace(now_ms=now_ms, values={})
    bodies = {each.id: each for each in requests}
    found = foreseen(share_of_days(records, share), bodies, Counter(calls), snapshot, TZ)
    return [f"{to_instant(each.earliest_ms).astimezone(TZ):%d %H:%M}" for each in found]


CALLS = {(DayKind.WEEKDAY, 14): 2, (DayKind.WEEKDAY, 16): 6, (DayKind.SUNDAY, 9): 1}
FOUR = [will_call(f"back{number}") for number in range(4)]


def test_they_are_expected_at_the_hours_at_which_calls_came_on_such_days() -> None:
    assert expected(FOUR, CALLS) == ["23 14:00", "23 16:00", "23 16:00", "23 16:00"]
    assert expected(FOUR, CALLS, now_ms=NOW_MS + 200 * MINUTE_MS) == ["23 16:00"] * 4
    assert expected(FOUR, CALLS, now_ms=NOW_MS + 250 * MINUTE_MS) == ["23 16:10"] * 4, "the hour has begun"
    assert expected(FOUR, CALLS, now_ms=NOW_MS + 300 * MINUTE_MS) == [], "they are late: nothing is known"


@pytest.mark.parametrize(("share", "number"), [(0.0, 0), (0.3, 1), (0.5, 2), (0.9, 4), (1.0, 4)])
def test_room_is_kept_for_a_share_of_them(share: float, number: int) -> None:
    assert len(expected(FOUR, CALLS, share)) == number


def test_of_days_of_which_nothing_is_known_all_days_tell_and_without_any_call_nobody_is_expected() -> None:
    saturday = [will_call("back", date(2026, 11, 28))]
    assert expected(saturday, {(DayKind.SUNDAY, 9): 1}) == ["28 09:00"]
    assert expected(saturday, {}) == []


def test_nobody_is_expected_after_they_may_call_nor_in_an_hour_that_the_clock_skips() -> None:
    early = [will_call("back", until_ms=NOW_MS + 3 * HOUR_MS)]
    assert expected(early, CALLS) == ["23 14:00"]
    spring = [will_call("back", date(2027, 3, 14))]
    assert expected(spring, {(DayKind.SUNDAY, 2): 5, (DayKind.SUNDAY, 9): 1}) == ["14 09:00"]
    autumn = [will_call("back", date(2026, 11, 29))]
    assert expected(autumn, CALLS) == ["29 09:00"]
