"""Requests that come in without pause while something happens to the service; all are judged."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Self

from msgspec.structs import replace

from chaos.parts import LIMIT_S, Parts
from chaos.trial import Trial
from client.errors import Problem, Unreachable
from client.platform import PlatformClient
from contracts.codes import Role
from contracts.patients import Patient
from contracts.requests import TripRequest
from dispatcher.audit.auditor import audit
from dispatcher.store.connection import Reader, connect
from tests.e2e.conftest import MARKET, token
from tests.e2e.made import post, trip

AT_ONCE, UNAVAILABLE = 8, 503
NOTE_BYTES = 250
SETTLE_S = 0.5


class Intake:
    """A platform, and a vendor whose offers nobody answers in time to matter here."""

    def __init__(self, trial: Trial, parts: Parts, at_once: int = AT_ONCE, pause_s: float = 0.01) -> None:
        self.trial, self.parts, self.at_once, self.pause_s = trial, parts, at_once, pause_s
        secrets = (token(parts.settings, role) for role in (Role.PLATFORM, Role.OPS))
        self.platform, self.ops = (
            PlatformClient(parts.url, secret, MARKET, total_timeout_s=3.0) for secret in secrets
        )
        self.chance = random.Random(trial.seed)
        self.acknowledged: list[str] = []
        self._judged = 0  # of them: so many are in the report
        self.refused = 0
        self._stopping = False
        self._work: asyncio.Future[list[None]] | None = None

    async def __aenter__(self) -> Self:
        """Register the vendor."""
        await post(self.ops, "v1", units=1_000)
        return self

    async def __aexit__(self, *ended: object) -> None:
        await asyncio.gather(self.platform.close(), self.ops.close())

    @contextlib.asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Requests come in; at the end all that was acknowledged is judged."""
        self._stopping, self.refused = False, 0
        self._work = asyncio.gather(*(self._submit() for _ in range(self.at_once)))
        await self.more(5)
        try:
            yield
        finally:
            self._stopping = True
            await self._work
        client = connect(self.parts.redis_url)
        try:
            found = await audit(Reader(client), MARKET, self.acknowledged, streams=True, settle_s=SETTLE_S)
        finally:
            await client.aclose()
        self.trial.judged(found, len(self.acknowledged) - self._judged)
        self._judged = len(self.acknowledged)

    async def more(self, requests: int) -> None:
        """Until so many more were acknowledged."""
        wanted = len(self.acknowledged) + requests
        await self._until(lambda: len(self.acknowledged) >= wanted)

    async def until_refused(self) -> None:
        """Until a caller was told."""
        await self._until(lambda: self.refused > 0)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Raises what ended the work, or TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                if self._work is not None and self._work.done():
                    self._work.result()
                await asyncio.sleep(0.01)

    async def _submit(self) -> None:
        """One after another. What was refused, or had no answer, was not promised: it is let go."""
        while not self._stopping:
            try:
                self.acknowledged += await self.platform.submit(self._trip())
            except (Problem, Unreachable) as refusal:
                if isinstance(refusal, Problem) and refusal.status != UNAVAILABLE:
                    raise
                self.refused += 1
            await asyncio.sleep(self.pause_s)

    def _trip(self) -> TripRequest:
        """With a note that nothing makes smaller."""
        notes = self.chance.randbytes(NOTE_BYTES).hex()
        made: TripRequest = trip(f"r{self.chance.getrandbits(64):x}")
        return replace(made, patient=Patient(name="Nobody Example", notes=notes))
