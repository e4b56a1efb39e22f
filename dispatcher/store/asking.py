"""While a slot moves key by key: what is there no more is asked of the server that the slot goes to.

Who has all the keys of a command answers it; who has none names the other (ASK), which answers whoever says
that it was sent (ASKING). Where they are half here and half there, both say TRYAGAIN: nothing was done, and
the same is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AskError, MovedError, ResponseError

from dispatcher.store import script
from dispatcher.store.commit_connection import CommitConnection, Job
from dispatcher.store.connection import misfiled, unavailable
from dispatcher.store.lineage import Lineage
from dispatcher.store.outcome import NOT_SENT, UNKNOWN, Outcome
from dispatcher.store.pipe import Pipe
from dispatcher.store.program import Program
from dispatcher.store.replicated import ReplicatedConnection
from dispatcher.store.topology import Address


def goes_to(error: object) -> Address | None:
    """Where the keys went that are there no more; None if the answer is another one."""
    if isinstance(error, AskError) and not isinstance(error, MovedError):
        return Address(error.host, error.port)
    return None


async def answers_of(client: Redis, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """What the server that a slot goes to answers, errors included."""
    pipeline = client.pipeline(transaction=False)
    for words in commands:
        pipeline.execute_command("ASKING")
        pipeline.execute_command(*words)
    return list(await pipeline.execute(raise_on_error=False))[1::2]


def apart(words: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """A question about many keys as one about each, answered wherever that lies; None: it is whole."""
    return [("GET", each) for each in words[1:]] if words[0] == "MGET" else None


def joined(answers: Sequence[Any]) -> Any:
    """Their answers as the one that was asked for; an error if one has no answer yet."""
    wrong = [each for each in answers if isinstance(each, ResponseError) and misfiled(each) is None]
    return wrong[0] if wrong else [None if isinstance(each, ResponseError) else each for each in answers]


async def commit(
    client: Redis,
    lineage: Lineage,
    program: Program,
    *,
    since: int,
    asked_again: bool,
    replicas: int,
) -> Outcome:
    """As `Committer.commit`, of one program, by itself."""
    connection = (_ReplicatedAsking if replicas else _Asking)(client, script.source("commit"), lineage)
    connection.replicas = replicas
    job = Job(program, b"asking", 0.0, since)
    job.asked_again = asked_again
    try:
        if job in await connection.exchange([job]):
            refusal = unavailable("the server that the market's slot goes to does not answer.")
            refusal.facts["outcome"] = UNKNOWN if job.asked_again else NOT_SENT
            raise refusal
    finally:
        await connection.disconnect()
    return await job.future


class _Asking(CommitConnection):
    """For one program at a time: the word counts for the next command alone."""

    replicas = 0

    async def _connected(self) -> Pipe:
        pipe = await super()._connected()
        await pipe.ask_one("ASKING")
        return pipe


class _ReplicatedAsking(_Asking, ReplicatedConnection):
    """And its effect is on so many replicas."""
