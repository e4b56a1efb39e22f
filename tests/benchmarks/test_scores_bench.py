"""Thirty days of scores, short: who had ten bad days comes back, and declining hard rides does not pay."""

from __future__ import annotations

from benchmarks.scores import NEAR, holds
from benchmarks.scores_played import Figures, play

REQUESTS = 40


def played(way: str) -> Figures:
    return play(way, requests=REQUESTS).figures(play(way, requests=REQUESTS, bad=0))


def test_who_had_ten_bad_days_comes_back_and_to_decline_hard_rides_does_not_pay() -> None:
    damped = played("damped")
    assert damped["slump_share_bad"] < 0.5 * damped["slump_share_before"]
    assert holds(damped), damped


def test_by_the_share_of_two_months_nobody_came_back_and_an_excuse_paid() -> None:
    peer = played("undamped")
    assert peer["slump_came_back"] < 1 - NEAR
    assert peer["excused_over_honest"] > 1.0


def test_the_same_seed_plays_the_same_days() -> None:
    one, other = (play("damped", 7, days=1, requests=10) for _ in range(2))
    assert (one.offers, one.earned, one.counted) == (other.offers, other.earned, other.counted)
