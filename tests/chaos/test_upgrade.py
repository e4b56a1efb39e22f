"""A version gives way to the next under load; `./run chaos --only upgrade` plays it with an earlier one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos import versions
from chaos.trial import Trial
from chaos.upgrade import replaced
from dispatcher.runtime.own_packages import HOME
from dispatcher.store import formats


async def test_a_web_process_gives_way_to_another_and_no_caller_is_refused_nothing_lost(
    short_trial: Trial,
) -> None:
    await replaced(short_trial, [HOME, HOME], ("web",))
    assert short_trial.findings == []
    assert short_trial.report.strikes == 1
    assert short_trial.report.acknowledged >= 60


def test_the_version_before_is_told_nothing_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISPATCHER_LOG_JSON", "0")
    monkeypatch.setenv("PYTHONPATH", str(HOME))
    told = versions.environment(tmp_path)
    assert told["PYTHONPATH"] == str(tmp_path)
    assert not [name for name in told if name.startswith("DISPATCHER_")]


def test_versions_are_alike_by_the_formats_that_they_know(tmp_path: Path) -> None:
    assert versions.numbers(tmp_path) == {}, "there is no version"
    assert json.loads(json.dumps(formats.known())) == versions.numbers(HOME)
