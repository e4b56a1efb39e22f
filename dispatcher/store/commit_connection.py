"""One connection for commits: what it sends, what it reads, and what a broken one leaves unknown."""

from __future__ import annotations

import asyncio
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
        self._pipe: Pipe | None = None
        self._sha = ""

    async def exchange(self, batch: list[Job]) -> list[Job]:
        """Settle every job that gets an answer; return the others, to be asked again."""
        try:
            pipe = await self._connected()
            now, sha = self._lineage.number, self._sha
            answers = await pipe.ask(
                [job.program.command_line(sha, job.tag, doubted=job.since < now) for job in batch]
            )
            return [job for job, answer in zip(batch, answers, strict=True) if not self._settle(job, answer)]
        except CONNECTION_ERRORS:
            for job in batch:
                job.asked_again |= self._pipe is not None and not job.future.done()
            await self.disconnect()
        except BaseException:
            await self.disconnect()
            raise
        return [job for job in batch if not job.future.done()]

    async def disconnect(self) -> None:
        """Let the connection go; answers that are still on their way are lost with it."""
        pipe, self._pipe = self._pipe, None
        if pipe:
            await pipe.aclose()

    def _settle(self, job: Job, answer: Any) -> bool:
        """Whether it is an answer. Raises ConnectionError where it is another question's."""
        if isinstance(answer, NoScriptError):  # the server forgot its scripts: nothing ran
            self._sha = ""
            return False
        if isinstance(answer, CONNECTION_ERRORS):  # still loading
            raise answer
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
        except script.BrokenLedger as error:
            job.settle(error)
        return True

    async def _connected(self) -> Pipe:
        if self._pipe is None:
            pipe = await Pipe.to(self._client)
            await self._lineage.meet(pipe)
            self._sha = ""
            self._pipe = pipe
        if not self._sha:
            self._sha = bytes(await self._pipe.ask_one("SCRIPT", "LOAD", self._text)).decode()
        return self._pipe


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
