"""`dispatcher what-if`: a change in; an answer for people, JSON and CSV out; what is amiss, named."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec
import pytest

from contracts.what_if import WhatIfAnswer
from dispatcher.cli import main
from simulation import small
from tests.what_if.days import day, ride, vendor

WORDS = ["what-if", "--workers", "1", "--episodes", "0"]


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up day is two vendors and three rides."""
    rides = [ride(number, 600 + 60 * number) for number in range(3)]
    made = day([vendor("cheap", 3_000), vendor("dear", 5_000)], rides)
    monkeypatch.setattr(small, "generate", lambda seed, date: made)


def test_the_answer_is_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "answer.json"
    assert main([*WORDS, "--pause", "cheap", "--json", str(file), "--csv", "-"]) == 0
    out, shown = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    answer = msgspec.json.decode(file.read_bytes(), type=WhatIfAnswer)
    assert len(rows) == len(answer.rows) == answer.changed
    assert {(each["from_vendor"], each["to_vendor"]) for each in rows} == {("cheap", "dear")}
    assert answer.verdict in shown.replace("\n", " ")
    assert "who loses" in shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--pause", "nobody"], "there is no vendor nobody"),
        (["--set", "no_such=1"], "no_such is no parameter"),
        (["--set", "price_wieght=1"], "Maybe you meant: price_weight docs/tuning.md lists all"),
        (["--set", "nope=1"], "nope is no parameter. docs/tuning.md lists all"),
        (["--set", "price_weight"], "'price_weight' is no name=value with a number"),
        (["--set", "price_weight=nan"], "'price_weight=nan' is no name=value"),
        (["--rule-off", "capacity"], "capacity is no rule that may be off"),
        (["--capacity", "-101"], "'-101' is no whole number from -100 to 400"),
    ],
)
def test_what_is_amiss_is_named(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, *words]) == 2
    assert why in capsys.readouterr().err.replace("\n", " ")
