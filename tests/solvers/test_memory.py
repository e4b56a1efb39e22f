"""What is free goes back to the system, and threads do not each keep a heap of their own."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from solvers.memory import give_back

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library gives back by itself, or never"
)
MB = 2**20
MANY = """
import ctypes, sys, threading
from solvers.memory import share_one_arena
if sys.argv[1] == "one":
    share_one_arena()
held = []
barrier = threading.Barrier(4)
threads = [threading.Thread(target=lambda: (barrier.wait(), held.append(bytearray(9_000)), barrier.wait()))
           for _ in range(4)]
[each.start() for each in threads]
[each.join() for each in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def resident() -> int:
    """Bytes of this process that are in memory (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def test_what_lies_between_things_still_held_is_given_back() -> None:
    freed, held = list[object](), list[object]()
    for _ in range(1_000):
        freed.append(np.ones(8_000))
        held.append(np.ones(500))
    del freed
    full = resident()
    give_back()
    assert full - resident() > 50 * MB
    assert len(held) == 1_000


@pytest.mark.parametrize(("how", "is_one"), [("one", True), ("usual", False)])
def test_threads_share_one_heap(how: str, is_one: bool) -> None:
    told = subprocess.run([sys.executable, "-c", MANY, how], capture_output=True, text=True, check=True)
    assert (told.stdout.count("<heap nr=") == 1) is is_one
