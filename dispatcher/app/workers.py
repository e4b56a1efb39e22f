"""`dispatcher worker`: one of Celery's processes for each kind of task, kept running as one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from dispatcher.app.until_told import until_told
from dispatcher.serve.processes import Child, own_command, own_environment

STOP_S = 30.0  # what runs may end; then its matcher hears that we have gone


async def keep_workers(environment: Mapping[str, str], works: Sequence[str], processes: int) -> None:
    """Until SIGTERM or SIGINT."""
    ours = own_environment() | dict(environment)
    number = ("--processes", str(processes))
    children = [Child(each, own_command("worker", "--work", each, *number), ours) for each in works]
    try:
        await until_told(*(each.keep() for each in children))
    finally:
        await asyncio.gather(*(each.stop(STOP_S) for each in children))
