"""Two outcomes compared: the diff by request, figures beyond their noise, and what bounds allow to say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.compare import Asked, Kind, Side, diff, figures, proven
from solvers.compare.figures import LESS, MORE, SAME

HOUR_MS, R = 3_600_000, 400


def asked() -> Asked:
    """Requests of one hour."""
    none = np.zeros(R, np.int64)
    return Asked(none, none + HOUR_MS, none > 0, {})


def side(vendor: object, start_ms: object = 0, late: object = 0) -> Side:
    """Everybody with a vendor costs a thousand cents."""
    rows = np.broadcast_to(np.asarray(vendor, np.int64), R).copy()
    starts = np.broadcast_to(np.asarray(start_ms, np.int64), R).copy()
    lateness = np.broadcast_to(np.asarray(late, np.int64), R).copy()
    cents, none = np.where(rows >= 0, 1_000, 0), np.zeros(R, np.int64)
    return Side(
        rows, starts, cents, np.stack([cents, none], axis=1), none, lateness, ["capacity"] * R,
        np.full(3, 100), np.full(3, 50), 600,
    )  # fmt: skip


def flipped(rows: range, to: int = -1) -> Side:
    """As if these alone had another vendor, or none."""
    vendor = np.zeros(R, np.int64)
    vendor[list(rows)] = to
    return side(vendor)


def verdict(before: Side, again: Side, after: Side, name: str) -> str:
    return next(each.verdict for each in figures(asked(), before, again, after) if each.name == name)


def test_the_diff_names_who_moves_gains_and_loses_with_cents_and_minutes() -> None:
    before, after = side([0] * 200 + [-1] * 200), side([1] * 100 + [-1] * 100 + [0] * 200, 120_000)
    found = diff(asked(), before, after, ("price", "distance"))
    assert [found.count(each) for each in Kind] == [0, 100, 200, 100]
    assert found.minutes[:100].tolist() == [2] * 100
    assert {found.reason[0], found.reason[150], found.reason[300]} == {"others", "capacity"}


def test_a_difference_within_what_another_seed_does_is_none() -> None:
    before = flipped(range(0))
    assert verdict(before, flipped(range(10)), flipped(range(5, 15)), "matched") == SAME
    assert verdict(before, flipped(range(10)), flipped(range(60)), "matched") == LESS


def test_noise_that_cancels_out_in_the_sum_is_still_noise() -> None:
    """Ten lost and ten gained by chance: the sum is the same, and one of five less tells nothing."""
    before, again = flipped(range(10)), flipped(range(10, 20))
    assert verdict(before, again, flipped(range(15)), "matched") == SAME
    assert verdict(before, again, flipped(range(30)), "matched") == LESS


def test_without_any_noise_the_smallest_difference_counts() -> None:
    assert verdict(flipped(range(0)), flipped(range(0)), flipped(range(1)), "matched") == LESS


def test_where_outcomes_are_drawn_some_more_and_some_less_is_luck() -> None:
    """Those who move draw anew: twelve late ones less and ten more are no difference, thirty less are one."""
    before = side(0, late=[20] * 12 + [0] * (R - 12))
    luck = side(1, late=[0] * 12 + [20] * 10 + [0] * (R - 22))
    found = {each.name: each for each in figures(asked(), before, before, luck, drawn=True)}
    assert (found["late"].before, found["late"].after, found["late"].verdict) == (12, 10, SAME)
    plain = {each.name: each for each in figures(asked(), before, before, luck)}
    assert plain["late"].verdict == LESS, "what is not drawn differs by no luck"
    many, none = side(0, late=[20] * 30 + [0] * (R - 30)), side(1)
    assert {each.name: each.verdict for each in figures(asked(), many, many, none, drawn=True)}[
        "late"
    ] == LESS


def test_less_posted_is_less_slack_and_more_use_even_if_nobody_fares_otherwise() -> None:
    before = flipped(range(0))
    less = replace(before, posted=np.full(3, 80), slack=480)
    found = {each.name: each.verdict for each in figures(asked(), before, before, less)}
    assert (found["slack_two_hours"], found["use_p50"]) == (LESS, MORE)
    assert {found[each] for each in ("matched", "moved", "largest_share")} == {SAME}
    assert verdict(before, before, replace(before, slack=480), "slack_two_hours") == SAME


def test_what_the_machine_measures_is_never_judged() -> None:
    assert verdict(flipped(range(0)), flipped(range(0)), flipped(range(90)), "solve_ms") == SAME


def test_bounds_that_overlap_prove_nothing() -> None:
    assert proven((1_000, 900), (950, 940)).verdict == "no difference proven"
    assert proven((1_000, 900), (899, 800)).verdict == "cheaper"
    assert proven((1_000, 900), (1_100, 1_001)).verdict == "dearer"
    assert proven((1_000, 1_000), (1_000, 1_000)).verdict == "no difference proven"
