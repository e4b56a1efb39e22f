"""How many files a process may have open: each connection is one."""

from __future__ import annotations

import resource

import structlog

WANTED = 65_536  # more than anybody connects, also where the machine's own limit is none
SPARE = 128  # databases, logs, libraries
log = structlog.get_logger()


def most_connections(wanted: int) -> int:
    """As many as are wanted, or as open files leave; fewer are told, for nothing else would say why."""
    left = raise_limit()
    if left < wanted:
        fix = "raise the limit of open files (ulimit -Hn; LimitNOFILE= of a systemd unit)"
        log.warning("few_connections", connections=left, wanted=wanted, maybe=fix)
    return min(wanted, left)


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
