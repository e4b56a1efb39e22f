"""Screening as a whole: counts, bounds, ties, chunks, and that every parameter matters."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest

from contracts.codes import CredentialKind, LevelOfService, Priority, ServiceClass
from contracts.geo import Circle, Place
from contracts.requests import OrderLine
from contracts.tuning import Parameter
from contracts.vendors import Credential, Hours, RateCard
from dispatcher.tuning.registry import Registry
from solvers import candidates as module
from solvers.assignment.greedy import greedy
from solvers.candidates import Screened, screen
from solvers.formulation import formulate
from solvers.planning import digest, plan
from solvers.posing import pose
from solvers.screening import Screening
from tests.solvers.town import CENTRE, DAY, NOW_MS, asked, order, screening, standing_at, supply, trip, vendor


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
    monkeypatch.setattr(module, "_CANDIDATES_AT_ONCE", 1)
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


def rich_day(values: Mapping[str, float]) -> Screening:
    """A day on which every parameter of rules and solvers has something to say."""
    far, near = (-74.3, 40.7), (-74.22, 40.7)
    monday = Hours(weekday=0, opens_minute=6 * 60, closes_minute=20 * 60)
    lapsed = tuple(Credential(kind=kind, expires_on=date(2026, 11, 22)) for kind in CredentialKind)
    listed = RateCard(included_miles=1, night_cents=4_500)
    vendors = [
        vendor("v1", rate_card=listed),
        vendor("v2", hours=(monday,), rate_card=listed),
        vendor("v3", credentials=lapsed),
        vendor("v4", service_area=(Circle(centre=near, radius_m=3_000),)),
        vendor("v5"),
    ]
    held = supply(5, pools=2)
    held.left[0, 0, ::7] = 0
    requests = [
        *(trip(f"p{n}", priority=each, start_min=70 + 3 * n) for n, each in enumerate(Priority)),
        trip("night", start_min=9 * 60, width_min=150),
        trip("deep", start_min=15 * 60, width_min=60),
        trip("peak", start_min=5 * 60, preferred_vendors=("v2",)),
        trip("soon", start_min=-20, width_min=120),
        trip("far", pickup=Place(position=far), dropoff=Place(position=CENTRE)),
        order("box", start_min=7.4 * 60),
        trip("closing", start_min=7.3 * 60, width_min=20),
    ]
    known = {"scorecards": {"v1": 0.5}}
    day = screening([asked(each) for each in requests], vendors, held, values, known=known)
    return standing_at(day, {0: (1, int(day.facts.earliest_ms[0]))})


def model(day: Screening) -> str:
    posed = pose(day)
    found, problem = posed.screened, posed.priced
    state = hashlib.blake2b()
    for field in fields(problem):
        state.update(np.asarray(getattr(problem, field.name)).tobytes())
    for field in fields(found.candidates):
        state.update(getattr(found.candidates, field.name).tobytes())
    return state.hexdigest()


def in_the_model() -> list[Parameter]:
    found = Registry.found(("solvers",)).parameters.values()
    return [each for each in found if each.scope.startswith(("rules.", "solvers."))]


def test_every_rule_and_solver_parameter_is_walked() -> None:
    assert {"service_area_slack_m", "bucket_minutes", "travel_detour", "unmatched_stat_cents"} <= {
        each.name for each in in_the_model()
    }


@pytest.mark.parametrize("parameter", in_the_model(), ids=lambda each: each.name)
def test_changing_a_parameter_changes_the_model(parameter: Parameter) -> None:
    usual = model(rich_day({}))
    changed = [model(rich_day({parameter.name: value})) for value in (parameter.minimum, parameter.maximum)]
    assert any(each != usual for each in changed), f"{parameter.name} leaves the model as it is"


def test_greedy_fills_capacity_and_never_over() -> None:
    day = screening([asked(trip(f"r{n}", width_min=0)) for n in range(5)], [vendor("v1"), vendor("v2")])
    choice = greedy(formulate(day, screen(day)))
    assert (choice >= 0).sum() == 4


def test_days_are_local() -> None:
    assert DAY.toordinal() == int(screening([asked(trip())], [vendor()]).horizon.ordinal[0])
