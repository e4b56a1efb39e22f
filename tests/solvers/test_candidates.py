"""Screening as a whole: counts, bounds, ties, chunks."""

from dataclasses import fields, replace

import numpy as np
import pytest

from contracts.codes import LevelOfService, ServiceClass
from contracts.geo import Circle
from contracts.requests import OrderLine
from contracts.vendors import Hours, RateCard
from solvers import candidates as module
from solvers.assignment.greedy import greedy
from solvers.candidates import Screened, screen
from solvers.formulation import formulate
from solvers.planning import digest, plan
from tests.solvers.rich_day import rich_day
from tests.solvers.town import DAY, NOW_MS, asked, order, screening, supply, trip, vendor


def removed(found: Screened, request: int = 0) -> dict[str, int]:
    counts = zip(found.codes, found.removed[request].tolist(), strict=True)
    return {code: count for code, count in counts if count}


def test_each_vendor_is_counted_once_under_the_rule_that_removed_it_first() -> None:
    vendors = [
        vendor("v1", paused=True, levels_of_service=()),
        vendor("v2", levels_of_service=(LevelOfService.AMBULATORY,)),
        vendor("v3", service_area=(Circle(centre=(-75.0, 41.5), radius_m=5_000),)),
        vendor("v4", credentials=()),
        vendor("v5", hours=(Hours(weekday=5),)),
        vendor("v6"),
    ]
    held = supply(6)
    held.left[5] = 0
    found = screen(screening([asked(trip())], vendors, held))
    assert removed(found) == {
        "paused": 1,
        "level_of_service": 1,
        "service_area": 1,
        "credentials": 1,
        "hours": 1,
        "capacity": 1,
    }
    assert found.last_rule(0) == "capacity"


def test_a_vendor_without_a_pool_for_the_class_is_removed_by_pools() -> None:
    held = supply(1, serves=(ServiceClass.EQUIPMENT,))
    found = screen(screening([asked(trip()), asked(order())], [vendor()], held))
    assert removed(found, 0) == {"pools": 1}
    assert removed(found, 1) == {}


def test_a_window_that_has_gone_by_removes_every_vendor() -> None:
    found = screen(screening([asked(trip(start_min=-60))], [vendor("v1"), vendor("v2")]))
    assert removed(found) == {"time_window": 2}


def test_starts_lie_in_the_window_both_ends_included() -> None:
    found = screen(screening([asked(trip(start_min=60, width_min=30))], [vendor()]))
    starts = sorted({(each - NOW_MS) // 60_000 for each in found.candidates.start_ms.tolist()})
    assert starts == [60, 75, 90]


def test_an_open_window_starts_after_the_notice() -> None:
    found = screen(screening([asked(trip(start_min=-10))], [vendor()]))
    assert min(found.candidates.start_ms.tolist()) == NOW_MS + 5 * 60_000


def test_candidates_are_bounded_and_every_vendor_keeps_its_best() -> None:
    vendors = [vendor(f"v{n:02}") for n in range(10)]
    found = screen(screening([asked(trip())], vendors, values={"most_candidates": 12}))
    assert len(found.candidates) == 12
    assert len(set(found.candidates.vendor.tolist())) == 10


def test_equal_vendors_take_turns() -> None:
    """With fewer candidates than vendors, ties must not always leave out the same ones."""
    vendors = [vendor(f"v{n:02}") for n in range(10)]
    day = screening([asked(trip(f"r{n}")) for n in range(60)], vendors, values={"most_candidates": 2})
    assert len(set(screen(day).candidates.vendor.tolist())) == 10


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    day = rich_day({})
    whole = screen(day)
    for name in ("_CANDIDATES_IN_CACHE", "_MOST_CANDIDATES_AT_ONCE"):
        monkeypatch.setattr(module, name, 1)
    parts = screen(day)
    for field in fields(whole.candidates):
        one, other = getattr(whole.candidates, field.name), getattr(parts.candidates, field.name)
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(whole.cents, parts.cents)
    np.testing.assert_array_equal(whole.removed, parts.removed)


def test_use_is_rounded_outward_and_capacity_is_the_least_of_a_bucket() -> None:
    held = supply(1, units=3)
    first = 13 * 12  # 13:00 in ledger buckets
    held.left[0, 0, first + 1] = 1
    day = screening([asked(trip(start_min=62, width_min=0))], [vendor()], held, {"bucket_minutes": 15})
    problem = formulate(day, screen(day))
    assert problem.capacity[0, 0, 0] == 1  # 13:00 to 13:15 holds the tight five minutes
    assert problem.column_start.tolist() == [0]
    taken_min = int(screen(day).candidates.taken_ms[0]) // 60_000
    assert problem.column_duration[0] * 15 >= taken_min + 2


def test_any_match_beats_none_whatever_it_costs() -> None:
    dear = order("e1", OrderLine(hcpcs="E1390", quantity=100))
    found = plan(screening([asked(dear)], [vendor()]))
    assert len(found.chosen) == 1


def test_work_over_midnight_takes_both_days() -> None:
    day = screening([asked(trip(start_min=11.8 * 60, width_min=0))], [vendor()])
    found = screen(day)
    assert len(found.candidates) == 1
    day.supply.left[0, 0, 288] = 0  # the first bucket of the next day
    assert removed(screen(day)) == {"capacity": 1}


def test_the_plan_says_who_came_next() -> None:
    vendors = [vendor(f"v{n}", rate_card=RateCard(delivery_cents=3_000 + n)) for n in range(6)]
    found = plan(screening([asked(order())], vendors))
    assert found.chosen.vendor.tolist() == [0]
    assert found.next_best[0, :, 0].tolist() == [1, 2, 3]


def test_nothing_asked_and_nobody_there_are_no_errors() -> None:
    assert len(plan(screening([], [vendor()])).chosen) == 0
    empty = plan(screening([asked(trip())], [], supply(0)))
    assert len(empty.chosen) == 0
    assert empty.removed.sum() == 0


def test_the_digest_names_everything_the_plan_was_made_from() -> None:
    day = rich_day({})
    assert digest(day) == digest(rich_day({}))
    assert digest(day) != digest(rich_day({"scorecard_cents": 7}))
    assert digest(day) != digest(replace(day, now_ms=day.now_ms + 1))
    assert digest(day) != digest(replace(day, standing=None))


def test_greedy_fills_capacity_and_never_over() -> None:
    day = screening([asked(trip(f"r{n}", width_min=0)) for n in range(5)], [vendor("v1"), vendor("v2")])
    choice = greedy(formulate(day, screen(day)))
    assert (choice >= 0).sum() == 4


def test_days_are_local() -> None:
    assert DAY.toordinal() == int(screening([asked(trip())], [vendor()]).horizon.ordinal[0])
