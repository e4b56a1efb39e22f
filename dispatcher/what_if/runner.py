"""Works on the what-ifs of one market, one at a time, in a process of their own that gives way to all else.

Only who owns the market does, or who has the lease of its jobs where these run apart. It begins in a moment
when no requests come in fast, and reads what it compares in that process. While a batch is solved or waits
for its solver, or many requests come, it is stopped; who cancels ends it. What was at work when its process
went is interrupted, and said to be.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import structlog

from contracts.what_if import WhatIfAnswer, WhatIfState
from dispatcher.domain.refusals import Refusal, Unavailable
from dispatcher.matching.arrivals import GivesWay
from dispatcher.matching.low_priority import started, stopped_or_not, whole
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.unforeseen import ended_with, told_of
from dispatcher.service.what_ifs import DAYS
from dispatcher.store.lease import LeasePart
from dispatcher.store.market import MarketStore
from dispatcher.store.what_ifs import Standing, WhatIf
from dispatcher.what_if.child import Asked, Refused, Told, work
from dispatcher.what_if.errand import Errand
from dispatcher.what_if.preparing import SavedOf, is_digest, of_saved, prepared
from solvers.rules import registry
from solvers.travel import TravelOf

LOOK_S, POLL_S, TELL_S = 0.5, 0.05, 0.5  # real seconds
LONGEST_S = 3_600.0  # what hangs, or never has its turn, must not keep the others waiting for ever
log = structlog.get_logger()
S = WhatIfState


class Elsewhere(Protocol):
    """Workers on other machines."""

    def is_there(self) -> bool:
        """Whether there is one."""
        ...

    async def compared(
        self, market: str, what_if: str, runner: str, told: Callable[[float], None]
    ) -> bytes | Refused | None:
        """The answer, packed, or why there is none; None: no worker did it. Who cancels ends it."""
        ...


@dataclass(eq=False)
class Runner:
    """The what-ifs of one market. `busy`: whether something more pressing is solved or waits.

    `hot`: whether requests come in fast. `errand`: with it the process reads by itself what it compares;
    None where this process alone knows how long rides take. `elsewhere`: who is asked first.
    """

    stored: MarketStore
    tz: ZoneInfo
    clock: Clock
    travel_of: TravelOf
    owner: str  #: as in the lease
    busy: Callable[[], bool]
    saved: SavedOf  #: a saved plan by its name
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    began_s: float = 0.0  #: with the one at work
    hot: Callable[[], bool] = lambda: False
    errand: Errand | None = None
    elsewhere: Elsewhere | None = None
    lease: LeasePart | None = None  #: None: the market's

    async def run(self) -> None:
        """Until cancelled."""
        while not cancel_requested():
            await self._look()
            await asyncio.sleep(LOOK_S)

    async def _owns(self) -> bool:
        return await (self.lease or self.stored.lease).owner() == self.owner

    async def _look(self) -> None:
        """Say what was interrupted; work on the one that waits longest."""
        found = (await self.stored.what_ifs.all()).values()
        if not found or not await self._owns():
            return
        for each in found:
            if each.standing.state is S.RUNNING:
                ended = "the process that worked on it ended before it was done\nMaybe ask again."
                await self._end(each, S.INTERRUPTED, ended)
        waiting = next(
            (each for each in found if each.standing.state is S.QUEUED and not each.unwanted), None
        )
        if waiting is not None:
            await self._work(waiting)

    async def _work(self, one: WhatIf) -> None:
        self.began_s = time.monotonic()
        await self._note(one, Standing(state=S.RUNNING, runner=self.name))
        log.info("what_if", market=self.stored.name, id=one.asked.id, against=one.asked.request.against)
        try:
            if await self._by_worker(one):
                return
            gives_way = GivesWay(self.busy, self.hot)
            if not await self._quiet(one, gives_way):
                return
            asked = await self._prepared(one)
            async with started(work, asked, registry.plugins()) as (process, line):
                await self._until_over(one, process, line, gives_way)
        except Unavailable:
            raise  # the next look says that it was interrupted
        except Refusal as refusal:
            await self._end(one, S.FAILED, refusal.detail)
        except Exception as error:  # this one alone: the others have their turn
            log.exception("what_if_failed", market=self.stored.name, id=one.asked.id)
            await self._end(one, S.FAILED, fallen("it could not be prepared or kept", told_of(error), one))
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._end(one, S.INTERRUPTED, "the service was ended\nMaybe ask again."))
            raise

    async def _by_worker(self, one: WhatIf) -> bool:
        """Whether a worker did it, or it had to end meanwhile. On another machine it need not give way."""
        if self.elsewhere is None or not self.elsewhere.is_there():
            return False
        shares = [0.0]
        work = asyncio.ensure_future(
            self.elsewhere.compared(self.stored.name, one.asked.id, self.name, shares.append)
        )
        try:
            while not (await asyncio.wait([work], timeout=TELL_S))[0]:
                if await self._has_to_end(one):
                    return True
                await self._note(one, Standing(state=S.RUNNING, progress=shares[-1], runner=self.name))
            said = work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        if said is None:
            return False
        await self._over(one, said)
        return True

    async def _quiet(self, one: WhatIf, gives_way: GivesWay) -> bool:
        """Wait for a moment when it may begin; False if it is to end before that."""
        told_s = time.monotonic()
        while gives_way():
            if time.monotonic() - told_s >= TELL_S:
                told_s = time.monotonic()
                if await self._has_to_end(one):
                    return False
            await asyncio.sleep(POLL_S)
        return True

    async def _has_to_end(self, one: WhatIf) -> bool:
        """Whether it is to end before it is done; then that is noted."""
        ending = await self._ending(one)
        if ending is not None:
            await self._end(one, *ending)
        return ending is not None

    async def _prepared(self, one: WhatIf) -> Asked | Errand:
        request = one.asked.request
        if is_digest(request.against):
            return await of_saved(request, self.saved)
        if self.errand is not None:
            return replace(self.errand, asked=request)
        return await prepared(self.stored, self.tz, self.clock, self.travel_of, request)

    async def _until_over(
        self, one: WhatIf, process: BaseProcess, line: Connection, gives_way: GivesWay
    ) -> None:
        stopped, told_s, share = False, 0.0, 0.0
        while True:
            if line.poll():
                said, stopped = await _heard(line, process), False
                if not isinstance(said, float):
                    break
                share = said
                continue
            stopped = stopped_or_not(process, gives_way(), stopped)
            if time.monotonic() - told_s >= TELL_S:
                told_s = time.monotonic()
                if await self._has_to_end(one):
                    return
                await self._note(one, Standing(state=S.RUNNING, progress=share, runner=self.name))
            await asyncio.sleep(POLL_S)
        await self._over(one, said)

    async def _ending(self, one: WhatIf) -> tuple[WhatIfState, str] | None:
        """Why it is to end before it is done."""
        if time.monotonic() - self.began_s > LONGEST_S:
            return (
                S.FAILED,
                f"it took longer than {LONGEST_S / 60:g} minutes\nMaybe ask when less is going on.",
            )
        now = await self.stored.what_ifs.get(one.asked.id)
        if now is None or now.unwanted:
            return S.CANCELLED, ""
        return (
            None
            if await self._owns()
            else (S.INTERRUPTED, "another process works for the market now\nMaybe ask again.")
        )

    async def _over(self, one: WhatIf, said: bytes | str | Refused) -> None:
        if isinstance(said, Refused):
            await self._end(one, S.FAILED, said.detail)
            return
        if isinstance(said, str):
            log.error("what_if_failed", market=self.stored.name, id=one.asked.id, reason=said)
            await self._end(one, S.FAILED, fallen("it could not be worked out", said, one))
            return
        answer = msgspec.msgpack.decode(said, type=WhatIfAnswer)
        days = DAYS.whole((await self.stored.tuning.in_force(self.clock.now_ms())).values)
        await self.stored.what_ifs.keep_answer(one.asked.id, answer, days)
        await self._end(one, S.DONE, "", progress=1.0)

    async def _end(self, one: WhatIf, state: WhatIfState, detail: str, progress: float = 0.0) -> None:
        ended = Standing(
            state=state, detail=detail, progress=progress, ended_ms=self.clock.now_ms(), runner=self.name
        )
        await self._note(one, ended)

    async def _note(self, one: WhatIf, standing: Standing) -> None:
        await self.stored.what_ifs.note(one.asked.id, standing)


def fallen(what: str, why: str, one: WhatIf) -> str:
    """What went wrong, and what may be done: each part of the change alone, or somebody who reads the log."""
    request = one.asked.request
    parts = sum(map(bool, msgspec.structs.astuple(request.change)))
    less = (
        "ask for one part of the change at a time: so it shows which one does that"
        if parts > 1
        else "ask again"
    )
    return (
        f"{what} against {request.against}: {why}; nothing else is touched by it\n"
        f"Maybe {less}; and tell who runs the service: its log has it as what_if_failed, {one.asked.id}."
    )


async def _heard(line: Connection, process: BaseProcess) -> Told:
    """What it says; that it ended, in words."""
    try:
        said: Told = await whole(line, process)
        return said
    except (EOFError, OSError):
        process.join(1.0)  # its line is closed a moment before it has ended
        return ended_with(process.exitcode)
