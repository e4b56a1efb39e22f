"""What can wait comes last, and stays there however often it is told to."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from dispatcher.runtime import priority
from dispatcher.runtime.priority import NICE, come_last, leave_cores


def told_twice(folder: str) -> None:
    come_last()
    come_last()
    Path(folder, str(os.getpriority(os.PRIO_PROCESS, 0))).touch()


def test_who_comes_last_stays_there(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=told_twice, args=(str(tmp_path),))
    process.start()
    process.join()
    assert [each.name for each in tmp_path.iterdir()] == [str(NICE)]


def alone(folder: str) -> None:
    leave_cores(10)
    share = Path("/proc/self/autogroup")
    words = share.read_text(encoding="ascii").split() if share.exists() else []
    told = words[-1] if words else "10"  # where cores are not shared so, nothing is told
    Path(folder, f"{os.getsid(0) == os.getpid()} {os.getpriority(os.PRIO_PROCESS, 0)} {told}").touch()


@pytest.mark.skipif(sys.platform != "linux", reason="sessions have shares in Linux")
def test_who_leaves_the_cores_to_others_does_so_beside_other_sessions_too(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=alone, args=(str(tmp_path),))
    process.start()
    process.join()
    assert [each.name for each in tmp_path.iterdir()] == ["True 10 10"]
    assert os.getsid(0) != process.pid


class Busy:
    """Linux, to whom others that are not root have said such a word just now."""

    def __init__(self, times: int) -> None:
        self.times, self.told = times, list[str]()

    def write_text(self, words: str, encoding: str) -> None:
        self.times -= 1
        if self.times >= 0:
            raise BlockingIOError(errno.EAGAIN, "too soon")
        self.told.append(words)


def test_who_is_not_heard_at_once_says_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else of some solvers that start together one alone would leave the cores to others."""
    busy = Busy(3)
    monkeypatch.setattr(priority, "_SHARE", busy)
    monkeypatch.setattr(priority, "AGAIN_S", 0.0)
    priority._share(10)
    assert busy.told == ["10"]


def test_who_is_never_heard_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Busy(priority.TRIES)
    monkeypatch.setattr(priority, "_SHARE", busy)
    monkeypatch.setattr(priority, "AGAIN_S", 0.0)
    priority._share(10)
    assert busy.told == []
