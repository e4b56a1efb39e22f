"""Work for matchers on other machines: solve their batches, compare their what-ifs.

Needs the extra `cluster`, the broker of the matchers (DISPATCHER_BROKER_URL), their patient keys
(DISPATCHER_PATIENT_KEYS) and the place of what is too large for the broker (DISPATCHER_PARCELS); what-ifs
also their store (DISPATCHER_REDIS_URL). As many as there are machines; each may be killed at any time.
"""

from __future__ import annotations

import argparse
import os

from dispatcher.cli import RUN
from dispatcher.runtime.arguments import whole

NAME = "worker"
HELP = "solve for matchers on other machines"
GROUP = RUN
EXAMPLE = "dispatcher worker --work solves --processes 2"
WORKS = ("solves", "what-ifs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes, and how many at once."""
    parser.add_argument(
        "--work", choices=("all", *WORKS), default="all", help="what it takes (default: all, side by side)"
    )
    parser.add_argument(
        "--processes",
        type=whole(1, 256),
        default=1,
        metavar="N",
        help="tasks at once, which share the machine's cores (default: 1)",
    )


def run(args: argparse.Namespace) -> int:
    """Until SIGTERM. Raises UserError."""
    from dispatcher.runtime.logs import configure
    from dispatcher.settings import Settings
    from dispatcher.workers.kinds import KINDS
    from dispatcher.workers.worker import refuse_unusable, run_worker

    settings = Settings.read(os.environ)
    configure(settings.log_level, as_json=settings.log_json)
    if args.work == "all":
        refuse_unusable(settings)  # here: children that cannot begin would be started again and again
        return _all(settings.environment(), args.processes)
    return run_worker(settings, KINDS[args.work], args.processes)


def _all(environment: dict[str, str], processes: int) -> int:
    """Each kind in a process of its own, kept running."""
    import asyncio

    from dispatcher.app.workers import keep_workers

    asyncio.run(keep_workers(environment, WORKS, processes))
    return 0
