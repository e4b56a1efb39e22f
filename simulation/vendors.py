"""A simulated vendor: hears offers, answers, does the work. It knows only what its feed tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from client.errors import Problem
from contracts.amendments import AmendmentProposed, DispatchAmended
from contracts.codes import DeclineCode, TrackingStatus
from contracts.counters import Counter, CounterRefused
from contracts.episodes import DispatchAtRisk
from contracts.events import CloudEvent, DispatchConfirmed, OfferClosed, OfferMade
from contracts.instants import MINUTE_MS, to_ms
from contracts.offers import Offer
from contracts.vendors import Vendor
from simulation.agenda import Agenda
from simulation.behaviour import Answer, Reaction, Report, course, reaction
from simulation.counters import agreed, countered
from simulation.links import Link
from simulation.proofs import forgets, proof_of
from simulation.tally import Tally

LOOKS_MS = 3 * MINUTE_MS
LAST_WORD = 0.6  # of the time that an offer has left: by then it is taken as it is
BEGINS = frozenset({TrackingStatus.AT_PICKUP})
GONE = frozenset({404, 409})  # the work was taken back, or went to its end without us


class Agendas(NamedTuple):
    """Those who answer and those who report do not wait for each other."""

    desk: Agenda
    crews: Agenda


class Habits(NamedTuple):
    """How vendors of a day go about it; what each does with an offer is drawn from its id and the seed."""

    seed: int
    counter_share: float = 0.0
    proves: bool = False


class Course(NamedTuple):
    """A dispatch under way: what is still to be reported, and how much later than agreed."""

    offer: Offer
    reports: Iterator[Report]
    late_ms: int = 0


class Held(NamedTuple):
    """A crew that does not begin yet, for what goes before its work is late."""

    work: Course
    report: Report


class SimulatedVendor:
    """One vendor's dispatcher, who answers, and its crews, who report."""

    def __init__(self, vendor: Vendor, link: Link, agendas: Agendas, tally: Tally, habits: Habits) -> None:
        self.vendor, self.link, self.tally = vendor, link, tally
        self.habits, self.seed = habits, habits.seed
        self.desk, self.crews = agendas
        self.offers: dict[str, Offer] = {}
        self.confirmed: set[str] = set()
        self.at_risk: set[str] = set()
        self.waiting: dict[str, Held] = {}
        self.proposed: dict[str, AmendmentProposed] = {}
        self.countered: dict[str, Counter] = {}  # by offer: what it would rather do, and hears of
        self.unproved: dict[str, Offer] = {}  # by request: what was done, and driven away from

    async def listen(self) -> None:
        """Hear the feed until cancelled."""
        async for event in self.link.events():
            self.hear(event)

    def hear(self, event: CloudEvent) -> None:
        """Take one event in; a repeated one changes nothing."""
        if event.type == "dispatch.offer.made":
            self._offered(msgspec.convert(event.data, OfferMade).offer)
        elif event.type == "dispatch.dispatch.confirmed":
            self._confirmed(msgspec.convert(event.data, DispatchConfirmed).offer_id)
        elif event.type == "dispatch.offer.closed":
            self.offers.pop(msgspec.convert(event.data, OfferClosed).offer_id, None)
        elif event.type == "dispatch.amendment.proposed":
            self._proposed(msgspec.convert(event.data, AmendmentProposed))
        elif event.type == "dispatch.dispatch.amended":
            self._amended(msgspec.convert(event.data, DispatchAmended))
        elif event.type == "dispatch.dispatch.at_risk":
            self.at_risk.add(msgspec.convert(event.data, DispatchAtRisk).offer_id)
        elif event.type == "dispatch.dispatch.restored":
            self._restored(msgspec.convert(event.data, DispatchAtRisk).offer_id)
        elif event.type == "dispatch.offer.counter_refused":
            self._counter_refused(msgspec.convert(event.data, CounterRefused).offer_id)
        elif event.type == "dispatch.reply.refused":
            self.tally.vendors["refused"] += 1

    def _offered(self, offer: Offer) -> None:
        self.tally.saw_offer(offer.request_id)
        if offer.id in self.offers:
            return
        self.offers[offer.id] = offer
        self.tally.vendors["offers"] += 1
        answer = reaction(offer, self.seed, self.desk.clock.now_ms())
        if answer.answer is Answer.ACCEPT:
            counter = countered(offer, self.seed, self.habits.counter_share)
            if counter is not None:
                self.desk.at(answer.at_ms, lambda: self._counter(offer, counter))
                return
            if offer.assumed:
                return  # silence is acceptance
        if answer.answer is not Answer.SILENCE:
            self.desk.at(answer.at_ms, lambda: self._answer(offer, answer))
        elif not offer.assumed:
            self.tally.vendors["silent"] += 1

    async def _answer(self, offer: Offer, answer: Reaction) -> None:
        if offer.id not in self.offers:
            return
        try:
            if answer.answer is Answer.DECLINE:
                await self.link.decline(offer.id, answer.code)
                self.tally.vendors["declined"] += 1
            else:
                await self.link.accept(offer.id, reference=f"{self.vendor.id}/{len(self.confirmed)}")
                self.tally.vendors["accepted"] += 1
        except Problem as problem:
            self._refused(problem)

    async def _counter(self, offer: Offer, counter: Counter) -> None:
        """It would rather do it otherwise; if nobody takes that in time, it takes the offer as it is."""
        if offer.id not in self.offers:
            return
        now_ms = self.desk.clock.now_ms()
        left_ms = to_ms(offer.expires_at) - now_ms
        self.desk.at(now_ms + int(LAST_WORD * left_ms), lambda: self._take_as_it_is(offer))
        self.countered[offer.id] = counter
        try:
            await self.link.counter(offer.id, counter)
            self.tally.vendors["countered"] += 1
        except Problem as problem:
            self.countered.pop(offer.id, None)
            self._refused(problem)

    def _counter_refused(self, offer_id: str) -> None:
        if (offer := self.offers.get(offer_id)) and self.countered.pop(offer_id, None):
            self.desk.at(self.desk.clock.now_ms() + LOOKS_MS // 3, lambda: self._take_as_it_is(offer))

    async def _take_as_it_is(self, offer: Offer) -> None:
        if offer.id not in self.confirmed:
            self.countered.pop(offer.id, None)
            await self._answer(offer, Reaction(Answer.ACCEPT, 0, DeclineCode.OTHER))

    def _confirmed(self, offer_id: str) -> None:
        offer = self.offers.get(offer_id)
        if offer is None or offer_id in self.confirmed:
            return
        self.confirmed.add(offer_id)
        offer = self.offers[offer_id] = agreed(offer, self.countered.pop(offer_id, None))
        self._next(Course(offer, iter(course(offer, self.seed))))

    def _proposed(self, asked: AmendmentProposed) -> None:
        """Another time suits these vendors, once somebody has looked."""
        if asked.offer_id in self.offers:
            self.proposed[asked.offer_id] = asked
            self.desk.at(self.desk.clock.now_ms() + LOOKS_MS, lambda: self._agree(asked))

    async def _agree(self, asked: AmendmentProposed) -> None:
        try:
            await self.link.agree(asked.offer_id, asked.number)
        except Problem as problem:
            self._refused(problem)

    def _amended(self, event: DispatchAmended) -> None:
        """The work is another one now: its crew goes by the new time."""
        asked = self.proposed.pop(event.offer_id, None)
        if asked is not None and asked.number == event.number and event.offer_id in self.offers:
            self.tally.vendors["amended"] += 1
            self.offers[event.offer_id] = asked.offer
            self.waiting.pop(event.offer_id, None)
            self._next(Course(asked.offer, iter(course(asked.offer, self.seed))))

    def _next(self, work: Course) -> None:
        """Put the next report on the agenda; reports of one dispatch never overtake each other."""
        report = next(work.reports, None)
        if report is not None:
            self.crews.at(report.at_ms + work.late_ms, lambda: self._report(work, report))

    def _restored(self, offer_id: str) -> None:
        """What it had to wait for is there: the crew goes on, so much later than agreed."""
        self.at_risk.discard(offer_id)
        if held := self.waiting.pop(offer_id, None):
            late_ms = max(held.work.late_ms, self.crews.clock.now_ms() - held.report.at_ms)
            work = held.work._replace(late_ms=late_ms)
            self.crews.at(held.report.at_ms + late_ms, lambda: self._report(work, held.report))

    async def _report(self, work: Course, report: Report) -> None:
        offer = work.offer
        if self.offers.get(offer.id) is not offer:
            return  # taken back meanwhile, or amended
        if offer.id in self.at_risk and report.update.status in BEGINS:
            self.waiting[offer.id] = Held(work, report)
            return
        is_over = report.update.status is TrackingStatus.COMPLETED
        try:
            if is_over and self.habits.proves:
                await self._prove(offer)
            await self.link.report(offer.id, report.update)
            self.tally.vendors[report.update.status.value] += 1
            if report.waits:  # `on_board` says that it waits no more
                await self.link.waiting(offer.id)
                self.tally.vendors["waited"] += 1
        except Problem as problem:
            self._refused(problem)
        else:
            self._next(work)

    async def _prove(self, offer: Offer) -> None:
        """Before it is said to be done; some drive away without."""
        if forgets(offer, self.seed):
            self.unproved[offer.request_id] = offer
            return
        said = proof_of(offer, self.seed)
        await self.link.prove(offer.id, said.report, said.picture)
        self.tally.vendors["proved"] += 1

    async def prove_late(self, request_id: str) -> None:
        """Ops is on the telephone: where is the proof?"""
        if (offer := self.unproved.pop(request_id, None)) is None:
            return
        said = proof_of(offer, self.seed)
        try:
            await self.link.prove(offer.id, said.report, said.picture)
            self.tally.vendors["proved late"] += 1
        except Problem as problem:
            self._refused(problem)

    def _refused(self, problem: Problem) -> None:
        """Too late is part of the game; anything else is a fault and ends the demo."""
        if problem.status not in GONE:
            raise problem
        self.tally.vendors["refused"] += 1
