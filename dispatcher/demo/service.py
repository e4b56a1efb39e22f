"""The real service in its own processes, started as anyone would start it: `dispatcher serve`."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import aiohttp

from dispatcher.runtime.errors import UserError
from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.serve.processes import own_command, own_environment
from dispatcher.settings import PREFIX, Settings

START_LIMIT_S, STOP_LIMIT_S = 60.0, 30.0


class DemoError(UserError):
    """The demo cannot go on."""


class Service(NamedTuple):
    """A running service: where it answers, and the process that supervises it."""

    url: str
    settings: Settings
    process: Process
    log: Path


@contextlib.asynccontextmanager
async def running(settings: Settings, log: Path) -> AsyncIterator[Service]:
    """Start, wait until it is ready, and stop it at the end. Its log lines go to the file `log`."""
    settings.address_file.unlink(missing_ok=True)
    inherited = {name: text for name, text in own_environment().items() if not name.startswith(PREFIX)}
    with log.open("ab") as lines:
        process = await asyncio.create_subprocess_exec(
            *own_command("serve"),
            env=inherited | settings.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
    try:
        yield Service(await _address(process, settings.address_file, log), settings, process, log)
    finally:
        await stop(process)


async def until_matched(service: Service, market: str) -> None:
    """Until a matcher has the market: its solver processes are warm then. Raises DemoError."""
    deadline_s = asyncio.get_running_loop().time() + START_LIMIT_S
    async with aiohttp.ClientSession(trust_env=False) as session:
        while asyncio.get_running_loop().time() < deadline_s:
            async with session.get(f"{service.url}/readyz") as answer:
                found = (await answer.json())["matching"].get(market, {})
            if found.get("held_s") is not None:
                return
            await asyncio.sleep(0.05)
    raise DemoError(f"no matcher took {market} within {START_LIMIT_S:g} s.", _tail(service.log))


async def stop(process: Process) -> None:
    """Ask the service to end; insist after STOP_LIMIT_S."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _address(process: Process, file: Path, log: Path) -> str:
    deadline_s = asyncio.get_running_loop().time() + START_LIMIT_S
    while asyncio.get_running_loop().time() < deadline_s:
        if text := _text(file):
            return text
        if process.returncode is not None:
            raise DemoError(f"the service ended with status {process.returncode}.", _tail(log))
        await asyncio.sleep(0.02)
    raise DemoError(f"the service was not ready within {START_LIMIT_S:g} s.", _tail(log))


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-5:]
    return "\n".join([f"Its log, {log}, ends:", *lines])
