"""Our own processes: what a killed one leaves beside it says nothing where log lines stand."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
import structlog

from dispatcher.serve.processes import Child, own_command

KILLED = "import multiprocessing, os; kept = multiprocessing.Semaphore(); os.kill(os.getpid(), 9)"


def test_one_that_is_killed_leaves_no_line_that_is_none_of_the_log() -> None:
    *python, module, _ = own_command()
    assert module == "-m"
    done = subprocess.run([*python, "-c", KILLED], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("can't start new thread"), "not started: RuntimeError"),
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "not started: Resource temporarily unavailable"),
    ],
)
async def test_a_child_that_cannot_be_started_is_tried_again_and_ends_nobody(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    """Python starts a thread for each child: a limit of them must not end the store's."""
    start, tried = asyncio.create_subprocess_exec, list[object]()

    async def refuses_once(*words: Any, **named: Any) -> Any:
        tried.append(words)
        if len(tried) == 1:
            raise error
        return await start(*words, **named)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuses_once)
    child = Child("one", [sys.executable, "-c", "import time; time.sleep(600)"], {})
    with structlog.testing.capture_logs() as lines:
        keeping = asyncio.create_task(child.keep())
        async with asyncio.timeout(20):
            while child.pid is None and not keeping.done():
                await asyncio.sleep(0.01)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    await child.stop(20)
    assert [each["status"] for each in lines] == [told]
    assert len(tried) == 2
