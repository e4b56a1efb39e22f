"""A commit is told of only once replicas have it: whoever outlives the primary then knows it.

A commit that wrote nothing (asked again, it finds its own effect) proves nothing by itself: `WAIT` counts
from the connection's last write. So one is made then.
"""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from dispatcher.store.commit_connection import CommitConnection, Job
from dispatcher.store.connection import CONNECTION_ERRORS, unavailable
from dispatcher.store.keys import beside
from dispatcher.store.lineage import Lineage
from dispatcher.store.outcome import UNKNOWN, Outcome, Status

WAIT_MS = 1_000  # for replicas to say that they have it; below the least that a commit may take
KEPT_MS = 60_000  # of what is written for its own sake
WAITED = "waited"


class ReplicatedConnection(CommitConnection):
    """As `CommitConnection`; what `replicas` of the server have not is told as unknown, to be asked again."""

    def __init__(self, client: Redis, text: bytes, lineage: Lineage, replicas: int = 0) -> None:
        super().__init__(client, text, lineage)
        self.replicas = replicas

    async def exchange(self, batch: list[Job]) -> list[Job]:
        """See `CommitConnection`."""
        held = [_held(job) for job in batch]
        try:
            left = {id(each) for each in await super().exchange(held)}
            proved = await self._proved(held, left)
        except BaseException:  # who is cancelled may have been told what is there
            for job, own in zip(batch, held, strict=True):
                job.asked_again = own.asked_again or _is_done(own)
            raise
        again: list[Job] = []
        for job, own in zip(batch, held, strict=True):
            job.asked_again = own.asked_again
            if id(own) in left:
                again.append(job)
            elif _is_done(own) and proved < self.replicas:
                job.settle(self._refusal(proved))
            else:
                job.settle(own.future.exception() or own.future.result())
        return again

    async def _proved(self, held: Sequence[Job], left: set[int]) -> int:
        """As `_has_replicas`; where it is not known, all that was done is left to be asked again."""
        try:
            return await self._has_replicas([each for each in held if id(each) not in left])
        except CONNECTION_ERRORS:  # it may be there, or not
            await self.disconnect()
            left.update(id(each) for each in held if _is_done(each))
            for each in held:
                each.asked_again = each.asked_again or id(each) in left
            return 0

    async def _has_replicas(self, answered: Sequence[Job]) -> int:
        """How many have all that was done; as many as are wanted if nothing was."""
        done = [each for each in answered if _is_done(each)]
        pipe = self._pipe
        if not done or pipe is None:
            return self.replicas if not done else 0
        wrote = all(each.future.result().status is Status.OK and not each.asked_again for each in done)
        try:
            if not wrote:
                key = beside(done[0].program.key, WAITED)
                await pipe.ask_one("SET", key, "", "PX", KEPT_MS)
            return int(await pipe.ask_one("WAIT", self.replicas, WAIT_MS))
        except ResponseError:  # it is a replica itself by now, or takes no writes
            return 0

    def _refusal(self, proved: int) -> Exception:
        refusal = unavailable(
            f"{proved} of {self.replicas} replicas have it, which DISPATCHER_WAIT_REPLICAS asks for."
        )
        refusal.facts["outcome"] = UNKNOWN
        return refusal


def _held(job: Job) -> Job:
    """The same question, whose answer is kept back."""
    made = Job(job.program, job.tag, job.deadline, job.since)
    made.asked_again = job.asked_again
    return made


def _is_done(job: Job) -> bool:
    """Whether its effect is promised: by the answer that it has."""
    if not job.future.done() or job.future.exception() is not None:
        return False
    outcome: Outcome = job.future.result()
    return outcome.ok
