"""Rows come in the order in which their changes were heard, and how late they are is known."""

from __future__ import annotations

from dispatcher.delivery.board_pending import Pending


def test_what_changed_first_is_read_first_however_often_it_changes_again() -> None:
    waiting = Pending()
    waiting.add(["r1", "r2"], 1.0)
    waiting.add(["r3", "r1"], 2.0)
    assert (waiting.take(2), waiting.take(2), len(waiting)) == (["r1", "r2"], ["r3"], 0)


def test_it_is_as_late_as_the_first_that_waits_has_waited() -> None:
    waiting = Pending()
    assert waiting.late_s(9.0) == 0.0
    waiting.add(["r1"], 1.0)
    waiting.add(["r2", "r1"], 4.0)
    assert waiting.late_s(9.0) == 8.0
    waiting.take(1)
    assert waiting.late_s(9.0) == 5.0
