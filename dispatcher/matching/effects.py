"""What each parameter does: the largest batches that were saved of a day, planned with each nudged.

Once a day and market, of the last day that is over; and whenever ops asks, of the last day with batches,
today included. In the same low priority as a shadow.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from zoneinfo import ZoneInfo

import msgspec
import structlog

from contracts.instants import to_instant
from contracts.tuning import Number, Tunable
from contracts.tuning_parameters import Effect, Effects, MeasureState, Measuring, Nudge
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
from dispatcher.store.codec import Versioned
from dispatcher.store.documents import DocumentPart
from dispatcher.store.lease import LeasePart
from dispatcher.store.market import MarketStore
from dispatcher.tuning.nudges import Nudged, nudges
from solvers.rules import registry
from solvers.screening import Screening

LOOK_S = (
    600.0  # real, however fast the clock runs: a look lists all that is saved, and what it finds takes a core
)
ASKED_S = 2.0  # real: how soon it is seen that somebody asked
NOTE_S, AFTER_TROUBLE_S = 1.0, 30.0  # how often it is said how far it is; after what could not be read
LARGEST = 1_000  # records of a day, of which some are looked at
LOOKED_AT, MEASURED = 200, 8  # records of a day whose heads are read; batches that are planned anew
LOOKED_BACK = 7  # days, for one with a batch
DONE_ALREADY = "it was measured before"
NOTHING = (
    "no batch is saved that could be planned anew\nMaybe wait for the next batch, or see decisions_days."
)
FAILED = "its process said: {}\nMaybe ask again; the service's log has it as effects_not_measured."
log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Asked:
    """Goes to another process as it is."""

    screenings: Sequence[Screening]
    nudged: Sequence[Nudged]
    steps: int = STEPS
    plugins: tuple[str, ...] = ()


@dataclass(eq=False)
class _Told:
    """How far it is with what was asked for, written over what stood there before."""

    part: DocumentPart[Measuring]
    held: Versioned[Measuring]
    owner: str

    async def note(self, state: MeasureState, progress: float, detail: str = "") -> None:
        """Raises Stale where another matcher has begun it anew."""
        value = msgspec.structs.replace(
            self.held.value, state=state, progress=round(progress, 3), detail=detail, runner=self.owner
        )
        self.held = Versioned(await self.part.put(value, self.held.version), value)


@dataclass(eq=False)
class Measurer:
    """Of one market; `owner`: as in `lease` (None: the market's): who has it measures.

    `busy`: as for a shadow.
    """

    stored: MarketStore
    decisions: DecisionStore
    parameters: Mapping[str, Tunable]
    tz: ZoneInfo
    clock: Clock
    owner: str
    busy: Callable[[], bool] = lambda: False
    worker: Worker = worked
    hot: Callable[[], bool] = lambda: False
    lease: LeasePart | None = None
    share: float = 0.0  #: of what was asked for, done

    async def run(self) -> None:
        """Until cancelled. Raises Unavailable."""
        looked_s = -LOOK_S
        while not cancel_requested():
            try:
                asked = await self._asked()
                is_due = time.monotonic() - looked_s >= LOOK_S
                if (asked is not None or is_due) and await self._is_ours():
                    if asked is not None:
                        await self.measure_now(asked)
                    if is_due:
                        looked_s = time.monotonic()
                        await self.measure()
            except (Stale, Unreadable) as refusal:
                reason = refusal.detail.partition("\n")[0]
                log.warning("effects_not_measured", market=self.stored.name, reason=reason)
                await asyncio.sleep(AFTER_TROUBLE_S)
            await asyncio.sleep(ASKED_S)

    async def _is_ours(self) -> bool:
        return await (self.lease or self.stored.lease).owner() == self.owner

    async def _asked(self) -> Versioned[Measuring] | None:
        """What somebody waits for; what a matcher that is gone had begun is begun anew."""
        held = await self.stored.tuning_measuring.get()
        return None if held.value.is_over else held

    async def measure_now(self, asked: Versioned[Measuring]) -> None:
        """Of the last day with batches, today included; how far it is is told meanwhile."""
        self.share = 0.0
        state = _Told(self.stored.tuning_measuring, asked, self.owner)
        await state.note(MeasureState.RUNNING, 0.0)
        noting = asyncio.create_task(self._note(state))
        try:
            problem = await self._measure(today=True)
        except Exception as error:
            log.exception("effects_not_measured", market=self.stored.name, reason=type(error).__name__)
            problem = told_of(error)
        finally:
            noting.cancel()
            await asyncio.gather(noting, return_exceptions=True)
        state.held = await self.stored.tuning_measuring.get()  # the last word may have come half through
        if state.held.value.runner == self.owner and not state.held.value.is_over:
            ended = MeasureState.FAILED if problem else MeasureState.DONE
            await state.note(ended, 0.0 if problem else 1.0, problem)

    async def _note(self, state: _Told) -> None:
        while True:
            await asyncio.sleep(NOTE_S)
            with contextlib.suppress(Stale, Unreadable, Unavailable):
                await state.note(MeasureState.RUNNING, self.share)

    async def measure(self) -> bool:
        """Of the last day that is over, if that was not done; whether it was done now."""
        return not await self._measure(today=False)

    async def _measure(self, *, today: bool) -> str:
        """Why it was not done; "" where it was. `today`: of the last day with batches, measured or not."""
        part = self.stored.tuning_effects
        before = await part.get()
        day, screenings = await asyncio.to_thread(self._last_screenings if today else self._last_whole)
        if not today and day is not None and before.value.day is not None and day <= before.value.day:
            return DONE_ALREADY
        screenings = screenings or (await asyncio.to_thread(self._screenings, day) if day else [])
        if not screenings or day is None:
            return NOTHING
        tuning = await self.stored.tuning.get()
        job = Asked(screenings, nudges(self.parameters.values(), tuning.values), plugins=registry.plugins())
        gives_way = GivesWay(self.busy, self.hot)
        found = await self.worker(measure_all, job, gives_way, told=self._far)
        if isinstance(found, str):
            log.warning("effects_not_measured", market=self.stored.name, reason=found)
            return FAILED.format(found)
        effects = Effects(
            day=day,
            measured_at=to_instant(self.clock.now_ms()),
            tuning_version=tuning.version,
            batches=len(screenings),
            requests=sum(each.requests for each in screenings),
            effects=_effects(found),
        )
        await part.put(effects, before.version)
        return ""

    def _far(self, share: float) -> None:
        self.share = share

    def _days(self) -> list[dt.date]:
        """Those of which something is saved, the latest first."""
        try:
            return sorted(map(dt.date.fromisoformat, self.decisions.days(self.stored.name)), reverse=True)
        except OSError:
            return []

    def _last_whole(self) -> tuple[dt.date | None, list[Screening]]:
        today = to_instant(self.clock.now_ms()).astimezone(self.tz).date()
        return next((each for each in self._days() if each < today), None), []

    def _last_screenings(self) -> tuple[dt.date | None, list[Screening]]:
        """The last day of which a batch can be read, with its batches."""
        for day in self._days()[:LOOKED_BACK]:
            if found := self._screenings(day):
                return day, found
        return None, []

    def _screenings(self, day: dt.date) -> list[Screening]:
        """The largest batches among some that are spread over the day; what cannot be read is left out.

        Quotes and imminent plans are small records: they are not looked at where there are larger ones.
        """
        names = sorted(self.decisions.largest(self.stored.name, day.isoformat(), LARGEST))
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
        line.send(measured(asked, line.send))
    except Exception as error:
        line.send(told_of(error))


def measured(asked: Asked, told: Callable[[float], None] = lambda share: None) -> dict[Nudged, list[Differs]]:
    """Each batch is planned once as it was and once with another seed, and once for each nudge."""
    found = defaultdict[Nudged, list[Differs]](list)
    for number, screening in enumerate(asked.screenings):
        planned = Planned(screening, steps=asked.steps)
        for nth, each in enumerate(asked.nudged):
            values: Mapping[str, Number] = {**screening.values, each.name: each.value}
            found[each].append(planned.against(values))
            told((number + (nth + 1) / len(asked.nudged)) / len(asked.screenings))
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
