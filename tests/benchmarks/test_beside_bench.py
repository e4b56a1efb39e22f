"""What is on beside what is off: each goes first as often, and above 1 is better whatever is measured."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks import beside
from benchmarks.beside_turn import Turn
from dispatcher.runtime.errors import UserError


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


async def test_a_turn_whose_what_ifs_are_refused_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be measured with nothing beside it."""

    async def refused(*words: Any, **more: Any) -> None:
        raise UserError("POST /what-if was answered 429.")

    monkeypatch.setattr(Turn, "_ask", refused)
    with pytest.raises(UserError, match="429"):
        async with object.__new__(Turn)._wonders():
            await asyncio.sleep(0)
