"""Imminent rides by the clock: what was not heard is lost; a turn is compared by rate and side."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import imminent
from benchmarks.imminent_load import Told
from benchmarks.roles import below_s
from dispatcher.runtime.errors import UserError

OURS = "[each for each in os.environ if each.startswith('DISPATCHER_')]"  # what an older one may not know


def _told(waits_ms: list[float], *, sent: int) -> Told:
    told = Told(sent_s={f"now-{each}": float(each) for each in range(sent)}, late_ms=[0.0] * sent)
    told.waits_ms = {f"now-{each}": wait for each, wait in enumerate(waits_ms)}
    return told


def test_a_ride_without_a_match_is_lost_and_the_first_seconds_are_told_apart() -> None:
    found = imminent.figures_of(_told([90.0, 20.0, 5.0, 7.0], sent=5), 50, {"matcher": 0.05, "web": 0.01})
    assert (found["rides"], found["lost"]) == (5, 1)
    assert (found["p50_ms"], found["p99_ms"], found["first_p99_ms"]) == (20.0, 90.0, 90.0)
    assert (found["matcher_cpu_ms_a_ride"], found["web_cpu_ms_a_ride"]) == (10.0, 2.0)
    assert imminent.figures_of(_told([5.0] * 100, sent=100), 50, {})["first_p99_ms"] == 5.0


def test_turns_are_compared_by_side_rate_and_case() -> None:
    turns = [{"of": of, "rate": rate, "case": case, "lost": 0, "p50_ms": p50} for of, rate, case, p50 in (
        ("here", 50, "alone", 5.0), ("beside", 50, "alone", 9.0), ("here", 50, "alone", 7.0),
        ("here", 50, "batch", 4.0), ("here", 100, "alone", 8.0),
    )]  # fmt: skip
    found = imminent.compared(turns, [50, 100])
    assert found["here_50_alone"] == {"lost": 0, "p50_ms": 6.0}
    assert found["beside_50_alone"]["p50_ms"] == 9.0
    assert found["here_50_batch"]["p50_ms"] == 4.0
    assert "beside_100_alone" not in found
    assert "here_100_alone" in imminent.told(found)


@pytest.mark.parametrize("text", ["0", "-5", "50,50", "5,,6", "", "1000000", "5.5"])
def test_rates_that_cannot_be_played_are_refused_at_once(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"whole number from 1|twice"):
        imminent.rates_of(text)


@pytest.mark.parametrize("text", ["", "night", "batch,batch", "batch,"])
def test_cases_that_there_are_not_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="none of alone, batch, changes, or names one twice"):
        imminent.cases_of(text)


def test_what_is_no_checkout_is_refused_instead_of_measuring_our_own_code(tmp_path: Path) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no checkout"):
        imminent.checkout(str(tmp_path))
    _main_of(tmp_path, "")
    with pytest.raises(argparse.ArgumentTypeError, match="no compiled kernels"):
        imminent.checkout(str(tmp_path))


def test_another_checkout_is_what_runs_wherever_we_stand(tmp_path: Path) -> None:
    _main_of(tmp_path, f"import os; raise SystemExit(41 if len({OURS}) == {len(imminent.SET)} else 42)")
    args = argparse.Namespace(vendors=1, seconds=1, batch=1, changes=1, cases=["alone"])
    with pytest.raises(UserError, match="ended with status 41"):
        asyncio.run(imminent._measure(args, [1], tmp_path))


def _main_of(folder: Path, code: str) -> None:
    (folder / "dispatcher").mkdir()
    (folder / "dispatcher" / "__init__.py").touch()
    (folder / "dispatcher" / "__main__.py").write_text(code, encoding="ascii")


def test_what_a_solver_uses_is_told_apart_also_below_another_process_and_once_it_has_ended() -> None:
    work = "import time\nwhile time.process_time() < 0.1: pass"
    begin = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    below = f"{begin}; print(flush=True); input()"
    before_s = below_s(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", below], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as between:
        assert between.stdout is not None
        between.stdout.readline()
        running_s = below_s(os.getpid()) - before_s
        between.communicate(b"\n")
    assert running_s > 0.05  # of 0.1: each part of it is cut to hundredths of a second
    assert below_s(os.getpid()) - before_s >= running_s
