"""How many files a process may have open: each connection is one."""

from __future__ import annotations

import resource

WANTED = 65_536  # more than anybody connects, also where the machine's own limit is none
SPARE = 128  # databases, logs, libraries


def raise_limit() -> int:
    """Raise the soft limit as far as the hard one allows, and say how many connections that leaves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return max(1, wanted - SPARE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # macOS refuses more than its kernel holds, whatever it says
        wanted = soft
    return max(1, wanted - SPARE)
