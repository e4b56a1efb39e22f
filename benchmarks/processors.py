"""A processor for the process that is measured; whoever calls it, and its store, have the others.

Else they share it now and then, and one phase is slower than the next by a fifth, whatever is measured.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_apart() -> Iterator[set[int]]:
    """The processors of the measured process; this one and what it starts have the others meanwhile.

    With one processor there is nothing to part, nor where the system has no such thing.
    """
    if not hasattr(os, "sched_setaffinity") or len(ours := os.sched_getaffinity(0)) < 2:
        yield set()
        return
    apart = {min(ours)}
    os.sched_setaffinity(0, ours - apart)
    try:
        yield apart
    finally:
        os.sched_setaffinity(0, ours)


def move(pid: int, processors: set[int]) -> None:
    """Let a process just started run there alone; nothing where there are none."""
    if processors:
        os.sched_setaffinity(pid, processors)
