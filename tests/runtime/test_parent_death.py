"""Whoever is killed takes the processes along that work for it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatcher.matching.low_priority import give_way, worked
from dispatcher.matching.solving import SolverPool
from tests.e2e.conftest import alive, descendants

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they outlive a kill")
LONG_S = 300
STARTER = """
import asyncio, sys
from tests.runtime.test_parent_death import starter
asyncio.run(starter(sys.argv[1]))
"""


def stopped(line: object, folder: str) -> None:
    """A low-priority process that gives way when it has begun."""
    give_way()
    Path(folder, str(os.getpid())).touch()
    os.kill(os.getpid(), signal.SIGSTOP)


def at_work(folder: str) -> None:
    """Says that it began, and works on: it looks at no line, as an optimiser does not."""
    Path(folder, str(os.getpid())).touch()
    time.sleep(LONG_S)


async def starter(folder: str) -> None:
    """A solver that is busy for long, and a low-priority process that is stopped."""
    pool = SolverPool(1)
    await asyncio.gather(
        pool._done(LONG_S, at_work, folder),
        worked(stopped, folder, lambda: False),
    )


def test_a_solver_at_work_and_a_low_priority_process_that_is_stopped_end_with_who_asked(
    tmp_path: Path,
) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)]) as process:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        pids = descendants(process.pid)
        assert {int(each.name) for each in tmp_path.iterdir()} <= pids
        process.send_signal(signal.SIGKILL)
    assert not alive(pids, within_s=10.0)
