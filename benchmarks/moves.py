"""What moving unanswered offers gains: a day by the clock's own steps, however fast the machine is."""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from benchmarks.figures import add_json, tell
from contracts.codes import DeclineCode, RequestState, Role
from contracts.instants import MINUTE_MS
from contracts.tuning import Tuning
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import offer_id
from dispatcher.domain.views import offer_view
from dispatcher.jobs.timers import Timers
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import Market
from dispatcher.matching.solving import SolverPool
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.principal import Principal
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.service import Service
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from simulation import seoul
from simulation.behaviour import Answer, reaction
from simulation.day import Day

RING = PatientKeyFile("bench", {"bench": bytes(32)})
# Nobody reports here, and a solve ends by its work: a busy machine plans the same.
USUAL = {
    "overdue_minutes": 480,
    "overdue_limit": 48,
    "solve_work_limit": 300_000,
    "solve_time_limit_s": 120,
    "batch_timeout_s": 3_600,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The day, how it is played, and what is tuned."""
    parser.add_argument("--day", type=Path, required=True, help="a folder with trips.csv and vehicles.csv")
    parser.add_argument("--step", type=float, default=1.0, help="minutes from one batch to the next")
    parser.add_argument("--slower", type=float, default=1.0, help="vendors take this many times as long")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn")
    parser.add_argument("--tune", action="append", default=[], metavar="NAME=VALUE")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Play it on an embedded server of its own; 1 if the audit finds anything."""
    tuned = {name: float(value) for name, _, value in (each.partition("=") for each in args.tune)}
    usual = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        figures = asyncio.run(_played(seoul.load(args.day, args.seed), args, tuned))
    finally:
        structlog.configure(**usual)
    tell(figures, args.json)
    return 1 if figures["findings"] else 0


@dataclass
class StepClock:
    """Shows the step that is played."""

    at_ms: int

    def now_ms(self) -> int:
        """The step."""
        return self.at_ms

    def real_s(self, clock_s: float) -> float:
        """Nobody waits here."""
        return clock_s

    async def sleep(self, clock_s: float) -> None:
        """Nobody waits here."""


@dataclass
class _Play:
    """A day under way: who answers when, and what was counted."""

    day: Day
    service: Service
    own: Ownership
    market: Market
    clock: StepClock
    solvers: SolverPool
    seed: int
    slower: float
    step_ms: int
    answers: list[tuple[int, str, str, Answer]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    async def step(self, now_ms: int) -> None:
        """Vendors answer, offers expire, requests come in; then the matcher has its turn."""
        self.clock.at_ms = now_ms
        await self._answer(now_ms)
        while await Timers(self.service, batch=500).fire_due(self.day.market):
            pass
        ids = await self.market.requests.open_ids()
        if not ids:
            return
        began_s = time.perf_counter()
        done = await match_imminent(self.own, self.market, ids)
        self.counted["imminent_ms"] += round(1000 * (time.perf_counter() - began_s))
        self.counted["made_room"] += len(done.moved)
        done += await run_batch(self.own, self.market, self.solvers)
        self.counted["moved"] += len(done.moved)
        self.counted["offers"] += len(done.offered) + len(done.moved)
        await self._heard(sorted(done.offered | done.moved))

    async def _heard(self, ids: list[str]) -> None:
        """Vendors have these offers now: when will they answer, and how?"""
        stored = self.market.stored.requests
        records, bodies = await stored.records.get_all(ids), await stored.bodies(ids)
        for record in records.values():
            offer = record.offers[-1]
            view = offer_view(record, offer, bodies[record.id])
            told = reaction(view, self.seed, self.clock.at_ms)
            later_ms = self.clock.at_ms + round(self.slower * (told.at_ms - self.clock.at_ms))
            at_ms = min(later_ms, offer.expires_ms - self.step_ms)
            if told.answer is not Answer.SILENCE:
                self.answers.append((at_ms, offer_id(record, offer), offer.vendor_id, told.answer))

    async def _answer(self, now_ms: int) -> None:
        due = sorted((each for each in self.answers if each[0] <= now_ms), key=lambda each: each[:2])
        self.answers = [each for each in self.answers if each[0] > now_ms]
        for _, name, vendor_id, answer in due:
            who = _principal(Role.VENDOR, self.day.market, vendor_id)
            command = AcceptOffer(offer_id=name) if answer is Answer.ACCEPT else _decline(name)
            try:
                await self.service.execute(who, self.day.market, command)
                self.counted[answer.value] += 1
            except WrongState:
                self.counted["too_late"] += 1


def _decline(name: str) -> DeclineOffer:
    return DeclineOffer(offer_id=name, code=DeclineCode.NO_VEHICLES_AVAILABLE)


def _principal(role: Role, market: str, vendor_id: str = "") -> Principal:
    return Principal.of(role, markets=frozenset({market}), vendor_id=vendor_id)


async def _played(day: Day, args: argparse.Namespace, tuned: dict[str, float]) -> dict[str, Any]:
    began_s, clock = time.perf_counter(), StepClock(day.start_ms)
    step_ms = round(args.step * MINUTE_MS)
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedRedis(Path(folder)) as server, Store(server.url, RING) as store:
            service = Service(store, clock, {day.market: day.tz}, Registry.found())
            solvers = SolverPool(workers=1)
            own = await _opened(day, service, tuned)
            market = Market(store.market(day.market), day.tz, clock)
            play = _Play(day, service, own, market, clock, solvers, args.seed, args.slower, step_ms)
            await _whole_day(play)
            await solvers.aclose()
            findings = (await audit(store.reader, day.market))["findings"]
            states = await store.market(day.market).requests.counts()
    return {
        "matched": states[RequestState.ACCEPTED],
        "requests": sum(states.values()),
        "unmatched": states[RequestState.UNMATCHED],
        "tuned": tuned,
        "findings": findings,
        **play.counted,
        "wall_s": round(time.perf_counter() - began_s, 1),
    }


async def _opened(day: Day, service: Service, tuned: dict[str, float]) -> Ownership:
    """Vendors, their capacity, tuning and the lease."""
    stored = service.store.market(day.market)
    for vendor in day.vendors:
        await stored.vendors.put(vendor)
    for (vendor_id, date), posted in day.capacity.items():
        await stored.capacity.put(vendor_id, date, posted)
    values = {**day.tuning, **USUAL, **tuned}
    await stored.tuning.put(Tuning(version=1, values=values), 0)
    fence = await stored.lease.acquire("bench", 3_600_000) or ""
    return Ownership(service.executor, fence)


async def _whole_day(play: _Play) -> None:
    """Step by step until the day ends."""
    platform, waiting = _principal(Role.PLATFORM, play.day.market), list(play.day.submissions)
    for now_ms in range(play.day.start_ms, play.day.end_ms, play.step_ms):
        play.clock.at_ms = now_ms
        while waiting and waiting[0].at_ms <= now_ms:
            sent = waiting.pop(0)
            key = IdempotencyRecord.of("bench", sent.requests[0].id, b"")
            await play.service.requests.submit(platform, play.day.market, sent.requests, key)
        await play.step(now_ms)
