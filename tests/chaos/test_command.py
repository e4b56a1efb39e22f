"""`dispatcher chaos`: plays what it is asked to, says what it found, and exits 1 then."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from chaos import scenarios
from chaos.scenarios import SCENARIOS, Scenario
from chaos.trial import Trial
from dispatcher.cli import main


def test_it_plays_what_it_is_asked_to_and_prints_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chaos", "--rounds", "2", "--only", "kill-store,fail-over", "--json", "-"]) == 0
    printed = capsys.readouterr()
    kills, fail_over = json.loads(printed.out)
    assert (kills["scenario"], kills["rounds"], kills["strikes"]) == ("kill-store", 2, 2)
    assert kills["acknowledged"] > 0
    assert (kills["lost"], kills["double_booked"], kills["findings"]) == (0, 0, [])
    assert kills["longest_recovery_s"] > 0
    assert (fail_over["scenario"], fail_over["rounds"]) == ("fail-over", 1), "one in four: it takes longer"
    assert "kill-store  2 rounds" in printed.err


async def finds(trial: Trial) -> None:
    """Finds what is not so."""
    trial.report.about = "played with one request"
    lost = {"rule": "lost", "subject": "r1", "detail": "was acknowledged and is not stored"}
    trial.judged({"market": "metro", "findings": [lost]}, ["r1"])
    trial.over()


async def ends(trial: Trial) -> None:
    """Does not get far."""
    raise ExceptionGroup("several", [RuntimeError("this went wrong")])


def test_what_was_found_is_told_and_the_next_scenario_is_played_still(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what was found leaves its folder
    monkeypatch.setattr(scenarios, "SCENARIOS", {"ends": Scenario(ends), "finds": Scenario(finds)})
    assert main(["chaos", "--rounds", "1"]) == 1
    told = capsys.readouterr().out
    assert "ends: ended in round 1: RuntimeError this went wrong (test_command.py:" in told
    assert "finds: played with one request\n" in told
    assert "finds: metro: lost: r1 was acknowledged and is not stored" in told


def test_a_scenario_that_is_none_is_refused_and_the_known_ones_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["chaos", "--only", "kill-stor"]) == 2
    assert "there is no scenario 'kill-stor'" in (told := capsys.readouterr().err)
    assert "kill-store" in told
    assert main(["chaos", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in SCENARIOS)


def test_a_wheel_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chaos", "--wheel", __file__]) == 2
    assert f"--wheel {__file__} is no wheel." in capsys.readouterr().err
