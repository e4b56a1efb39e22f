"""Our own processes: what a killed one leaves beside it says nothing where log lines stand."""

from __future__ import annotations

import signal
import subprocess

from dispatcher.serve.processes import own_command

KILLED = "import multiprocessing, os; kept = multiprocessing.Semaphore(); os.kill(os.getpid(), 9)"


def test_one_that_is_killed_leaves_no_line_that_is_none_of_the_log() -> None:
    *python, module, _ = own_command()
    assert module == "-m"
    done = subprocess.run([*python, "-c", KILLED], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
