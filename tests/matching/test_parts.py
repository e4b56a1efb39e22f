"""Parts of a plan that are settled: heard while the rest is solved, offered once, and the whole is saved."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
import termios
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from pickle import UnpicklingError
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import uvloop

from contracts.codes import RequestState
from contracts.tuning import Tuning
from contracts.unmatched import Unmatched
from dispatcher.decisions.decided import Decided
from dispatcher.matching import solving
from dispatcher.matching.arrivals import Recent
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import AT_ONCE, MANY_AT_ONCE, Ownership, run_bounded
from dispatcher.matching.elsewhere import Asked, Line
from dispatcher.matching.faults import FenceLost
from dispatcher.matching.job import Job
from dispatcher.matching.market import LONGEST_REST_S
from dispatcher.matching.parts import heard
from dispatcher.matching.solvers import Settled, Whose
from dispatcher.matching.solving import SolverPool
from solvers import part as parts
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening
from tests.matching.conftest import Town
from tests.solvers.town import asked, screening, trip, vendor

FEW = {"split_requests": 10}
PATIENT = {
    "solve_time_limit_s": 120.0
}  # it ends a test that would never end: a busy machine is slow to begin


def half(made: BatchPlan) -> BatchPlan:
    """As a part of it."""
    first = np.arange(len(made.chosen) // 2)
    return replace(
        made, chosen=made.chosen.only(first), cents=made.cents[first], next_best=made.next_best[first]
    )


DIES = 9  # the seed of a solve that is killed once its first part was heard


def tells(then: Path, job: Job, parts: Any) -> BatchPlan:
    """A solver that is done only once its first part was heard; if it dies, of what the greedy would not."""
    made = plan(job.screening)
    part = half(made)
    dies = job.seed == DIES
    parts.send(replace(part, chosen=replace(part.chosen, vendor=1 - part.chosen.vendor)) if dies else part)
    while not then.exists():
        time.sleep(0.01)
    if dies:
        os._exit(1)
    return made


async def test_a_part_is_heard_before_the_plan_is_there_and_is_in_it_though_the_solver_dies(
    tmp_path: Path,
) -> None:
    then, parts = tmp_path / "heard", list[BatchPlan]()

    async def settled(part: BatchPlan) -> None:
        parts.append(part)
        then.touch()

    def day(seed: int) -> Screening:
        values = FEW | PATIENT | {"solve_seed": seed}
        return screening(
            [asked(trip(f"r{n}")) for n in range(12)], [vendor("v1"), vendor("v2")], values=values
        )

    pool = SolverPool(entry=partial(tells, then), workers=1)
    try:
        made = await pool.plan(day(1), settled=settled)
        then.unlink()
        mended = await pool.plan(day(DIES), settled=settled)
    finally:
        await pool.aclose()
    heard_of, kept = parts
    assert 0 < len(heard_of.chosen) < len(made.chosen)
    assert heard_of.digest == made.digest
    places = dict(zip(mended.chosen.request.tolist(), mended.chosen.vendor.tolist(), strict=True))
    assert [places[row] for row in kept.chosen.request.tolist()] == kept.chosen.vendor.tolist()
    assert len(places) == len(made.chosen)
    assert (mended.digest, mended.solver) == (kept.digest, "optimiser")


async def test_where_what_was_settled_does_not_go_with_the_rest_the_greedy_plans_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have rested on a move that was never told: that is no reason to plan nothing."""

    def refuses(*_: object) -> BatchPlan:
        raise ValueError("the plan breaks a rule")

    monkeypatch.setattr("dispatcher.matching.solving.planned_beside", refuses)
    day = screening([asked(trip("r1"))], [vendor("v1")], values=FEW)
    made = await asyncio.to_thread(solving._beside, Job.of(day, 1.0, 1), [plan(day)])
    assert (len(made.chosen), made.solver) == (1, "greedy")


