"""Parts of a batch, each a task of its own: solved by a worker, asked again of another, or solved here."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dispatcher.matching.elsewhere import Asked
from dispatcher.matching.solving import SolverPool
from dispatcher.workers import shared as shared_solvers
from dispatcher.workers.broker import Ref
from dispatcher.workers.parcels import RESULT, TASK
from dispatcher.workers.shared import SharedSolvers
from dispatcher.workers.tasks import FAILED
from solvers.part import pack_part_plan, solve_part, unpack_part
from solvers.planning import BatchPlan, digest
from solvers.saved import pack_plan
from solvers.screening import Screening
from tests.solvers.town import asked, screening, trip, vendor
from tests.workers.conftest import LIMIT_S, Cluster
from tests.workers.fakes import Words, answered, faked, message, words_of
from tests.workers.test_solves import WHOSE

VENDORS = 6


def batch(requests: int = 24, **values: float) -> Screening:
    """Two parts of it are solved one after the other, or one elsewhere."""
    return screening(
        [asked(trip(f"r{n}", width_min=30, start_min=60 + 10 * (n % 12))) for n in range(requests)],
        [vendor(f"v{n}") for n in range(VENDORS)],
        values={"solve_work_limit": 2000, "solve_time_limit_s": 20.0, "split_requests": 12} | values,
    )


async def test_a_worker_solves_parts_and_the_plan_is_the_one_that_is_made_here(shared: SharedSolvers) -> None:
    settled = list[BatchPlan]()

    async def hear(part: BatchPlan) -> None:
        settled.append(part)

    there = await shared.plan(batch(), whose=WHOSE, settled=hear)
    assert shared.parts >= 1
    assert pack_plan(there) == pack_plan(await shared.local.plan(batch()))
    assert there.limits is not None
    assert there.limits.parts == 2
    assert settled, "what is settled is told, wherever it was solved"
    assert {each.digest for each in settled} == {there.digest}


def _solved(shared: SharedSolvers, words: Words) -> bytes:
    """What a worker would answer."""
    ref = Ref(*words[:3])
    part = unpack_part(shared.desk.parcels.opened(ref, TASK, words[4]))
    return shared.desk.parcels.packed(ref, RESULT, pack_part_plan(solve_part(part), part))


async def test_a_part_is_a_task_of_its_own_under_snapshot_and_fence(
    cluster: Cluster, pool: SolverPool
) -> None:
    shared = faked(cluster, pool)
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    ref = await answered(shared.desk, lambda ref, words: _solved(shared, words))
    assert (ref.market, ref.fence) == WHOSE
    assert ref == Ref("metro", digest(batch()), WHOSE.fence).of_part(ref.part or 0)
    assert pack_plan(await planning) == pack_plan(await pool.plan(batch()))
    assert shared.parts == 1


async def test_the_part_of_a_lost_worker_is_asked_of_another(cluster: Cluster, pool: SolverPool) -> None:
    shared = faked(cluster, pool, silence_s=0.1)
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    first = words_of(await message(shared.desk))
    assert shared.desk.broker.take(Ref(*first[:3]), first[3], "w1")
    shared.desk.living.workers = frozenset({"w2"})
    second = words_of(await message(shared.desk))
    assert second[:3] == first[:3]
    assert shared.desk.broker.answer(Ref(*second[:3]), _solved(shared, second))
    assert pack_plan(await planning) == pack_plan(await pool.plan(batch()))
    assert shared.parts == 1
    assert not shared.desk.broker.answer(Ref(*first[:3]), b"late"), "of the lost one, nobody waits for it"


@pytest.mark.parametrize("wrong", ["fails", "lies"])
async def test_a_part_that_comes_to_nothing_is_solved_here(
    cluster: Cluster, pool: SolverPool, wrong: str
) -> None:
    shared = faked(cluster, pool, start_s=500.0)
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    words = words_of(await message(shared.desk))
    ref = Ref(*words[:3])
    assert shared.desk.broker.take(ref, words[3], "w1")
    if wrong == "fails":
        shared.desk.broker.tell(words[3], FAILED + b"MemoryError")
    else:
        shared.desk.broker.answer(ref, shared.desk.parcels.packed(ref, RESULT, b"no plan"))
    assert pack_plan(await planning) == pack_plan(await pool.plan(batch()))


async def test_a_part_is_waited_for_no_longer_than_its_time_while_the_broker_hangs(
    cluster: Cluster, pool: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its looks hang, and others wait behind them: the batch would be late, and the greedy's."""
    desk, over = faked(cluster, pool).desk, threading.Event()
    monkeypatch.setattr(desk.broker, "look", lambda *asked: over.wait())
    monkeypatch.setattr(shared_solvers, "PART_WAITS_S", 0.05)
    parts = shared_solvers._Parts(desk, Ref("metro", "abc", "7-abc"))
    try:
        async with asyncio.timeout(LIMIT_S):
            assert await parts.ask(Asked(0, 0.05, b"packed")) is None
        assert not over.is_set()
    finally:
        over.set()


