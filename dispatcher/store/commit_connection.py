"""One connection for commits: what it sends, what it reads, and what a broken one leaves unknown."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, ResponseError

from dispatcher.store import resp, script
from dispatcher.store.connection import (
    CONNECTION_ERRORS,
    LEADERLESS,
    REDIRECTED,
    SPLIT,
    is_retryable,
    writes_refused,
)
from dispatcher.store.lineage import Lineage
from dispatcher.store.outcome import NOT_SENT, Outcome
from dispatcher.store.program import Program

OUT_OF_STEP = Disconnected("an answer to another question came: the connection is out of step")


class Job:
    """A program that waits for its outcome."""

    __slots__ = ("asked_again", "deadline", "future", "program", "since", "tag")

    def __init__(self, program: Program, tag: bytes, deadline: float, since: int = 0) -> None:
        """`since`: the lineage's number when what it was decided on was read."""
        self.program = program
        self.since = since
        self.tag = tag
        self.deadline = deadline
        self.future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.asked_again = False

    def settle(self, result: Outcome | BaseException) -> None:
        """Tell the caller, if it still waits."""
        if self.future.done():
            return
        if isinstance(result, BaseException):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class CommitConnection:
    """One connection with the script loaded; it is made anew after every failure."""

    def __init__(self, client: Redis, text: bytes, lineage: Lineage) -> None:
        self._client, self._lineage = client, lineage
        self._text = text
        self._connection: AbstractConnection | None = None
        self._sha = ""

    async def exchange(self, batch: list[Job]) -> list[Job]:
        """Settle every job that gets an answer; return the others, to be asked again."""
        unanswered = deque(batch)
        again: list[Job] = []
        try:
            connection = await self._connected()
            now = self._lineage.number
            lines = (job.program.command_line(self._sha, job.tag, doubted=job.since < now) for job in batch)
            await connection.send_packed_command([b"".join(map(resp.pack, lines))])
            async with asyncio.timeout(connection.socket_timeout):
                while unanswered:
                    if not await self._settle(connection, unanswered[0]):
                        again.append(unanswered[0])
                    unanswered.popleft()
        except CONNECTION_ERRORS:
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
            with contextlib.suppress(*CONNECTION_ERRORS):
                await connection.disconnect()

    async def _settle(self, connection: AbstractConnection, job: Job) -> bool:
        try:
            # a timer for all answers: one for each was a fiftieth of a commit's cost
            tag, *reply = await connection.read_response(disable_decoding=True, timeout=math.inf)
            if tag != job.tag:
                raise OUT_OF_STEP
            job.settle(script.outcome_of(job.program, reply, asked_again=job.asked_again))
        except NoScriptError:  # the server forgot its scripts: nothing ran
            self._sha = ""
            return False
        except ResponseError as error:
            tag, refusal = script.refusal_of(error) or (job.tag, _refusal(error))
            if tag != job.tag:
                raise OUT_OF_STEP from error
            job.settle(refusal)
        except script.BrokenLedger as error:
            job.settle(error)
        return True

    async def _connected(self) -> AbstractConnection:
        if self._connection is None:
            connection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            await connection.connect()
            await self._lineage.meet(connection)
            self._sha = ""
            self._connection = connection
        if not self._sha:
            await self._connection.send_command("SCRIPT LOAD", self._text)
            self._sha = bytes(await self._connection.read_response(disable_decoding=True)).decode()
        return self._connection


def _refusal(error: ResponseError) -> Exception:
    """What the caller is told: try again, here or elsewhere, or a defect."""
    if isinstance(error, REDIRECTED):
        return error
    if not is_retryable(error):
        return script.CommitFailed(str(error))
    refusal = writes_refused(error)
    if isinstance(error, (LEADERLESS, SPLIT)):
        refusal.facts["outcome"] = NOT_SENT  # whoever knows more servers than this one asks again
    return refusal