async def test_what_is_heard_holds_no_thread_while_nothing_comes() -> None:
    async def nothing(part: BatchPlan) -> None:
        pass

    async with contextlib.AsyncExitStack() as many:
        for _ in range(40):
            await many.enter_async_context(heard(nothing))
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            assert await asyncio.gather(*(asyncio.to_thread(int, "1") for _ in range(4))) == [1] * 4
        threads = asyncio.get_running_loop()._default_executor  # type: ignore[attr-defined]
        assert len(threads._threads) <= 4


async def test_what_is_done_with_a_part_is_done_to_its_end_and_its_failure_is_raised() -> None:
    begun, ended = asyncio.Event(), False

    async def settled(part: BatchPlan) -> None:
        nonlocal ended
        begun.set()
        await asyncio.sleep(0.05)
        ended = True
        raise FenceLost("lost")

    with pytest.raises(FenceLost):
        async with heard(settled) as parts:
            await asyncio.to_thread(parts.send, "a part")
            await begun.wait()
    assert ended


async def test_who_cannot_be_asked_for_a_part_is_an_answer_and_a_solver_that_died_ends_the_hearing() -> None:
    async def nothing(part: BatchPlan) -> None:
        pass

    async def fails(asked: Asked) -> bytes | None:
        if asked.number == 7:
            raise RuntimeError("a fault")
        return b"its plan"

    async with heard(nothing, fails) as parts, asyncio.timeout(30):
        solver = Connection(os.dup(parts.fileno()))
        for number in (7, 8):
            solver.send(Asked(number, 1.0, b"a part"))
        answers = [await asyncio.to_thread(solver.recv) for _ in range(2)]
        assert dict(answers) == {7: None, 8: b"its plan"}
        assert parts.closed, "its end is noticed by now"
        solver.close()


async def test_who_is_cancelled_lets_go_of_a_part() -> None:
    """A matcher that ends does not first commit thousands of matches."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def settled(part: BatchPlan) -> None:
        begun.set()
        await ended.wait()

    async def hears() -> None:
        async with heard(settled) as parts:
            await asyncio.to_thread(parts.send, "a part")
            await asyncio.Event().wait()

    hearing = asyncio.create_task(hears())
    await begun.wait()
    hearing.cancel()
    done, _ = await asyncio.wait({hearing}, timeout=20)
    ended.set()
    assert done
    assert hearing.cancelled()


async def test_who_is_cancelled_twice_leaves_no_thread_that_reads_what_another_is_sent() -> None:
    """The line's number is the next one's that is opened: a thread amid a part would read on there."""

    async def nothing(part: BatchPlan) -> None:
        pass

    solvers = list[socket.socket]()

    async def hears() -> None:
        async with heard(nothing) as parts:
            solvers.append(socket.socket(fileno=os.dup(parts.fileno())))
            await asyncio.Event().wait()

    hearing = asyncio.create_task(hears())
    while not solvers:
        await asyncio.sleep(0)
    (solver,) = solvers
    solver.sendall(struct.pack("!i", 1 << 20) + b"half")  # of a part of a megabyte
    async with asyncio.timeout(20):
        while unread(solver):
            await asyncio.sleep(0.001)
    for _ in range(3):
        hearing.cancel()
        await asyncio.sleep(0.01)
    await asyncio.gather(hearing, return_exceptions=True)
    pairs = [socket.socketpair() for _ in range(8)]
    with contextlib.suppress(OSError):  # nobody hears it any more
        solver.sendall(b"more of it")
    await asyncio.sleep(0.05)  # such a thread would be there by now
    for _, theirs in pairs:
        theirs.sendall(b"an answer")
    await asyncio.sleep(0.05)
    for ours, theirs in pairs:
        ours.setblocking(False)
        assert ours.recv(100) == b"an answer"
        ours.close()
        theirs.close()
    solver.close()


def unread(end: socket.socket) -> int:
    """Bytes sent that nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(end.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]