async def test_whoever_cancels_leaves_no_parcel_and_no_task_that_is_wanted(
    cluster: Cluster, pool: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long packing and giving out take: what comes of them is let go."""
    desk, go, gone = faked(cluster, pool).desk, threading.Event(), threading.Event()
    packed, thrown_away = desk.parcels.packed, list[bytes]()

    def slowly(ref: Ref, purpose: str, plain: bytes) -> bytes:
        go.wait()
        return packed(ref, purpose, plain)

    def noted(parcel: bytes) -> None:
        thrown_away.append(parcel)
        gone.set()

    monkeypatch.setattr(type(desk.parcels), "packed", lambda self, *words: slowly(*words))
    monkeypatch.setattr(type(desk.parcels), "thrown_away", lambda self, parcel: noted(parcel))
    asking = asyncio.create_task(desk.asked(Ref("metro", "abc", "7-abc"), b"a batch", 1.0, until_s=2.0**40))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    go.set()
    assert await asyncio.to_thread(gone.wait, LIMIT_S)
    assert len(thrown_away) == 1
    assert asking.cancelled()


async def test_a_task_that_is_given_out_after_its_batch_was_cancelled_is_withdrawn(
    cluster: Cluster, pool: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, begun, go = faked(cluster, pool).desk, threading.Event(), threading.Event()
    give, ref = desk.broker.give, Ref("metro", "abc", "7-abc")

    def slowly(*words: Any) -> str:
        begun.set()
        go.wait()
        return give(*words)

    monkeypatch.setattr(desk.broker, "give", slowly)
    asking = asyncio.create_task(desk.asked(ref, b"a batch", 1.0, until_s=2.0**40))
    await asyncio.to_thread(begun.wait)
    asking.cancel()
    await asyncio.wait([asking])
    go.set()
    words = words_of(await message(desk))
    async with asyncio.timeout(LIMIT_S):
        while desk.broker.is_wanted(words[3]):
            await asyncio.sleep(0.01)


async def test_a_result_that_is_opened_while_its_batch_is_cancelled_is_thrown_away(
    cluster: Cluster, pool: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, begun, go, gone = faked(cluster, pool).desk, threading.Event(), threading.Event(), threading.Event()
    opened, results, ref = desk.parcels.opened, list[bytes](), Ref("metro", "abc", "7-abc")

    def slowly(*words: Any) -> bytes:
        begun.set()
        go.wait()
        return opened(*words)

    def result(of: Ref, _: Words) -> bytes:
        results.append(desk.parcels.packed(of, RESULT, b"a plan"))
        return results[0]

    monkeypatch.setattr(type(desk.parcels), "opened", lambda self, *words: slowly(*words))
    monkeypatch.setattr(
        type(desk.parcels), "thrown_away", lambda self, parcel: parcel in results and gone.set()
    )
    asking = asyncio.create_task(desk.asked(ref, b"a batch", 1.0, until_s=2.0**40))
    await answered(desk, result)
    assert await asyncio.to_thread(begun.wait, LIMIT_S)
    asking.cancel()
    await asyncio.wait([asking])
    went_amid = gone.is_set()
    go.set()
    assert (went_amid, await asyncio.to_thread(gone.wait, LIMIT_S)) == (False, True)


def test_processes_that_a_batch_was_promised_are_promised_to_no_other(
    cluster: Cluster, pool: SolverPool
) -> None:
    living = faked(cluster, pool).desk.living
    living.free = 3
    with living.promised() as first:
        living.free = 4  # a look later
        with living.promised() as second:
            assert (first, second) == (3, 1)
    with living.promised() as again:
        assert again == 4
