"""The task about what cannot be read of a request ends by itself, once all of that can be read again.

A key that came back, a record that was restored: whoever opened the task may be another process, or gone. Of
what could not be planned it ends once it was. Of
a picture it waits for a person: it lies elsewhere, and nobody fetches it to see whether it is whole.
"""

from __future__ import annotations

from contracts.instants import to_ms
from contracts.tasks import TaskKind
from contracts.threads import About
from dispatcher.domain.commands.set_aside import PLAN, ReadAgain
from dispatcher.domain.proofs import proof_id
from dispatcher.domain.refusals import Unreadable
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import TaskRecord
from dispatcher.domain.threads import thread_id, threads_of
from dispatcher.service.execute import Executor
from dispatcher.store import tasks, threads
from dispatcher.store.market import MarketStore
from dispatcher.store.proofs import PICTURE

BY = "service"
AT_ONCE = 100  # read together


async def settle(executor: Executor, market: str) -> int:
    """Settle the tasks of requests that this process can read; how many. Raises Unavailable."""
    stored, settled = executor.markets.store(market), 0
    names = await stored.tasks.waiting_of(TaskKind.UNREADABLE)
    for at in range(0, len(names), AT_ONCE):
        known = await stored.tasks.records.get_all(names[at : at + AT_ONCE])
        waiting = [each for each in known.values() if each.code != PICTURE]
        ids = [each.request_id for each in waiting]
        records, bodies = await stored.requests.records_and_bodies(ids, ids)
        for task in waiting:
            name = task.request_id
            record = records.get(name)
            if _is_planned(task, record) and await _is_whole(stored, name, record, bodies[name]):
                outcome = await executor.attempt(BY, market, ReadAgain(task_id=task.id), task)
                settled += outcome is not None and outcome.ok
    return settled


def _is_planned(task: TaskRecord, record: RequestRecord | None) -> bool:
    """Whether what made planning it raise is over: it was offered or explained since, or has ended."""
    if not task.code.startswith(PLAN) or record is None or record.state in TERMINAL:
        return True
    explained = record.unmatched.explained_at if record.unmatched is not None else None
    planned_ms = [each.made_ms for each in record.offers] + ([to_ms(explained)] if explained else [])
    return max(planned_ms, default=0) > task.opened_ms


async def _is_whole(stored: MarketStore, name: str, record: RequestRecord | None, body: bytes | None) -> bool:
    """Whether all of a request can be read, if there still is one."""
    try:
        if record is None:
            return await stored.requests.come_or_lost(name) is None
        stored.requests.opened(name, body or b"")
        stored.requests.opened_whole(name, body or b"")
        return (
            await _tasks_are_whole(stored, record)
            and await _proofs_are_whole(stored, record)
            and await _threads_are_whole(stored, record)
        )
    except Unreadable:
        return False


async def _tasks_are_whole(stored: MarketStore, record: RequestRecord) -> bool:
    found = [await stored.tasks.records.get(each) for each in record.tasks]
    said = [(task.id, each.sealed) for task in found if task is not None for each in task.comments]
    return all(stored.tasks.open(*each) != tasks.UNREADABLE for each in said)


async def _proofs_are_whole(stored: MarketStore, record: RequestRecord) -> bool:
    """Raises Unreadable where one is not."""
    for name in [offer_id(record, each) for each in record.offers]:
        proof = await stored.proofs.records.get(proof_id(name))
        for given in proof.given if proof is not None else ():
            stored.proofs.open(name, given.sealed)
    return True


async def _threads_are_whole(stored: MarketStore, record: RequestRecord) -> bool:
    names = [*threads_of(record), *([thread_id(About.EPISODE, record.episode)] if record.episode else [])]
    found = [await stored.threads.records.get(each) for each in names]
    texts = [stored.threads.open(each.id, each.messages) for each in found if each is not None]
    return all(threads.UNREADABLE not in some for some in texts)