class InParts:
    """Solves here and now: half of the plan is settled before the whole is there."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.early: list[RequestState] = []

    async def plan(
        self,
        screening: Screening,
        most_s: float = 3600.0,
        whose: Whose | None = None,
        settled: Settled | None = None,
    ) -> BatchPlan:
        made = plan(screening)
        if settled is not None:
            await settled(half(made))
        self.early = [(await self.town.record(each)).state for each in self.town.ids]
        return made

    async def relax(
        self, screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]
    ) -> Sequence[Unmatched]:
        return whys


class BreaksAmid(InParts):
    """Breaks once half is settled: the greedy plans all of it, as `SolverPool` has it plan."""

    async def plan(
        self,
        screening: Screening,
        most_s: float = 3600.0,
        whose: Whose | None = None,
        settled: Settled | None = None,
    ) -> BatchPlan:
        await super().plan(screening, most_s, whose, settled)
        return plan(screening)


class Kept:
    """Remembers what is saved."""

    def __init__(self) -> None:
        self.decided: list[Any] = []

    def keep(self, decided: Any) -> None:
        self.decided.append(decided)


@pytest.mark.parametrize(("values", "early"), [(FEW, 6), ({}, 0)])
async def test_settled_matches_are_offered_once_while_the_rest_is_solved(
    town: Town, own: Ownership, values: dict[str, int], early: int
) -> None:
    await town.store.market(town.name).tuning.put(Tuning(version=1, values=dict(values)), 0)
    await town.add_vendor(vendor("v1"), units=20)
    await town.submit(*(trip(f"r{n:02}", start_min=240) for n in range(12)))
    solvers, saver = InParts(town), Kept()
    town.market.saver = saver
    done = await run_batch(own, town.market, solvers)
    assert solvers.early.count(RequestState.OFFERED) == early
    assert len(done.offered) == 12
    assert done.fell_out == 0
    records = [await town.record(each) for each in town.ids]
    assert [len(each.offers) for each in records] == [1] * 12
    (saved,) = saver.decided
    assert isinstance(saved, Decided)
    assert saved.became == ("offered",) * 12


async def test_after_a_solver_broke_all_is_planned_from_what_there_was_and_replays(
    town: Town, own: Ownership
) -> None:
    """What is settled has taken units by then: they are there for whom they were planned."""
    await town.store.market(town.name).tuning.put(Tuning(version=1, values=dict(FEW)), 0)
    await town.add_vendor(vendor("v1"), units=12)
    await town.submit(*(trip(f"r{n:02}", start_min=240) for n in range(12)))
    town.market.saver = saver = Kept()
    done = await run_batch(own, town.market, BreaksAmid(town))
    assert len(done.offered) == 12
    (saved,) = saver.decided
    again = plan(saved.screening())
    assert (again.digest, again.cost) == (saved.plan.digest, saved.plan.cost)
    assert again.chosen.request.tolist() == saved.plan.chosen.request.tolist()


@pytest.mark.parametrize(("since_imminent_s", "most"), [(3_600.0, MANY_AT_ONCE), (0.0, AT_ONCE)])
async def test_fewer_commits_are_under_way_where_imminent_ones_may_come(
    town: Town, since_imminent_s: float, most: int
) -> None:
    """Else an imminent request would wait behind them all."""
    town.market.imminent_s = time.monotonic() - since_imminent_s
    now = peak = done = 0

    async def commit() -> None:
        nonlocal now, peak, done
        now += 1
        peak = max(peak, now)
        for _ in range(2 * MANY_AT_ONCE):  # turns of the loop: one more begins in each
            await asyncio.sleep(0)
        now -= 1
        done += 1

    await run_bounded((commit() for _ in range(300)), town.market, yields_to_imminent=True)
    assert (done, now) == (300, 0)
    assert peak == most


async def test_a_batch_rests_the_longer_the_faster_imminent_requests_come(town: Town) -> None:
    now_s, market = 0.0, town.market
    market.imminent = Recent(wall=lambda: now_s)
    assert market.rest_s == 0.0
    market.imminent.note(50)
    assert market.rest_s == pytest.approx(0.002)
    market.imminent.note(150)
    assert market.rest_s == pytest.approx(0.008)
    market.imminent.note(10_000)
    assert market.rest_s == LONGEST_REST_S
    now_s = 60.0
    assert market.rest_s < 1e-9


async def test_while_they_come_fast_a_batch_rests_before_each_of_its_pieces(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is imminent itself does not."""
    market, rests, sleep = town.market, list[float](), asyncio.sleep

    async def rested(delay_s: float) -> None:
        rests.append(delay_s)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", rested)
    market.imminent_s = time.monotonic()
    market.imminent = Recent(wall=lambda: 0.0)
    market.imminent.note(200)
    for yields, times in ((True, 3), (False, 0)):
        rests.clear()
        await run_bounded((sleep(0) for _ in range(3)), market, yields_to_imminent=yields)
        assert rests.count(market.rest_s) == times
    for pass_by, times in ((market.give_way, 1), (market.let_pass, 0)):
        rests.clear()
        await pass_by()
        assert rests.count(market.rest_s) == times


