"""What can wait gives way to what is asked, and makes haste when nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.runtime import pace
from dispatcher.runtime.pace import LEAST, LONGEST_S, MOST, Pace, Rate, wanted_s


class Clocks:
    """Of the wall, and of what the thread used."""

    def __init__(self) -> None:
        self.wall = self.used = 0.0

    def pass_by(self, seconds: float, busy: float) -> None:
        self.wall += seconds
        self.used += seconds * busy


def _rest_s(busy: float, took_s: float = 0.01) -> float:
    """After so much work, on a thread that was busy for so much of the second before."""
    clocks = Clocks()
    paced = Pace(lambda: clocks.wall, lambda: clocks.used)
    clocks.pass_by(0.99, busy)
    paced.begin()
    clocks.pass_by(took_s, 1.0)
    return paced.rest_s()


def test_a_thread_with_nothing_to_do_spends_half_of_its_time() -> None:
    assert _rest_s(0.0) == pytest.approx(0.01 * (1 / MOST - 1), rel=0.1)


def test_a_busy_thread_spends_little_of_it() -> None:
    assert _rest_s(1.0) == pytest.approx(0.01 * (1 / LEAST - 1))
    assert _rest_s(0.0) < _rest_s(0.3) < _rest_s(0.5) < _rest_s(1.0)


def test_nothing_waits_for_long() -> None:
    assert _rest_s(1.0, took_s=1.0) == pytest.approx(LONGEST_S)


def test_little_now_and_then_needs_no_rest_and_much_does() -> None:
    clocks = Clocks()
    paced = Pace(lambda: clocks.wall, lambda: clocks.used, credit_s=0.02)

    def rest_s(took_s: float) -> float:
        paced.begin()
        clocks.pass_by(took_s, 1.0)
        found = paced.rest_s()
        clocks.pass_by(1.0 - took_s, 1.0)
        return found

    assert [rest_s(0.015) for _ in range(4)] == [0.0] * 4
    assert rest_s(0.06) == pytest.approx(0.04 * (1 / LEAST - 1))


def test_the_busier_a_thread_is_kept_the_less_is_done_at_once() -> None:
    clocks = Clocks()
    paced = Pace(lambda: clocks.wall, lambda: clocks.used)

    def at_once(busy: float) -> float:
        paced.rest_s()
        clocks.pass_by(0.2, busy)
        return paced.begin()

    assert [at_once(each) for each in (0.0, 0.5, 1.0, 0.0)] == pytest.approx([1.0, 0.0625, LEAST / MOST, 1.0])


def test_who_needs_no_rest_does_as_much_again() -> None:
    """What the thread did since is its own: to come to its end, and to begin again."""
    clocks = Clocks()
    paced = Pace(lambda: clocks.wall, lambda: clocks.used, credit_s=1.0)
    for _ in range(3):
        assert paced.begin() == 1.0
        clocks.pass_by(0.01, busy=1.0)
        assert paced.rest_s() == 0.0
        clocks.pass_by(0.0001, busy=1.0)


def test_who_waits_for_an_answer_uses_nothing_meanwhile() -> None:
    clocks = Clocks()
    paced = Pace(lambda: clocks.wall, lambda: clocks.used)
    paced.begin()
    clocks.pass_by(1.0, 0.0)
    assert paced.rest_s() == 0.0


def test_a_burst_goes_at_once_and_what_goes_on_keeps_to_the_rate() -> None:
    clocks = Clocks()
    rate = Rate(100, 5, lambda: clocks.wall)
    assert [rate.wait_s() for _ in range(5)] == [0.0] * 5
    for _ in range(20):
        wait_s = rate.wait_s()
        assert wait_s == pytest.approx(0.01)
        clocks.pass_by(wait_s, 0.0)
    clocks.pass_by(10.0, 0.0)
    assert [rate.wait_s() > 0 for _ in range(6)] == [False] * 5 + [True]


def test_who_stands_in_line_for_a_core_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "schedstat"
    said.write_text("3000000000 1500000000 12\n")
    monkeypatch.setattr(pace, "_IN_LINE", said)
    assert wanted_s() == 4.5


@pytest.mark.parametrize("said", [None, "0 0 0\n"], ids=["no file", "a kernel without schedstats"])
def test_where_nobody_says_who_stands_in_line_it_is_what_the_thread_used(
    said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said is not None:
        (tmp_path / "schedstat").write_text(said)
    monkeypatch.setattr(pace, "_IN_LINE", tmp_path / "schedstat")
    monkeypatch.setattr(pace.time, "thread_time", lambda: 1.25)
    assert wanted_s() == 1.25
