"""Garbage collection of a process that serves: seldom, and never through what it began with."""

from __future__ import annotations

import gc
from typing import Final

COLLECT_EVERY: Final = 20_000  # objects


def collect_rarely() -> None:
    """What was made up to here stays, so it is not looked through again and again; and a call leaves few
    cycles behind. Without this, a tenth of a web process that takes requests is garbage collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 20)
