"""A what-if in a worker: read from the store by its id, compared, told how far it is, its answer sealed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from functools import partial

import msgspec

from contracts.what_if import WhatIfAnswer
from dispatcher.blobs.places import decisions_of
from dispatcher.decisions.store import DecisionStore
from dispatcher.domain.refusals import Refusal
from dispatcher.runtime.clock import make_clock
from dispatcher.runtime.priority import come_last
from dispatcher.security.key_files import read_patient_keys
from dispatcher.service.service import Service
from dispatcher.settings import Settings
from dispatcher.store.store import Store
from dispatcher.tuning import plugins
from dispatcher.what_if.child import Asked
from dispatcher.what_if.child import compare as compared
from dispatcher.what_if.preparing import is_digest, of_saved, prepared
from dispatcher.workers.broker import BrokerDown
from dispatcher.workers.parcels import RESULT
from dispatcher.workers.tasks import Task
from dispatcher.workers.told import Answered, answered_bytes
from solvers.travel import DetourTravel

TELL_S = 0.5


class Unwanted(Exception):
    """Nobody waits for it any more: it was cancelled, or another matcher has the market."""


def compare(task: Task) -> None:
    """Raises Unwanted, NoParcel; what the store raises."""
    come_last()
    task.opened()  # it is from a matcher: nobody else has the key
    try:
        asked = asyncio.run(_asked(task.settings, task.ref.market, task.ref.digest, task.ref.fence))
        answer = compared(asked, _now_and_then(task))
    except Refusal as refusal:
        task.answer(RESULT, answered_bytes(Answered(refused=refusal.detail)))
        return
    task.answer(RESULT, answered_bytes(Answered(answer=_packed(answer))))


def _packed(answer: WhatIfAnswer) -> bytes:
    return msgspec.msgpack.encode(answer)


async def _asked(settings: Settings, market: str, what_if: str, runner: str) -> Asked:
    """What is to be compared. Raises Unwanted, Refusal."""
    ring, tz = read_patient_keys(settings.patient_keys_file), settings.markets[market]
    clock = make_clock(*settings.clock)
    async with Store(settings.redis_url, ring, identity=settings.store_identity) as store:
        stored = store.market(market)
        one = await stored.what_ifs.get(what_if)
        if one is None or one.unwanted or one.standing.runner != runner:
            raise Unwanted
        request = one.asked.request
        if not is_digest(request.against):
            return await prepared(stored, tz, clock, DetourTravel.of, request)
        decisions = DecisionStore(decisions_of(settings), store.vault)
        registry = plugins.load(settings.rules)
        service = Service(store, clock, settings.markets, registry, DetourTravel.of, decisions=decisions)
        return await of_saved(request, partial(service.decisions.saved, market))


def _now_and_then(task: Task) -> Callable[[float], None]:
    last_s = 0.0

    def told(share: float) -> None:
        nonlocal last_s
        if time.monotonic() - last_s < TELL_S:
            return
        last_s = time.monotonic()
        with contextlib.suppress(BrokerDown):  # one that is away hears of the result
            task.broker.tell(task.name, f"{share:.4f}".encode())
            if not task.broker.is_wanted(task.name):
                raise Unwanted

    return told