async def test_runners_beyond_the_few_end_once_imminent_work_comes(town: Town) -> None:
    started = list[int]()

    async def commit(number: int) -> None:
        started.append(number)
        if number == 150:
            town.market.imminent_s = time.monotonic()
        await asyncio.sleep(0)

    await run_bounded(map(commit, range(400)), town.market, yields_to_imminent=True)
    assert started == list(range(400))


async def test_a_solver_waits_for_nobody_who_is_busy_with_an_earlier_part() -> None:
    """Its parts are larger than what a pipe holds."""
    busy, large, sent = asyncio.Event(), bytes(1_000_000), asyncio.Event()

    async def settled(part: BatchPlan) -> None:
        busy.set()
        await sent.wait()

    async with heard(settled) as parts:
        for _ in range(3):
            await asyncio.wait_for(asyncio.to_thread(parts.send, large), 30)
        await busy.wait()
        sent.set()


async def test_a_solver_that_dies_amid_a_part_ends_the_hearing_in_order() -> None:
    heard_of = list[BatchPlan]()

    async def settled(part: BatchPlan) -> None:
        heard_of.append(part)

    async with heard(settled) as parts:
        os.write(parts.fileno(), b"\x00\x00\x10\x00" + bytes(100))  # of 4,096
        await asyncio.sleep(0)
    assert not heard_of


LARGE = b"x" * 5_000_000  # more than a socket holds


def test_what_comes_in_pieces_is_heard_whole_and_answered_where_the_loop_is_uvloops() -> None:
    """uvloop makes what it looks at non-blocking: a batch of thousands of requests stood still for ever."""
    parts = list[Any]()

    async def settled(part: Any) -> None:
        parts.append(part)

    async def answer(asked: Asked) -> bytes:
        return asked.packed

    async def hears() -> Any:
        async with heard(settled, answer) as its, asyncio.timeout(60):
            solver = Connection(os.dup(its.fileno()))
            await asyncio.to_thread(solver.send, LARGE)
            await asyncio.to_thread(solver.send, Asked(1, 1.0, LARGE))
            return await asyncio.to_thread(solver.recv)

    assert uvloop.run(hears()) == (1, LARGE)
    assert parts == [LARGE]


async def test_where_what_a_solver_says_cannot_be_read_it_is_not_left_waiting() -> None:
    async def settled(part: Any) -> None:
        raise AssertionError(part)

    with pytest.raises(UnpicklingError):
        async with heard(settled) as its, asyncio.timeout(60):
            its.send_bytes(b"no part")
            with pytest.raises(OSError, match="pipe"):
                await asyncio.to_thread(its.send, LARGE)


async def test_a_solver_that_cannot_read_an_answer_waits_for_none_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "pack_part", lambda part: b"")
    ours, its = Pipe()
    part: Any = SimpleNamespace(number=1, time_limit_s=1.0)
    with Line(its, at_once=1) as line, ours:
        solving_it = asyncio.create_task(asyncio.to_thread(line.solved, part))
        assert await asyncio.to_thread(ours.recv) == Asked(1, 1.0, b"")
        ours.send_bytes(b"no answer")
        async with asyncio.timeout(20):
            assert await solving_it is None
            assert await asyncio.to_thread(line.solved, part) is None
