"""Processes that come after all others: what they do can wait, and nobody is to feel that they are there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICE = 19


def come_last() -> None:
    """All others come before this process, and it is the first to go where memory is short.

    Not `SCHED_IDLE`: who wakes has the core no sooner (measured, Linux 6.18), and on a busy machine such a
    process would stand still.
    """
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
