"""The service on a machine whose clock is ahead: `python -m chaos.ahead SECONDS serve --role matcher …`."""

from __future__ import annotations

import sys
import time

NS = 1_000_000_000


def go_ahead(seconds: int) -> None:
    """From now on this process takes it for later than it is."""
    now_s, now_ns = time.time, time.time_ns
    time.time = lambda: now_s() + seconds
    time.time_ns = lambda: now_ns() + seconds * NS


if __name__ == "__main__":
    go_ahead(int(sys.argv[1]))
    from dispatcher.cli import main

    sys.exit(main(sys.argv[2:]))
