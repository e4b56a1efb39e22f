"""Batches solved by a worker of another process, over a broker: the plan is as good as one of our own."""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from dispatcher.blobs.folder import Folder
from dispatcher.matching.solvers import Whose
from dispatcher.matching.solving import SolverPool
from dispatcher.store.pulse import Workers
from dispatcher.workers.broker import BrokerDown, Ref
from dispatcher.workers.errands import Desk, NotDone
from dispatcher.workers.jobs import found_bytes
from dispatcher.workers.kinds import SOLVES
from dispatcher.workers.living import LOAD_S
from dispatcher.workers.parcels import ONE_PLACE, RESULT, TASK
from dispatcher.workers.shared import SharedSolvers
from dispatcher.workers.tasks import FAILED
from dispatcher.workers.worker import name_of
from solvers.found import Found
from solvers.planning import plan
from solvers.saved import pack_plan
from solvers.screening import Screening
from tests.solvers.town import CENTRE, asked, screening, trip, vendor
from tests.workers.conftest import LIMIT_S, Cluster, until_living
from tests.workers.fakes import Words, answered, faked, message, words_of

WHOSE = Whose("metro", "7-abc")


def batch(requests: int = 6, **values: float) -> Screening:
    return screening(
        [asked(trip(f"r{n}", width_min=0)) for n in range(requests)], [vendor("v1"), vendor("v2")],
        values={"solve_work_limit": 1000, "solve_time_limit_s": 2.0} | values,
    )  # fmt: skip


async def test_a_worker_finds_the_plan_that_the_local_pool_would(shared: SharedSolvers) -> None:
    there = await shared.plan(batch(), whose=WHOSE)
    assert shared.elsewhere == 1
    here = await shared.local.plan(batch())
    assert pack_plan(there) == pack_plan(here)
    assert there.lost is not None
    assert there.limits == here.limits


