"""What is on beside what is off: each goes first as often, and above 1 is better whatever is measured."""

from __future__ import annotations

from benchmarks import beside


def _turn(what: str, **figures: float) -> dict[str, object]:
    even = dict.fromkeys((name for name, _ in beside.FIGURES), 100.0)
    return {"what": what, "on": ["consoles"] if what == beside.WITH else [], **even, **figures}


def test_each_goes_first_as_often_as_the_other() -> None:
    assert [beside.in_turn(each)[0] for each in range(4)] == [beside.WITHOUT, beside.WITH] * 2


def test_pairs_are_compared_whichever_went_first() -> None:
    turns = [_turn("without"), _turn("with", intake_per_s=95, batch_s=200)]
    turns += [_turn("with", intake_per_s=97, batch_s=100), _turn("without", batch_s=110)]
    found = beside.compared(turns)
    assert found["turned_on"] == ["consoles"]
    assert found["intake_per_s_ratios"] == [0.95, 0.97]
    assert found["batch_s_ratios"] == [0.5, 1.1]
    assert found["imminent_ms_ratio"] == 1
    assert "intake_per_s_ratio         0.96" in beside.told(found)
