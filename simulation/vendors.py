"""A simulated vendor: hears offers, answers, does the work. It knows only what its feed tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from client.errors import Problem
from contracts.events import CloudEvent, DispatchConfirmed, OfferClosed, OfferMade
from contracts.offers import Offer
from contracts.vendors import AssumedAnswer, Vendor
from simulation.agenda import Agenda
from simulation.behaviour import Answer, Reaction, Report, course, reaction
from simulation.links import Link
from simulation.tally import Tally

GONE = frozenset({404, 409})  # the work was taken back, or went to its end without us


class Agendas(NamedTuple):
    """Those who answer and those who report do not wait for each other."""

    desk: Agenda
    crews: Agenda


class SimulatedVendor:
    """One vendor's dispatcher, who answers, and its crews, who report."""

    def __init__(self, vendor: Vendor, link: Link, agendas: Agendas, tally: Tally, seed: int) -> None:
        self.vendor, self.link, self.tally, self.seed = vendor, link, tally, seed
        self.desk, self.crews = agendas
        self.offers: dict[str, Offer] = {}
        self.confirmed: set[str] = set()

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
        elif event.type == "dispatch.reply.refused":
            self.tally.vendors["refused"] += 1

    def _offered(self, offer: Offer) -> None:
        self.tally.saw_offer(offer.request_id)
        if offer.id in self.offers:
            return
        self.offers[offer.id] = offer
        self.tally.vendors["offers"] += 1
        answer = reaction(offer, self.seed, self.desk.clock.now_ms())
        if answer.answer is Answer.ACCEPT and isinstance(self.vendor.answer, AssumedAnswer):
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

    def _confirmed(self, offer_id: str) -> None:
        offer = self.offers.get(offer_id)
        if offer is None or offer_id in self.confirmed:
            return
        self.confirmed.add(offer_id)
        self._next(offer, iter(course(offer, self.seed)))

    def _next(self, offer: Offer, reports: Iterator[Report]) -> None:
        """Put the next report on the agenda; reports of one dispatch never overtake each other."""
        report = next(reports, None)
        if report is not None:
            self.crews.at(report.at_ms, lambda: self._report(offer, report, reports))

    async def _report(self, offer: Offer, report: Report, reports: Iterator[Report]) -> None:
        if offer.id not in self.offers:
            return  # taken back meanwhile
        try:
            await self.link.report(offer.id, report.update)
            self.tally.vendors[report.update.status.value] += 1
        except Problem as problem:
            self._refused(problem)
        else:
            self._next(offer, reports)

    def _refused(self, problem: Problem) -> None:
        """Too late is part of the game; anything else is a fault and ends the demo."""
        if problem.status not in GONE:
            raise problem
        self.tally.vendors["refused"] += 1
