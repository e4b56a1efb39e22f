"""A process that comes last: what it says is heard whole, and it ends with who waits, whenever that is."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import struct
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dispatcher.matching import low_priority
from dispatcher.matching.low_priority import whole, worked

ANSWER = b"0" * 100_000  # more than a pipe holds


def says_half(line: Connection, half_said: Path) -> None:
    """The rest once it goes on again."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCONT])
    packed = pickle.dumps(ANSWER)
    os.write(line.fileno(), struct.pack("!i", len(packed)) + packed[:1_000])
    half_said.touch()
    signal.sigwait([signal.SIGCONT])
    left = packed[1_000:]
    while left:
        left = left[os.write(line.fileno(), left) :]


async def test_one_that_is_stopped_amid_its_answer_is_let_go_on_and_heard_to_the_end(tmp_path: Path) -> None:
    """Nobody else would: who reads it waits for the rest."""
    half_said = tmp_path / "said"
    async with asyncio.timeout(60):
        assert await worked(says_half, half_said, half_said.exists) == ANSWER


async def test_who_leaves_amid_an_answer_leaves_no_thread_that_reads_it() -> None:
    """The line is closed then, and the next that is opened has its number."""
    ours, its = multiprocessing.Pipe(duplex=False)
    begun, over = threading.Event(), threading.Event()

    class Line:
        def recv(self) -> Any:
            begun.set()
            try:
                return ours.recv()
            finally:
                over.set()

    process: Any = SimpleNamespace(pid=None, kill=its.close)
    os.write(its.fileno(), struct.pack("!i", len(ANSWER)) + b"half")
    line: Any = Line()
    task = asyncio.create_task(whole(line, process))
    assert await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert over.is_set()
    ours.close()
    its.close()


class SlowToStart:
    """A process that is started while who wanted it leaves."""

    def __init__(self, **_: object) -> None:
        self.pid: int | None = None

    begun, go, killed = threading.Event(), threading.Event(), threading.Event()

    def start(self) -> None:
        self.begun.set()
        assert self.go.wait(60)
        self.pid = os.getpid()

    def kill(self) -> None:
        self.killed.set()

    def join(self) -> None:
        pass


class Context:
    Process, Pipe = SlowToStart, staticmethod(multiprocessing.Pipe)


async def test_one_that_starts_while_who_wanted_it_leaves_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(low_priority.multiprocessing, "get_context", lambda _: Context)
    task: asyncio.Task[Any] = asyncio.create_task(worked(says_half, None, lambda: True))
    await asyncio.to_thread(SlowToStart.begun.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    SlowToStart.go.set()
    assert await asyncio.to_thread(SlowToStart.killed.wait, 10)


async def test_one_that_cannot_be_started_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(SlowToStart, "start", no_memory)
    monkeypatch.setattr(low_priority.multiprocessing, "get_context", lambda _: Context)
    told = await worked(says_half, None, lambda: True)
    assert told.startswith("OSError in dispatcher/matching/low_priority.py")
