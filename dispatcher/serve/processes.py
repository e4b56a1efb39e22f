"""Child processes that end with their parent, and come back when they crash."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from dispatcher.runtime.parent_death import die_with_parent

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
STEADY_S = 30.0  # a child that lived this long starts with the first pause again
log = structlog.get_logger()


def own_command(*words: str) -> list[str]:
    """The command line `dispatcher WORDS` by this very Python.

    Where it is killed, what multiprocessing left beside it tidies up and would say so among our log lines.
    """
    return [sys.executable, "-P", "-W", "ignore:resource_tracker", "-m", "dispatcher", *words]


def own_environment() -> dict[str, str]:
    """This environment, in which a child finds the packages where we found them."""
    home = str(Path(__file__).resolve().parents[2])
    others = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each not in {"", home}]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join([home, *others])}


class Child:
    """A process that is kept running: started again after a crash, with growing pauses."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], files: Sequence[int] = ()
    ) -> None:
        """`files` are open descriptors that the child inherits under the same numbers."""
        self.name, self.command, self.environment, self.files = name, command, environment, files
        self.starts = 0
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def keep(self) -> None:
        """Keep it running until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            started_s = time.monotonic()
            status = await self._run()
            lived_s = time.monotonic() - started_s
            pause_s = FIRST_PAUSE_S if lived_s > STEADY_S else min(2 * pause_s, LONGEST_PAUSE_S)
            log.warning("child_ended", child=self.name, status=status, restart_in_s=pause_s)
            await asyncio.sleep(pause_s)

    async def _run(self) -> int | str:
        """Its exit status, or why it could not be started."""
        try:
            return await (await self._start()).wait()
        except Exception as error:  # no memory, process or thread left: it may be otherwise in a moment
            return f"not started: {(isinstance(error, OSError) and error.strerror) or type(error).__name__}"

    async def stop(self, timeout_s: float) -> None:
        """Ask it to end; insist after `timeout_s`."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError:
            log.warning("child_killed", child=self.name, timeout_s=timeout_s)
            process.kill()
            await process.wait()

    async def _start(self) -> Process:
        self.starts += 1
        self._process = await asyncio.create_subprocess_exec(
            *self.command,
            env=dict(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=tuple(self.files),
            start_new_session=True,  # Ctrl-C is for the parent, which then asks its children to end
            preexec_fn=die_with_parent(),  # one system call, looked up before the fork
        )
        return self._process
