"""A market whose decisions are saved in a folder."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dispatcher.blobs.folder import Folder
from dispatcher.blobs.port import Blobs
from dispatcher.decisions.record import SavedPlan
from dispatcher.decisions.saver import Saver
from dispatcher.decisions.store import DecisionStore
from dispatcher.store.decisions import Entry
from dispatcher.store.store import Store
from tests.matching.conftest import Town, own, own_market, solvers, store, town
from tests.solvers.town import TZ

__all__ = ["own", "own_market", "solvers", "store", "town"]


@dataclass
class Saved:
    """A town, and what is kept of its decisions."""

    town: Town
    store: DecisionStore
    saver: Saver
    told: list[str] = field(default_factory=list)
    running: asyncio.Task[None] | None = None

    async def entries(self) -> list[Entry]:
        await self.saver.written()
        return await self.town.market.stored.decisions.page(0, None, 100, newest=False)

    async def plans(self) -> list[SavedPlan]:
        entries = await self.entries()
        raws = [self.store.get(self.town.name, each.digest, [each.day], each.nth) for each in entries]
        return [self.store.opened(each) for each in raws if each is not None]


@contextlib.asynccontextmanager
async def saving(town: Town, blobs: Blobs, after_s: float = 0.0) -> AsyncIterator[Saved]:
    told: list[str] = []

    async def tell(error: BaseException, pause_s: float) -> None:
        told.append(type(error).__name__)

    async def works() -> None:
        told.clear()

    decisions = DecisionStore(blobs, town.store.vault)
    saver = Saver(town.market.stored, decisions, TZ, town.clock, tell, works, after_s)
    town.market.saver = saver
    running = asyncio.create_task(saver.run())
    try:
        yield Saved(town, decisions, saver, told, running)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def saved(town: Town, store: Store, tmp_path: Path) -> AsyncIterator[Saved]:
    async with saving(town, Folder(tmp_path / "decisions")) as found:
        yield found
