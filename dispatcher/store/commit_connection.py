"""One connection for commits: what it sends, what it reads, and what a broken one leaves unknown."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, ResponseError

from dispatcher.store import script
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
from dispatcher.store.pipe import Pipe
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

    def is_ready(self) -> bool:
        """Whether its program is written out; if that fails, its caller alone hears it."""
        try:
            self.program.write_out()
        except Exception as error:
            self.settle(error)
            return False
        return True

    def settle(self, result: Outcome | BaseException) -> None:
        """Tell the caller, if it still waits."""
        if self.future.done():
            return
        if isinstance(result, StopIteration):  # a future takes none
            result = RuntimeError("it came to its end")
        if isinstance(result, BaseException):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class CommitConnection:
    """One connection with the script loaded; it is made anew after every failure."""

    def __init__(self, client: Redis, text: bytes, lineage: Lineage) -> None:
        self._client, self._lineage = client, lineage
        self._text = text
        self._pipe: Pipe | None = None
        self._sha = ""

    async def exchange(self, batch: list[Job]) -> list[Job]:
        """Settle every job that gets an answer; return the others, to be asked again."""
        unanswered, again = deque(batch), list[Job]()

        def heard(answer: Any) -> None:
            if not self._settle(unanswered[0], answer):
                again.append(unanswered[0])
            unanswered.popleft()

        try:
            pipe = await self._connected()
            now, sha = self._lineage.number, self._sha
            lines = [job.program.command_line(sha, job.tag, doubted=job.since < now) for job in batch]
            await pipe.ask(lines, heard)
        except BaseException as error:
            for job in unanswered:  # also of who is cancelled: it may be done
                job.asked_again |= self._pipe is not None
            await self.disconnect()
            if not isinstance(error, CONNECTION_ERRORS):
                raise
        return again + list(unanswered)

    async def disconnect(self) -> None:
        """Let the connection go; answers that are still on their way are lost with it."""
        pipe, self._pipe = self._pipe, None
        if pipe:
            await pipe.aclose()

    def _settle(self, job: Job, answer: Any) -> bool:
        """Whether it is an answer. Raises ConnectionError where it is another's, or the server is loading."""
        if isinstance(answer, NoScriptError):  # the server forgot its scripts: nothing ran
            self._sha = ""
            return False
        if isinstance(answer, CONNECTION_ERRORS):  # still loading
            raise Disconnected(str(answer)) from answer
        if isinstance(answer, ResponseError):
            tag, refusal = script.refusal_of(answer) or (job.tag, _refusal(answer))
            if tag != job.tag:
                raise OUT_OF_STEP from answer
            job.settle(refusal)
            return True
        tag, *reply = answer
        if tag != job.tag:
            raise OUT_OF_STEP
        try:
            job.settle(script.outcome_of(job.program, reply, asked_again=job.asked_again))
        except Exception as error:  # a broken ledger, or a fault of ours: its caller alone hears it
            job.settle(error)
        return True

    async def _connected(self) -> Pipe:
        if self._pipe is None:
            self._pipe, self._sha = await self._met(), ""
        if not self._sha:
            self._sha = bytes(await self._pipe.ask_one("SCRIPT", "LOAD", self._text)).decode()
        return self._pipe

    async def _met(self) -> Pipe:
        """A new way to a server that has said who it is; one that will not is let go."""
        pipe = await Pipe.to(self._client)
        try:
            await self._lineage.meet(pipe)
        except BaseException:
            await pipe.aclose()
            raise
        return pipe


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
