"""What a broker may do to a matcher: a test takes the task itself, and answers it as it likes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import msgpack

from dispatcher.matching.solving import SolverPool
from dispatcher.workers.broker import Ref
from dispatcher.workers.errands import Desk
from dispatcher.workers.kinds import Kind
from dispatcher.workers.shared import SharedSolvers
from tests.workers.conftest import LIMIT_S, Cluster

_numbers = count()
Words = tuple[str, str, str, str, bytes]  #: market, digest, fence, name, parcel


def faked(cluster: Cluster, pool: SolverPool, **desk: Any) -> SharedSolvers:
    """Solvers whose tasks no worker sees; one that says it lives is none."""
    made = cluster.desk(Kind(f"fake{next(_numbers)}", 60.0), **desk)
    made.broker.live("w1")
    made.living.workers, made.living.free = frozenset({"w1"}), 1
    return SharedSolvers(pool, made)


async def message(desk: Desk) -> dict[str, Any]:
    """The next task as it lies in the broker; the time only ends a test that would never end."""
    async with asyncio.timeout(LIMIT_S):
        while (raw := desk.broker._client.rpop(desk.broker.kind.queue)) is None:
            await asyncio.sleep(0.01)
    return dict(json.loads(raw))


def words_of(raw: dict[str, Any]) -> Words:
    args, _, _ = msgpack.unpackb(base64.b64decode(raw["body"]))
    return tuple(args)


async def answered(desk: Desk, answer: Callable[[Ref, Words], bytes]) -> Ref:
    """Take the next task, and leave this as its result."""
    words = words_of(await message(desk))
    ref = Ref(*words[:3])
    assert desk.broker.take(ref, words[3], "w1")
    assert desk.broker.answer(ref, answer(ref, words))
    return ref
