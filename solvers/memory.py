"""What is free goes back to the system: else a process stays as large as all that its stages took together.

glibc keeps what was freed, in an arena for every few threads, each with holes of its own; a plan of 19,000
requests then holds twice what it uses. Where the C library has no such calls, nothing is done.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

_LIBC: Final[Any] = ctypes.CDLL(None)
_ARENAS: Final = -8  #: M_ARENA_MAX of malloc.h


def share_one_arena() -> None:
    """All threads take from one heap. To be called before there is a second thread."""
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_ARENAS, 1)


def give_back() -> None:
    """All that is free at the moment; takes milliseconds."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
