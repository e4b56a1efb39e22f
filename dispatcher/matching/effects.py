"""What each parameter does: the largest batches that were saved of a day, planned with each nudged.

Once a day and market, of the last day that is over; in the same low priority as a shadow.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from zoneinfo import ZoneInfo

import structlog

from contracts.instants import to_instant
from contracts.tuning import Number, Tunable
from contracts.tuning_parameters import Effect, Effects, Nudge
from dispatcher.decisions.record import BATCH, Header, Raw, Unsaved
from dispatcher.decisions.store import DecisionStore
from dispatcher.domain.refusals import Stale, Unavailable, Unreadable
from dispatcher.matching.arrivals import GivesWay
from dispatcher.matching.low_priority import Worker, give_way, worked
from dispatcher.matching.shadow_child import STEPS, Differs, Planned
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.unforeseen import told_of
from dispatcher.security.vault import UnreadablePatient
from dispatcher.store.market import MarketStore
from dispatcher.tuning.nudges import Nudged, nudges
from solvers.rules import registry
from solvers.screening import Screening

LOOK_S = (
    600.0  # real, however fast the clock runs: a look lists all that is saved, and what it finds takes a core
)
LOOKED_AT, MEASURED = 200, 8  # records of a day whose heads are read; batches that are planned anew
log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Asked:
    """Goes to another process as it is."""

    screenings: Sequence[Screening]
    nudged: Sequence[Nudged]
    steps: int = STEPS
    plugins: tuple[str, ...] = ()


@dataclass(eq=False)
class Measurer:
    """Of one market; `owner`: as in its lease: who has it measures. `busy`: as for a shadow."""

    stored: MarketStore
    decisions: DecisionStore
    parameters: Mapping[str, Tunable]
    tz: ZoneInfo
    clock: Clock
    owner: str
    busy: Callable[[], bool] = lambda: False
    worker: Worker = worked
    hot: Callable[[], bool] = lambda: False

    async def run(self) -> None:
        """Until cancelled."""
        while not cancel_requested():
            try:
                if await self.stored.lease.owner() == self.owner:
                    await self.measure()
            except (Stale, Unreadable, Unavailable) as refusal:
                reason = refusal.detail.partition("\n")[0]
                log.warning("effects_not_measured", market=self.stored.name, reason=reason)
            await asyncio.sleep(LOOK_S)

    async def measure(self) -> bool:
        """Of the last day that is over, if that was not done; whether it was done now."""
        part = self.stored.tuning_effects
        before = await part.get()
        day = await asyncio.to_thread(self._last_day)
        if day is None or (before.value.day is not None and day <= before.value.day):
            return False
        screenings = await asyncio.to_thread(self._screenings, day)
        if not screenings:
            return False
        tuning = await self.stored.tuning.get()
        job = Asked(screenings, nudges(self.parameters.values(), tuning.values), plugins=registry.plugins())
        found = await self.worker(measure_all, job, GivesWay(self.busy, self.hot))
        if isinstance(found, str):
            log.warning("effects_not_measured", market=self.stored.name, reason=found)
            return False
        effects = Effects(
            day=day,
            measured_at=to_instant(self.clock.now_ms()),
            tuning_version=tuning.version,
            batches=len(screenings),
            requests=sum(each.requests for each in screenings),
            effects=_effects(found),
        )
        await part.put(effects, before.version)
        return True

    def _last_day(self) -> dt.date | None:
        today = to_instant(self.clock.now_ms()).astimezone(self.tz).date()
        try:
            days = [dt.date.fromisoformat(each) for each in self.decisions.days(self.stored.name)]
        except OSError:
            return None
        return max((each for each in days if each < today), default=None)

    def _screenings(self, day: dt.date) -> list[Screening]:
        """The largest batches among some that are spread over the day; what cannot be read is left out."""
        names = sorted(self.decisions.names(self.stored.name, day.isoformat()))
        step = max(1, len(names) // LOOKED_AT)
        heads = list[tuple[Header, Raw]]()
        for name in names[::step]:
            try:
                raw = Raw.read(self.decisions.raw(self.stored.name, day.isoformat(), name) or b"")
            except (Unsaved, OSError):  # the chain's audit names it
                continue
            heads += [(raw.header, raw)] if raw.header.kind == BATCH else []
        heads.sort(key=lambda each: (-len(each[0].requests), each[0].at_ms))
        found = list[Screening]()
        for _, raw in heads[:MEASURED]:
            try:
                found.append(self.decisions.opened(raw).screening)
            except (Unsaved, UnreadablePatient, OSError):  # likewise; the others are measured
                continue
        return found


def measure_all(line: Connection, asked: Asked) -> None:
    """In the process: each batch under each nudge; sums by parameter and direction, or what went wrong."""
    give_way()
    try:
        registry.load(*asked.plugins)
        line.send(measured(asked))
    except Exception as error:
        line.send(told_of(error))


def measured(asked: Asked) -> dict[Nudged, list[Differs]]:
    """Each batch is planned once as it was and once with another seed, and once for each nudge."""
    found = defaultdict[Nudged, list[Differs]](list)
    for screening in asked.screenings:
        planned = Planned(screening, steps=asked.steps)
        for each in asked.nudged:
            values: Mapping[str, Number] = {**screening.values, each.name: each.value}
            found[each].append(planned.against(values))
    return dict(found)


def _effects(found: Mapping[Nudged, Sequence[Differs]]) -> tuple[Effect, ...]:
    by_name = defaultdict[str, dict[bool, Nudge]](dict)
    for nudged, several in found.items():
        by_name[nudged.name][nudged.up] = Nudge(
            value=nudged.value,
            moved=sum(each.moved for each in several),
            gained=sum(each.gained for each in several),
            lost=sum(each.lost for each in several),
            anyway=sum(each.anyway for each in several),
            cents=sum(each.cents for each in several),
        )
    return tuple(
        Effect(name=name, down=both.get(False), up=both.get(True)) for name, both in sorted(by_name.items())
    )
