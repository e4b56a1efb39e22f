"""Group commit: what waits is sent together, so that many commits share one fsync.

A bounded queue, emptied over a few connections. Whoever waits may leave: what is in the queue is written all
the same. A lost reply is asked for again with the same program, which cannot have
its effect twice: it checks the version or command id that it changes.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Iterable

from redis.asyncio import Redis

from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store import script
from dispatcher.store.commit_connection import CommitConnection, Job
from dispatcher.store.connection import PAUSE_S, TIMEOUT_S, unavailable
from dispatcher.store.exhausted import replace_stream
from dispatcher.store.lineage import Lineage
from dispatcher.store.outcome import NOT_SENT, UNKNOWN, Outcome
from dispatcher.store.program import Program
from dispatcher.store.replicated import ReplicatedConnection

# Programs are weighed by their checks: a request has two (command id, version), a batch of 1,000 has 1,001.
QUEUE_LIMIT = 16_384
TOGETHER = 256  # sent at a time: enough to share an fsync, little enough to keep the first from waiting
REPLACED_AT_MOST = 8  # streams that one commit finds exhausted
CONNECTIONS = 2  # one packs while the server works on the other


class Committer:
    """Sends programs to commit.lua."""

    def __init__(
        self,
        client: Redis,
        *,
        queue_limit: int = QUEUE_LIMIT,
        connections: int = CONNECTIONS,
        timeout_s: float = TIMEOUT_S,
        lineage: Lineage | None = None,
        replicas: int = 0,
    ) -> None:
        """`replicas`: so many must have what was done before anybody is told."""
        self._client = client
        self._queue_limit = queue_limit
        self._timeout_s = timeout_s
        self._connection_count = connections
        self.repeated = 0  # programs asked for again because their answer was lost
        self._waiting: deque[Job] = deque()
        self._tags = itertools.count()
        self._work = asyncio.Event()
        self._connections: list[asyncio.Task[None]] = []
        self._load = 0  # the weight of what waits
        self._underway = 0
        self._closed = False
        self._script = script.source("commit")
        self._lineage = lineage or Lineage()
        self._replicas = replicas

    @property
    def waiting(self) -> int:
        """How many programs have no answer yet."""
        return len(self._waiting) + self._underway

    @property
    def lineage(self) -> int:
        """How many promotions of another server were met: to be taken before what is decided on is read."""
        return self._lineage.number

    async def commit(
        self, program: Program, *, since: int | None = None, asked_again: bool = False
    ) -> Outcome:
        """The program's outcome; a stream whose ids are used up is replaced on the way.

        `since`: the lineage when what it was decided on was read; None: it has been since. `asked_again`: it
        was sent before, to a server whose answer was lost.

        Raises Unwritable: a key of the program's cannot be written, nothing was. Raises Unavailable: before
        anything is sent if the queue is full; and when the server gave no answer for `timeout_s`: then the
        fact `outcome` is "unknown" if it was sent (ask again), else "not sent".
        """
        for _ in range(REPLACED_AT_MOST):
            try:
                return await self._queued(program, since, asked_again=asked_again)
            except script.Exhausted as refusal:
                await replace_stream(self._client, refusal.facts["key"])
        return await self._queued(program, since, asked_again=asked_again)

    def _queued(self, program: Program, since: int | None, *, asked_again: bool) -> asyncio.Future[Outcome]:
        if self._closed or self._load >= self._queue_limit:
            raise unavailable(f"{self._load} checks wait to be made, the limit is {self._queue_limit}.")
        if not self._connections:
            self._connections = [
                asyncio.create_task(self._run_connection()) for _ in range(self._connection_count)
            ]
        read_at = self._lineage.number if since is None else since
        job = Job(program, b"%d" % next(self._tags), time.monotonic() + self._timeout_s, read_at)
        job.asked_again = asked_again
        self._waiting.append(job)
        self._load += program.weight
        self._work.set()
        return job.future

    async def aclose(self) -> None:
        """Take nothing more, finish what waits, let the connections go."""
        self._closed = True
        deadline = time.monotonic() + self._timeout_s
        while self.waiting and time.monotonic() < deadline:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(PAUSE_S)
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._fail(list(self._waiting))

    async def _run_connection(self) -> None:
        connection = self._connection()
        try:
            while not cancel_requested():
                await self._work.wait()
                await self._send_some(connection)
        finally:
            await connection.disconnect()

    def _connection(self) -> CommitConnection:
        given = self._client, self._script, self._lineage
        return ReplicatedConnection(*given, self._replicas) if self._replicas else CommitConnection(*given)

    def _take(self, batch: list[Job]) -> None:
        """As much as goes together, from those that wait: one after another, so that none is with nobody."""
        weight = 0
        while self._waiting and weight < TOGETHER:
            batch.append(job := self._waiting[0])
            self._waiting.popleft()
            self._underway += 1
            self._load -= job.program.weight
            weight += job.program.weight
        if not self._waiting:
            self._work.clear()

    async def _send_some(self, connection: CommitConnection) -> None:
        """What waits. A fault of ours (memory is full) must not leave a caller waiting, nor end the loop."""
        batch, has_failed = list[Job](), False
        try:
            self._take(batch)
            ready = [job for job in batch if job.is_ready()]
            left = await connection.exchange(ready) if ready else []
            self._put_back(left)
        except asyncio.CancelledError:
            self._fail(batch)
            raise
        except Exception as error:
            left, has_failed = [], True
            for job in batch:
                job.settle(error)
        finally:
            self._underway -= len(batch)
        if left or has_failed:
            await asyncio.sleep(PAUSE_S)

    def _put_back(self, jobs: list[Job]) -> None:
        """To the front, in their order; what has waited too long is told so, sent or not."""
        if not jobs:
            return
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
    def _fail(jobs: Iterable[Job]) -> None:
        for job in jobs:
            refusal = unavailable("the store does not answer.")
            refusal.facts["outcome"] = UNKNOWN if job.asked_again else NOT_SENT
            job.settle(refusal)
