"""A version gives way to the next under load; `./run chaos --only upgrade` plays it with an earlier one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chaos import versions
from chaos.trial import Trial
from chaos.upgrade import Step, replaced
from dispatcher.runtime.own_packages import HOME


async def test_the_last_releases_wheel_gives_way_to_this_version_and_no_caller_is_refused_nothing_lost(
    short_trial: Trial,
) -> None:
    """Side by side if both know the same formats, else one after the other; then this version starts anew."""
    released = await asyncio.to_thread(versions.last_release, short_trial.folder / "versions")
    assert released.name.startswith("the wheel of")
    assert released.home != HOME
    assert versions.numbers(released.home).keys() >= {"request", "layout"}
    steps = [Step(HOME, beside=released.is_alike), Step(HOME, beside=False)]
    await replaced(short_trial, released.home, steps, ("web",))
    assert short_trial.findings == []
    assert short_trial.report.strikes == 2
    assert short_trial.report.acknowledged >= 90


def test_the_version_before_is_told_nothing_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISPATCHER_LOG_JSON", "0")
    monkeypatch.setenv("PYTHONPATH", str(HOME))
    told = versions.environment(tmp_path)
    assert told["PYTHONPATH"] == str(tmp_path)
    assert not [name for name in told if name.startswith("DISPATCHER_")]


def test_where_no_version_is_there_are_no_formats(tmp_path: Path) -> None:
    assert versions.numbers(tmp_path) == {}
