"""A change whose effect is known by construction is found as it is; one without effect is none."""

from __future__ import annotations

from datetime import date

from contracts.codes import ServiceClass
from contracts.pools import Pool, Pools
from contracts.what_if import AddedVendor
from dispatcher.what_if.answers import Rates
from tests.what_if.days import FAR, compared, day, figure, ride, vendor

SIX = [ride(number, 600 + 60 * number) for number in range(6)]
CHEAP_AND_DEAR = [vendor("cheap", 3_000), vendor("dear", 5_000)]


def test_without_the_cheap_vendor_all_go_to_the_dear_one_for_so_much_more() -> None:
    answer = compared(day(CHEAP_AND_DEAR, SIX), pause=("cheap",))
    assert {(each.kind, each.from_vendor, each.to_vendor, each.cents) for each in answer.rows} == {
        ("moved", "cheap", "dear", 2_000)
    }
    assert (answer.changed, answer.anyway, answer.floor) == (6, 0, 0)
    assert figure(answer, "matched") == (6, 6, "no difference")
    before, after, verdict = figure(answer, "cost_per_request")
    assert (after - before, verdict) == (2_000, "more")
    assert answer.verdict.startswith("cents a request 3,")
    vendors = {each.name: (each.before, each.after) for each in answer.groups if each.by == "vendor"}
    assert vendors == {"cheap": (6, 0), "dear": (0, 6)}


def test_the_same_work_by_another_vendor_is_the_same_outcome_and_not_noise() -> None:
    answer = compared(day([vendor("cheap", 3_000), vendor("twin", 3_000)], SIX), pause=("cheap",))
    assert (answer.changed, answer.floor) == (6, 0)
    assert (figure(answer, "moved")[2], figure(answer, "cost_per_request")[2]) == ("more", "no difference")
    assert answer.verdict.startswith(
        "the same outcome within noise, by other vendors or times: 6 fare otherwise"
    )


def test_a_setting_that_nobody_meets_is_no_difference() -> None:
    answer = compared(day(CHEAP_AND_DEAR, SIX), values={"unmatched_stat_cents": 999_999})
    assert answer.verdict == "no difference: not one request would fare otherwise"
    assert (answer.changed, answer.rows, answer.groups) == (0, (), ())
    assert {each.verdict for each in answer.figures} == {"no difference"}


def test_twice_the_units_match_twice_the_rides_of_one_moment() -> None:
    together = [ride(number, 600) for number in range(5)]
    answer = compared(day([vendor("cheap", 3_000)], together, units=1), capacity_percent=100)
    before, after, _ = figure(answer, "matched")
    assert (before, after) == (1, 2) or after == 2 * before
    assert {(each.kind, each.to_vendor) for each in answer.rows if each.kind == "gained"} == {
        ("gained", "cheap")
    }
    assert {each.reason for each in answer.rows if each.kind == "gained"} <= {"capacity", "competition"}


def test_a_vendor_that_is_added_takes_what_nobody_reached() -> None:
    rides = [ride(number, 600 + 60 * number, FAR if number % 2 else (-75.16, 39.95)) for number in range(4)]
    pools = Pools(pools=(Pool(id="cars", serves=(ServiceClass.AMBULATORY,), units=(5,)),))
    far = AddedVendor(vendor=vendor("north", 4_000, radius_m=300_000), capacity=pools)
    answer = compared(day([vendor("cheap", 3_000)], rides), add=(far,))
    assert figure(answer, "matched")[:2] == (2, 4)
    assert {(each.request_id, each.kind, each.to_vendor, each.reason) for each in answer.rows} == {
        ("ride-1", "gained", "north", "service_area"), ("ride-3", "gained", "north", "service_area")
    }  # fmt: skip


def test_without_the_rule_of_areas_nobody_is_too_far() -> None:
    rides = [ride(0, 600), ride(1, 700, FAR)]
    answer = compared(day([vendor("cheap", 3_000)], rides), rules_off=("service_area",))
    assert figure(answer, "matched")[:2] == (1, 2)
    again = compared(day([vendor("cheap", 3_000)], rides))
    assert figure(again, "matched")[:2] == (1, 1), "and afterwards the rule is there again"


def test_both_sides_meet_the_same_luck() -> None:
    unlucky = Rates(0.3, 0.1, 0.05, 0.05, 0.05, 0.3, 20.0)
    many = [ride(number, 480 + 10 * number) for number in range(40)]
    answer = compared(day(CHEAP_AND_DEAR, many), unlucky, values={"unmatched_stat_cents": 999_999})
    assert figure(answer, "declined")[0] > 0
    assert answer.changed == 0


def test_a_day_on_which_the_clock_is_put_back_is_played_by_the_clock_on_the_wall() -> None:
    on = date(2026, 11, 1)
    vendors = [vendor("cheap", 3_000, on=on), vendor("dear", 5_000, on=on)]
    rides = [ride(hour, 60 * hour + 30, on=on) for hour in (0, 1, 2, 12, 23)]
    answer = compared(day(vendors, rides, on=on), pause=("cheap",))
    assert (figure(answer, "matched")[:2], answer.changed) == ((5, 5), 5)
    hours = {each.name for each in answer.groups if each.by == "hour"}
    assert hours == {"00:00", "01:00", "02:00", "12:00", "23:00"}
