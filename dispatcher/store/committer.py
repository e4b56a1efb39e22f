"""Group commit: what waits is sent together, so that many commits share one fsync.

A bounded queue, emptied by a few lanes, each with a connection of its own. Whoever waits may leave: what is
in the queue is written all the same. A lost reply is asked for again with the same program, which cannot have
its effect twice: it checks the version or command id that it changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import Iterable

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as Disconnected

from dispatcher.stopping import told_to_stop
from dispatcher.store import resp, script
from dispatcher.store.connection import LOST, PATIENCE_S, PAUSE_S, unavailable
from dispatcher.store.outcome import Outcome
from dispatcher.store.program import Program

# Programs are weighed by their checks: a request has two (command id, version), a batch of 1,000 has 1,001.
QUEUE_LIMIT = 16_384
TOGETHER = 256  # sent at a time: enough to share an fsync, little enough to keep the first from waiting
LANES = 2  # one packs while the server works on the other
# Answers that say: not now, and nothing was written.
NOT_NOW = (OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError)
NOT_NOW_CODES = ("MISCONF", "NOREPLICAS")


class _Job:
    __slots__ = ("asked_again", "deadline", "future", "program", "tag")

    def __init__(self, program: Program, tag: bytes, deadline: float) -> None:
        self.program = program
        self.tag = tag
        self.deadline = deadline
        self.future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.asked_again = False

    def settle(self, result: Outcome | BaseException) -> None:
        if self.future.done():  # the caller has left
            return
        if isinstance(result, BaseException):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class Committer:
    """Sends programs to commit.lua."""

    def __init__(
        self,
        client: Redis,
        *,
        queue_limit: int = QUEUE_LIMIT,
        lanes: int = LANES,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._client = client
        self._queue_limit = queue_limit
        self._patience_s = patience_s
        self._lane_count = lanes
        self.repeated = 0  # programs asked for again because their answer was lost
        self._waiting: deque[_Job] = deque()
        self._tags = itertools.count()
        self._work = asyncio.Event()
        self._lanes: list[asyncio.Task[None]] = []
        self._load = 0  # the weight of what waits
        self._underway = 0
        self._closed = False
        self._script = script.source("commit")

    @property
    def waiting(self) -> int:
        """How many programs have no answer yet."""
        return len(self._waiting) + self._underway

    async def commit(self, program: Program) -> Outcome:
        """The program's outcome.

        Raises Unavailable: before anything is sent if the queue is full; and when the server gave no answer
        for `patience_s`: then the fact `outcome` is "unknown" if it was sent (ask again), else "not sent".
        """
        if self._closed or self._load >= self._queue_limit:
            raise unavailable(f"{self._load} checks wait to be made, the limit is {self._queue_limit}.")
        if not self._lanes:
            self._lanes = [asyncio.create_task(self._run_lane()) for _ in range(self._lane_count)]
        job = _Job(program, b"%d" % next(self._tags), time.monotonic() + self._patience_s)
        self._waiting.append(job)
        self._load += program.weight
        self._work.set()
        return await job.future

    async def aclose(self) -> None:
        """Take nothing more, finish what waits, let the connections go."""
        self._closed = True
        deadline = time.monotonic() + self._patience_s
        while self.waiting and time.monotonic() < deadline:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(PAUSE_S)
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        self._fail(list(self._waiting))

    async def _run_lane(self) -> None:
        lane = _Lane(self._client, self._script)
        try:
            while not told_to_stop():
                await self._work.wait()
                batch = self._take()
                if batch:
                    await self._send(lane, batch)
        finally:
            await lane.disconnect()

    def _take(self) -> list[_Job]:
        batch, weight = list[_Job](), 0
        while self._waiting and weight < TOGETHER:
            batch.append(self._waiting.popleft())
            weight += batch[-1].program.weight
        self._load -= weight
        if not self._waiting:
            self._work.clear()
        return batch

    async def _send(self, lane: _Lane, batch: list[_Job]) -> None:
        self._underway += len(batch)
        left: list[_Job] = []
        try:
            left = await lane.exchange(batch)
        except asyncio.CancelledError:
            self._fail(batch)
            raise
        except Exception as error:  # a fault of ours must not leave a caller waiting, nor end the lane
            for job in batch:
                job.settle(error)
        finally:
            self._underway -= len(batch)
        if left:
            self._put_back(left)
            await asyncio.sleep(PAUSE_S)

    def _put_back(self, jobs: list[_Job]) -> None:
        """To the front, in their order; what has waited too long is told so, sent or not."""
        now = time.monotonic()
        self.repeated += sum(job.asked_again for job in jobs)
        self._waiting.extendleft(reversed(jobs))
        self._load += sum(job.program.weight for job in jobs)
        late = [job for job in self._waiting if job.deadline < now]
        if late:
            self._waiting = deque(job for job in self._waiting if job.deadline >= now)
            self._load = sum(job.program.weight for job in self._waiting)
            self._fail(late)
        if self._waiting:
            self._work.set()

    @staticmethod
    def _fail(jobs: Iterable[_Job]) -> None:
        for job in jobs:
            refusal = unavailable("the store does not answer.")
            refusal.facts["outcome"] = "unknown" if job.asked_again else "not sent"
            job.settle(refusal)


class _Lane:
    """One connection with the script loaded; it is made anew after every failure."""

    def __init__(self, client: Redis, text: bytes) -> None:
        self._client = client
        self._text = text
        self._connection: AbstractConnection | None = None
        self._sha = ""

    async def exchange(self, batch: list[_Job]) -> list[_Job]:
        """Settle every job that gets an answer; return the others, to be asked again."""
        unanswered = deque(batch)
        again: list[_Job] = []
        try:
            connection = await self._connected()
            lines = (job.program.command_line(self._sha, job.tag) for job in batch)
            await connection.send_packed_command([b"".join(map(resp.pack, lines))])
            while unanswered:
                if not await self._settle(connection, unanswered[0]):
                    again.append(unanswered[0])
                unanswered.popleft()
        except LOST:
            for job in unanswered:
                job.asked_again |= self._connection is not None
            await self.disconnect()
        except BaseException:
            await self.disconnect()
            raise
        return again + list(unanswered)

    async def disconnect(self) -> None:
        """Let the connection go; answers that are still on their way are lost with it."""
        connection, self._connection = self._connection, None
        if connection:
            with contextlib.suppress(*LOST):
                await connection.disconnect()

    async def _settle(self, connection: AbstractConnection, job: _Job) -> bool:
        try:
            tag, *reply = await connection.read_response(disable_decoding=True)
            if tag != job.tag:
                raise Disconnected("an answer to another question came: the connection is out of step")
            job.settle(script.outcome_of(job.program, reply, asked_again=job.asked_again))
        except NoScriptError:  # the server forgot its scripts: nothing ran
            self._sha = ""
            return False
        except ResponseError as error:
            job.settle(_refusal(error))
        except script.BrokenLedger as error:
            job.settle(error)
        return True

    async def _connected(self) -> AbstractConnection:
        if self._connection is None:
            connection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            await connection.connect()
            self._sha = ""
            self._connection = connection
        if not self._sha:
            await self._connection.send_command("SCRIPT LOAD", self._text)
            self._sha = bytes(await self._connection.read_response(disable_decoding=True)).decode()
        return self._connection


def _refusal(error: ResponseError) -> Exception:
    if isinstance(error, NOT_NOW) or str(error).startswith(NOT_NOW_CODES):
        return unavailable(f"the store takes no writes: {error}.")
    return script.CommitFailed(str(error))
