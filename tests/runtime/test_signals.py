"""Every signal that would end a process at once ends it in order; what it was told to ignore it ignores."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from dispatcher.runtime.signals import ENDING

ENDS = """
import asyncio, sys
from dispatcher.runtime.signals import on_ending

async def main():
    told = asyncio.Event()
    on_ending(told.set)
    print("ready", flush=True)
    await told.wait()
    print("in order", flush=True)

asyncio.run(main())
"""

MEASURES = """
import asyncio
from dispatcher.runtime.signals import terminate_as_interrupt

async def main():
    try:
        print("ready", flush=True)
        await asyncio.Event().wait()
    finally:
        print("in order", flush=True)

terminate_as_interrupt()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def started(program: str = ENDS) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def heard() -> object:
    """A shell may have had us ignore some (`nohup`, `&`): here none is."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_each_is_heard(heard: object, number: int) -> None:
    with started() as process:
        process.send_signal(number)
        assert process.communicate(timeout=30)[0] == "in order\n"
    assert process.returncode == 0


def test_one_that_is_ignored_stays_ignored(heard: object) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with started() as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "in order\n"


def test_a_command_that_measures_is_terminated_as_it_is_interrupted(heard: object) -> None:
    with started(MEASURES) as process:
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "in order\ninterrupted\n"