async def test_a_large_batch_is_screened_here_while_a_worker_solves_it(
    shared: SharedSolvers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.workers.shared.LARGE", 0)
    there = await shared.plan(batch(8), whose=WHOSE)
    assert shared.elsewhere == 1
    assert pack_plan(there) == pack_plan(await shared.local.plan(batch(8)))


async def test_what_is_too_large_for_the_broker_goes_through_the_object_store_and_is_not_left_there(
    working: Cluster, pool: SolverPool
) -> None:
    desk = working.desk(small=100)
    await until_living(desk)
    shared = SharedSolvers(pool, desk)
    assert len((await shared.plan(batch(7), whose=WHOSE)).chosen) == 4
    assert shared.elsewhere == 1
    async with asyncio.timeout(20):
        while desk.parcels.blobs.under("metro"):
            await asyncio.sleep(0.02)


async def test_a_worker_that_finds_no_parcel_says_which_setting_to_look_at(
    working: Cluster, pool: SolverPool, tmp_path: Path
) -> None:
    """Each machine has a folder of its own: the large batches, for which workers are there, fail."""
    there = working.desk(small=100)
    desk = replace(there, parcels=replace(there.parcels, blobs=Folder(tmp_path)))
    await until_living(desk)
    shared = SharedSolvers(pool, desk)
    with capture_logs() as said:
        assert len((await shared.plan(batch(7), whose=WHOSE)).chosen) == 4
    assert shared.elsewhere == 0
    (line,) = [each for each in said if each["event"] == "solved_here"]
    assert line["reason"] == f"a worker could not do it: it is not where it was left\n{ONE_PLACE}"


async def test_the_broker_holds_no_door_and_nothing_that_could_run(
    cluster: Cluster, pool: SolverPool
) -> None:
    shared = faked(cluster, pool, start_s=0.2)
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    raw = await message(shared.desk)
    body = base64.b64decode(raw["body"])
    assert raw["content-type"] == "application/x-msgpack"
    assert all(struct.pack(order + "d", each) not in body for each in CENTRE for order in "<>")
    words = words_of(raw)
    assert words[:2] == ("metro", plan(batch()).digest)
    assert raw["headers"]["timelimit"] == [7, None], "its budget and five seconds"
    assert raw["headers"]["argsrepr"] == ":".join(words[:3])
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(words[4])
    assert (await planning).solver == "optimiser"
    assert shared.elsewhere == 0, "nobody took it: it was solved here"


def _sealed(desk: Desk, ref: Ref, found: Found, purpose: str = RESULT) -> bytes:
    return desk.parcels.packed(ref, purpose, found_bytes(found))


def _overbooked(made: Screening) -> Found:
    best = plan(made, lambda problem: np.unique(problem.column_request, return_index=True)[1])
    return Found.of(best)


WRONG: dict[str, Callable[[Desk, Ref, Words, Found], bytes]] = {
    "nothing": lambda desk, ref, words, found: b"\x00",
    "a pickle": lambda desk, ref, words, found: b"\x00" + pickle.dumps(found),
    "in the clear": lambda desk, ref, words, found: b"\x00" + found_bytes(found),
    "another's file": lambda desk, ref, words, found: b"\x01metro/../../patient-keys.json",
    "the task itself": lambda desk, ref, words, found: words[4],
    "for another purpose": lambda desk, ref, words, found: _sealed(desk, ref, found, TASK),
    "under an old fence": lambda desk, ref, words, found: _sealed(desk, ref._replace(fence="6-abc"), found),
    "of another batch": lambda desk, ref, words, found: _sealed(desk, ref._replace(digest="0" * 16), found),
    "that says another digest": lambda desk, ref, words, found: _sealed(desk, ref, replace(found, digest="")),
    "that puts all with one": lambda desk, ref, words, found: _sealed(
        desk, ref, replace(found, vendor=np.zeros_like(found.vendor))
    ),
    "that names nobody": lambda desk, ref, words, found: _sealed(
        desk, ref, replace(found, request=found.request + 1000)
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_result_is_refused_and_the_batch_is_solved_here(
    cluster: Cluster, pool: SolverPool, wrong: str
) -> None:
    shared = faked(cluster, pool)
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    found = Found.of(plan(batch()))
    await answered(shared.desk, lambda ref, words: WRONG[wrong](shared.desk, ref, words, found))
    made = await planning
    assert shared.elsewhere == 0
    assert pack_plan(made) == pack_plan(await pool.plan(batch()))


async def test_a_worker_that_says_it_could_not_is_not_waited_for(cluster: Cluster, pool: SolverPool) -> None:
    shared = faked(cluster, pool, start_s=500.0)
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    words = words_of(await message(shared.desk))
    assert shared.desk.broker.take(Ref(*words[:3]), words[3], "w1")
    shared.desk.broker.tell(words[3], FAILED + b"MemoryError")
    assert len((await planning).chosen) == 4


async def test_of_two_results_the_first_counts_and_what_is_done_or_not_wanted_is_done_by_nobody(
    cluster: Cluster, pool: SolverPool
) -> None:
    desk = faked(cluster, pool).desk
    broker, ref = desk.broker, Ref("metro", "abc", "1-x")
    name = broker.give(ref, 0, b"\x00", 1.0, 60.0)
    assert broker.take(ref, name, "w1")
    assert broker.take(ref, name, "w2"), "its first process died: it came back"
    assert broker.answer(ref, b"first")
    assert not broker.answer(ref, b"second")
    assert broker.look(ref, name)[:2] == (b"first", "w2")
    assert not broker.take(ref, name, "w3"), "it is done"
    broker.forget(ref)
    broker.withdraw(name)
    assert not broker.take(ref, name, "w3"), "nobody wants it"


async def test_a_task_whose_processes_all_die_is_given_to_no_more(cluster: Cluster, pool: SolverPool) -> None:
    broker, ref = faked(cluster, pool).desk.broker, Ref("metro", "abc", "1-x")
    name = broker.give(ref, 0, b"\x00", 1.0, 60.0)
    assert [broker.take(ref, name, "w1") for _ in range(5)] == [True, True, True, False, False]


async def test_who_is_busy_and_what_waits_is_known(cluster: Cluster, pool: SolverPool) -> None:
    broker, refs = faked(cluster, pool).desk.broker, [Ref("metro", name, "1-x") for name in "abc"]
    names = [broker.give(each, 0, b"\x00", 1.0, 60.0) for each in refs]
    assert broker.take(refs[0], names[0], "w1")
    assert broker.take(refs[1], names[1], "one that has gone")
    living, found, free = broker.workers()
    assert (living, found[:3], free) == ({"w1"}, (1, 1, 1), 0), "one lives and is busy, one task waits"
    broker.live("w1", 4)
    assert broker.workers().free == 2, "of its four processes one is at work, and one will be"
    given = broker._key("given")
    broker._client.zincrby(given, -30_000, names[2])
    assert 30 <= broker.workers()[1].oldest_task_s < 600
    broker._client.delete(broker._key("wanted", names[2]))
    assert broker.workers()[1] == (1, 1, 0, 0.0), "its matcher has died: nobody wants it"
    broker.withdraw(names[0])
    assert broker.workers()[1] == (1, 0, 0, 0.0), "and w1 is done"
    broker.withdraw(names[1])
    assert not broker._client.exists(given)


async def test_names_that_the_broker_makes_up_end_nobody(cluster: Cluster, pool: SolverPool) -> None:
    broker, ref = faked(cluster, pool).desk.broker, Ref("metro", "abc", "1-x")
    name = broker.give(ref, 0, b"\x00", 1.0, 60.0)
    assert broker.take(ref, name, "w1")
    broker._client.set(broker._key("taken", name), b"\xff\xfe")
    broker._client.sadd(broker._key("workers"), b"\xff")
    broker._client.zadd(broker._key("given"), {b"\xff": 1})
    living, found, _ = broker.workers()
    assert (living, found[:3]) == ({"w1"}, (1, 0, 0))


def test_a_worker_that_is_started_again_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container each has the host's name and the number 1: what the one before had would be its own."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert name_of(SOLVES) != name_of(SOLVES)


async def test_the_number_of_workers_is_news_at_once_and_what_they_do_every_few_seconds(
    cluster: Cluster, pool: SolverPool
) -> None:
    heard: list[Workers] = []

    async def hear(workers: Workers) -> None:
        heard.append(workers)

    living = faked(cluster, pool).desk.living
    living.tell = hear
    await living.look()
    ref = Ref("metro", "abc", "1-x")
    living.broker.take(ref, living.broker.give(ref, 0, b"\x00", 1.0, 60.0), "w1")
    await living.look()
    assert heard == [Workers(1)], "told a moment ago"
    living._told_at_s -= LOAD_S
    await living.look()
    assert heard[1:] == [Workers(1, busy=1)]
    living.broker.live("w2")
    await living.look()
    assert heard[2:] == [Workers(2, busy=1)]


async def test_what_a_lost_worker_had_is_given_to_another(cluster: Cluster, pool: SolverPool) -> None:
    shared = faked(cluster, pool, silence_s=0.1)
    desk = shared.desk
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    first = words_of(await message(desk))
    assert desk.broker.take(Ref(*first[:3]), first[3], "w1")
    desk.living.workers = frozenset({"w2"})
    second = words_of(await message(desk))
    ref = Ref(*second[:3])
    assert (second[:3], second[3]) == (first[:3], f"{ref}:1")
    assert desk.broker.take(ref, second[3], "w2")
    assert desk.broker.answer(ref, _sealed(desk, ref, Found.of(plan(batch()))))
    assert len((await planning).chosen) == 4
    assert shared.elsewhere == 1
    async with asyncio.timeout(20):  # nobody waits for it to be told so
        while desk.broker.is_wanted(first[3]) or desk.broker.is_wanted(second[3]):
            await asyncio.sleep(0.01)
    assert not desk.broker.take(ref, first[3], "w1"), "late, it finds nothing to do"


async def test_without_a_worker_or_a_broker_the_local_pool_solves(cluster: Cluster, pool: SolverPool) -> None:
    shared = SharedSolvers(pool, cluster.desk())
    assert len((await shared.plan(batch(), whose=WHOSE)).chosen) == 4
    shared.desk.broker.app.conf.broker_url = "redis+socket:///nowhere"
    shared.desk.broker.app.conf.result_backend = "redis+socket:///nowhere"
    shared.desk.living.workers = frozenset({"w1"})
    assert len((await shared.plan(batch(), whose=WHOSE)).chosen) == 4
    await shared.desk.living.look()
    assert shared.desk.living.workers == frozenset()
    assert shared.elsewhere == 0


async def test_the_silence_of_a_broker_is_counted_until_its_answer_failed_not_until_it_was_asked(
    cluster: Cluster, pool: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked once more it would be waited for twice as long."""
    desk, looks = faked(cluster, pool, silence_s=0.02).desk, list[str]()

    def hangs(ref: Ref, name: str) -> None:
        looks.append(name)
        time.sleep(0.04)
        raise BrokerDown("it hangs")

    monkeypatch.setattr(desk.broker, "look", hangs)
    with pytest.raises(NotDone, match="it hangs"):
        await desk.asked(Ref("metro", "abc", "7-abc"), b"", 1.0, until_s=time.monotonic() + 60.0)
    assert len(looks) == 1


async def test_what_a_broker_that_hangs_is_told_holds_up_no_other_thread(
    cluster: Cluster, pool: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each part in vain it is told that it is not wanted any more; our other threads have other work."""
    desk, over = faked(cluster, pool, start_s=0.0).desk, threading.Event()
    monkeypatch.setattr(desk.broker, "withdraw", lambda name: over.wait())
    asking = [
        desk.asked(Ref("metro", f"abc{n}", "7-abc"), b"", 1.0, until_s=time.monotonic() + 60.0)
        for n in range(40)
    ]
    try:
        async with asyncio.timeout(LIMIT_S):
            found = await asyncio.gather(*asking, return_exceptions=True)
            assert [type(each) for each in found] == [NotDone] * 40
            await asyncio.to_thread(time.monotonic)
        assert not over.is_set()
    finally:
        over.set()


async def test_a_broker_whose_memory_is_full_and_a_place_of_parcels_that_is_away_hold_up_no_batch(
    cluster: Cluster, pool: SolverPool, tmp_path: Path
) -> None:
    full, away = (faked(cluster, pool, start_s=500.0, small=small) for small in (1_000_000, 1))
    (file := tmp_path / "no folder").touch()
    away.desk = replace(away.desk, parcels=replace(away.desk.parcels, blobs=Folder(file)))
    client = full.desk.broker._client
    client.config_set("maxmemory", 1)
    try:
        made = await full.plan(batch(), whose=WHOSE)
    finally:
        client.config_set("maxmemory", 0)
    for each in (made, await away.plan(batch(), whose=WHOSE)):
        assert len(each.chosen) == 4
    assert (full.elsewhere, away.elsewhere) == (0, 0)


async def test_who_cancels_a_batch_withdraws_its_task(cluster: Cluster, pool: SolverPool) -> None:
    shared = faked(cluster, pool)
    planning = asyncio.create_task(shared.plan(batch(), whose=WHOSE))
    name = words_of(await message(shared.desk))[3]
    planning.cancel()
    await asyncio.gather(planning, return_exceptions=True)
    async with asyncio.timeout(20):
        while shared.desk.broker.is_wanted(name):
            await asyncio.sleep(0.01)
