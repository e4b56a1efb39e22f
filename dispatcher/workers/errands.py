"""One thing that is asked of workers: given out, followed, given out again when its worker is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.workers.broker import ATTEMPTS, Broker, BrokerDown, Notes, Ref
from dispatcher.workers.living import Living, Threads
from dispatcher.workers.parcels import RESULT, TASK, NoParcel, Parcels
from dispatcher.workers.tasks import FAILED

START_S: Final = 3.0  #: whom no worker has taken by then is done here: they are busy
MOST_WORDS: Final = 160  #: of a worker's that are repeated: a broker may make up any
SILENCE_S: Final = 3.0  #: a broker that is away for so long is waited for no longer
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.1
log = structlog.get_logger()


class NotDone(Exception):
    """No worker did it; the message says why. It is done here."""


@dataclass(frozen=True, eq=False)
class Desk:
    """Where things are asked of workers: of one kind."""

    broker: Broker
    living: Living
    parcels: Parcels
    threads: Threads
    start_s: float = START_S
    silence_s: float = SILENCE_S

    async def asked(
        self, ref: Ref, plain: bytes, budget_s: float, *, until_s: float,
        told: Callable[[bytes], None] = lambda words: None,
    ) -> bytes:  # fmt: skip
        """The result, opened; `until_s` (monotonic) it is waited for. Raises NotDone.

        Whoever cancels has it withdrawn.
        """
        if not self.living.workers:
            raise NotDone("no worker is there")
        packing = asyncio.ensure_future(self.threads.call(self.parcels.packed, ref, TASK, plain))
        try:
            parcel = await asyncio.shield(packing)
        except asyncio.CancelledError:
            _then(packing, lambda: self._aside(self.parcels.thrown_away, packing.result()))
            raise
        except (OSError, Unavailable) as error:
            raise NotDone(f"it could not be packed ({type(error).__name__})") from error
        try:
            return await _Asked(self, ref, parcel, budget_s, until_s, told).result()
        finally:
            self._aside(self.parcels.thrown_away, parcel)

    def _aside(self, ask: Callable[..., object], *words: object) -> None:
        """Nobody waits for it, and nothing rests on it."""

        def quietly() -> None:
            try:
                ask(*words)
            except BrokerDown:
                log.info("broker_not_told", kind=self.broker.kind.name)

        self.threads.beside(quietly)


@dataclass(eq=False)
class _Asked:
    desk: Desk
    ref: Ref
    parcel: bytes
    budget_s: float
    until_s: float
    told: Callable[[bytes], None]
    last: bytes | None = None

    async def result(self) -> bytes:
        for nth in range(ATTEMPTS):
            found = await self._attempt(nth)
            if found is not None:
                return found
            log.warning("worker_lost", task=str(self.ref), attempt=nth + 1)
        raise NotDone(f"{ATTEMPTS} workers were lost over it")

    async def _attempt(self, nth: int) -> bytes | None:
        """The result; None: its worker is lost. Raises NotDone."""
        broker, call = self.desk.broker, self.desk.threads.call
        wanted_s = self.until_s - time.monotonic()
        if wanted_s <= 0:
            raise NotDone("it is late")
        name = f"{self.ref}:{nth}"
        giving = asyncio.ensure_future(call(broker.give, self.ref, nth, self.parcel, self.budget_s, wanted_s))
        try:
            await asyncio.shield(giving)
            return await self._followed(name)
        except BrokerDown as error:
            raise NotDone(str(error)) from error
        finally:
            _then(giving, lambda: self.desk._aside(broker.withdraw, name), whatever=True)

    async def _followed(self, name: str) -> bytes | None:
        began_s = heard_s = time.monotonic()
        pause_s, taken_by, seen_s = FIRST_PAUSE_S, "", began_s
        while True:
            now_s = time.monotonic()
            try:
                notes = await self.desk.threads.call(self.desk.broker.look, self.ref, name)
                heard_s = now_s
            except BrokerDown:
                if time.monotonic() - heard_s > self.desk.silence_s:
                    raise
                notes = Notes(None, taken_by, None)
            if notes.result is not None:
                return await self._opened(notes.result)
            self._hear(notes.told)
            taken_by = notes.taken_by or taken_by
            if now_s > self.until_s:
                raise NotDone("it is late")
            if not taken_by and now_s - began_s > self.desk.start_s:
                raise NotDone("no worker took it: they are busy, or have gone")
            if not taken_by or taken_by in self.desk.living.workers or heard_s < now_s:
                seen_s = now_s
            elif now_s - seen_s > self.desk.silence_s:  # not at the first look: it may have come a moment ago
                return None
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 1.2)

    def _hear(self, told: bytes | None) -> None:
        if told is None or told == self.last:
            return
        self.last = told
        if told.startswith(FAILED):
            raise NotDone(f"a worker could not do it: {told[1:MOST_WORDS].decode('ascii', 'replace')}")
        self.told(told)

    async def _opened(self, result: bytes) -> bytes:
        """Raises NotDone: it was not made for us, under our fence."""
        desk = self.desk
        desk._aside(desk.broker.forget, self.ref)
        opening = asyncio.ensure_future(desk.threads.call(desk.parcels.opened, self.ref, RESULT, result))
        try:
            return await asyncio.shield(opening)
        except (NoParcel, OSError) as error:
            raise NotDone(f"a result was refused ({error})") from error
        finally:
            _then(opening, lambda: desk._aside(desk.parcels.thrown_away, result))


def _then(work: asyncio.Future[Any], do: Callable[[], None], *, whatever: bool = False) -> None:
    """Once the work has succeeded (or ended, `whatever` came of it), now or later: who cancels waits not."""

    def ended(work: asyncio.Future[Any]) -> None:
        has_succeeded = not work.cancelled() and work.exception() is None
        if has_succeeded or whatever:
            do()

    if work.done():
        ended(work)
    else:
        work.add_done_callback(ended)
