"""A store that is away is told once a minute and market, whoever waits for it, and once when it is back."""

from __future__ import annotations

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.store.waits import Waits

AWAY = Unavailable("the store gave no answer (Connection refused)\nMaybe ask again.")


class Wall:
    """Real seconds, as the test sets them."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_it_is_told_once_a_minute_and_market_and_once_when_it_is_over() -> None:
    clock = Wall()
    waits = Waits(clock)
    with structlog.testing.capture_logs() as lines:
        for clock.now_s in (1_000.0, 1_000.5, 1_059.5, 1_060.0, 1_100.0):
            for loop in ("timers of request", "timers of task", "replies"):
                waits.begin("metro", loop, AWAY)
        waits.begin("coast", "replies", AWAY)
        waits.end("metro", "timers of request")
        waits.end("metro", "replies")
        assert [each["event"] for each in lines] == ["waits_for_store"] * 3, "one loop of metro waits on"
        waits.end("metro", "timers of task")
        waits.end("metro", "timers of task")
    reason = "the store gave no answer (Connection refused)"
    first, second, coast, over = lines
    assert first == second
    assert (first["market"], first["loop"], first["reason"]) == ("metro", "timers of request", reason)
    assert coast["market"] == "coast"
    assert (over["event"], over["market"], over["waited_s"]) == ("store_answers", "metro", 100.0)


def test_a_store_that_comes_and_goes_fills_no_log() -> None:
    clock = Wall()
    waits = Waits(clock)
    with structlog.testing.capture_logs() as lines:
        for clock.now_s in range(120):
            waits.begin("metro", "replies", AWAY)
            waits.end("metro", "replies")
    assert [each["event"] for each in lines] == ["waits_for_store", "store_answers"] * 2
