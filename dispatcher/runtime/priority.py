"""Processes that come after others: what they do can wait, and nobody is to feel that they are there."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

NICE = 19
AGAIN_S, TRIES = 0.11, 50  # Linux takes one such word in a tenth of a second, of all who are not root
_SHARE = Path("/proc/self/autogroup")  # Linux: what its session has of the cores, by a niceness of its own


def leave_cores(nice: int) -> None:
    """So nice to all processes, those of other sessions, too.

    Linux may share the cores among sessions first, and `serve` starts each of its parts in one: what a solver
    were told would count beside its matcher alone, and the web process had no more of a core than it.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
    with contextlib.suppress(OSError):  # it leads a session already, which others may be in
        os.setsid()
        _share(nice)


def _share(nice: int) -> None:
    """Say it, waiting for its turn: several solvers start at once. Raises OSError: there is no share."""
    for _ in range(TRIES):
        try:
            _SHARE.write_text(str(nice), encoding="ascii")
        except BlockingIOError:
            time.sleep(AGAIN_S)
        else:
            return


def come_last() -> None:
    """All others come before this process, and it is the first to go where memory is short.

    Not `SCHED_IDLE`: who wakes has the core no sooner (measured, Linux 6.18), and on a busy machine such a
    process would stand still.
    """
    leave_cores(NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
