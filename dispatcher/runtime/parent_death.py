"""Children that end with their parent, however it ends. Beyond Linux, one that is killed leaves them."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import forkserver
from typing import Any

PR_SET_PDEATHSIG = 1


def die_with_parent() -> Callable[[], None] | None:
    """A hook for a child (`preexec_fn`) that has Linux kill it when the thread that started it ends.

    None elsewhere.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def hook() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)

    return hook


def end_with_starter() -> None:
    """First thing in a process of a fork server: stopped or at work, it ends with whoever asked for it.

    The server ends when nobody holds its line any more, and each of its children holds it: Python gives it
    to them for servers' children of their own. So they let go of it, and have Linux end them with the server.
    """
    starter = multiprocessing.parent_process()
    if sys.platform != "linux" or starter is None:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    server: Any = forkserver._forkserver
    line, server._forkserver_alive_fd = server._forkserver_alive_fd, None
    if line is not None:
        os.close(line)
    if not starter.is_alive():  # the server may have ended before the first call
        os._exit(1)
