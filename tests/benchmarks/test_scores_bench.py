"""Thirty days of scores, short: who had ten bad days comes back, and declining hard rides does not pay."""

from __future__ import annotations

from benchmarks import scores_floor, scores_waits
from benchmarks.scores import floor_holds, holds
from benchmarks.scores_played import play

REQUESTS = 40


def test_who_had_ten_bad_days_comes_back_and_to_decline_hard_rides_does_not_pay() -> None:
    damped = play("damped", requests=REQUESTS).figures(play("damped", requests=REQUESTS, bad=0))
    assert damped["slump_share_bad"] < 0.5 * damped["slump_share_before"]
    assert holds(damped), damped


def test_by_the_share_of_two_months_nobody_came_back_and_an_excuse_paid() -> None:
    peer = play("undamped", requests=REQUESTS)
    figures = peer.figures(peer)
    assert figures["slump_share_at_end"] < 0.5 * figures["slump_share_before"]
    assert figures["excused_over_honest"] > 1.0


def test_the_same_seed_plays_the_same_days() -> None:
    one, other = (play("damped", 7, days=1, requests=4) for _ in range(2))
    assert (one.offers, one.earned, one.counted) == (other.offers, other.earned, other.counted)


def test_with_the_floor_no_group_goes_unmatched_much_more_than_the_other() -> None:
    without, with_it = (scores_floor.play(floor=each, days=14) for each in (False, True))
    assert without["gap"] > 0.5
    assert floor_holds(with_it), with_it


def test_with_the_floor_no_group_waits_much_longer_than_the_other() -> None:
    without, with_it = (scores_waits.play(floor=each, seed=3, days=10, requests=24) for each in (False, True))
    assert not floor_holds(without), without
    assert floor_holds(with_it), with_it
