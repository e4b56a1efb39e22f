"""A day played in memory by a clock of its own: who asks, who answers, what falls due, batches."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import NamedTuple

import msgspec

from contracts.events import DispatchConfirmed, OfferClosed, OfferMade
from contracts.instants import MINUTE_MS
from contracts.local_day import LocalDay
from contracts.offers import Offer
from contracts.requests import Request
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.table import Command
from dispatcher.domain.decision import Decision
from dispatcher.domain.request_kind import REQUEST
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.matching.capacity import capacity_book
from dispatcher.service.rides import leaves
from dispatcher.store.ledger import EMPTY, Ledger, LedgerKey
from dispatcher.store.pools import posted
from dispatcher.what_if.answers import Answers
from dispatcher.what_if.change import Postings
from dispatcher.what_if.desk import Answered, Desk
from dispatcher.what_if.planner import Planner
from dispatcher.what_if.solving import Solved, Solver
from simulation.behaviour import Answer, Report
from simulation.day import Day, wanted_ms
from solvers.horizon import Horizon, local_day
from solvers.travel import DetourTravel

EVERY_MS = 5 * MINUTE_MS  # about how old a batch's requests are where a solve takes as long as it is given
Told = Callable[[float], None]  #: what share of the day has been played


class Played(NamedTuple):
    """How a day ended."""

    requests: dict[str, RequestRecord]
    bodies: dict[str, Request]
    solved: list[Solved]
    why: dict[str, str]
    refused: int  # requests that came too late
    cpu_s: float = 0.0


@dataclass(eq=False)
class Play:
    """One side of a comparison. Use once: `run`."""

    day: Day
    answers: Answers
    solver: Solver
    seed: int = 1  #: of what the platform cancels
    answered: Answered = field(default_factory=dict)  #: before the day
    batches: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        """Everybody is where the day begins."""
        horizon = horizon_of(self.day)
        vendors = sorted(self.day.vendors, key=lambda each: each.id)
        postings = {(vendor, day.isoformat()): each for (vendor, day), each in self.day.capacity.items()}
        rows = {each.id: row for row, each in enumerate(vendors)}
        book = capacity_book(rows, postings, ledgers_of(postings, self.day, horizon), horizon)
        self.desk = Desk(self.day.tz, self.day.tuning, book, self.answered)
        self.planner = Planner(self.desk, vendors, self.solver)
        self.travel = DetourTravel.of(self.day.tuning)
        self.offers: dict[str, Offer] = {}  # as their vendors know them
        self.changed = False  # since the last batch: somebody waits anew, or a unit is free
        self.refused = 0
        self._planned: frozenset[str] = frozenset()
        self._agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self._number = count()

    def run(self, told: Told = lambda share: None) -> Played:
        """Play it to its end."""
        first_ms, end_ms = self.day.start_ms, self.day.end_ms
        draw = random.Random(f"{self.seed}/platform")
        for submission in self.day.submissions:
            self.at(submission.at_ms, partial(self._submit, submission.requests))
            for each in submission.requests:
                if draw.random() < self.day.cancel_share:
                    cancel_ms = draw.randint(submission.at_ms, wanted_ms(each))
                    self._soon(cancel_ms, CancelRequest(request_id=each.id), "platform")
        self.at(first_ms + EVERY_MS, self._batch)
        while self._agenda and self._agenda[0][0] < end_ms:
            now_ms, number, action = heapq.heappop(self._agenda)
            action(now_ms)
            if not number % 1000:
                told((now_ms - first_ms) / (end_ms - first_ms))
        told(1.0)
        return Played(
            self.desk.requests, self.desk.bodies, self.planner.solved, self.planner.why, self.refused
        )

    def at(self, due_ms: int, action: Callable[[int], None]) -> None:
        """Do it then."""
        heapq.heappush(self._agenda, (due_ms, next(self._number), action))

    def _soon(self, due_ms: int, command: Command, by: str, vendor_id: str = "") -> None:
        self.at(due_ms, lambda now_ms: self._act(command, now_ms, by, vendor_id))

    def _submit(self, requests: Sequence[Request], now_ms: int) -> None:
        decided = list[Decision]()
        for each in requests:
            made = self.desk.receive(each, now_ms, leaves(each, self.day.tz, self.travel))
            self.refused += made is None
            decided += [made] if made is not None else []
        self._follow(decided, now_ms)

    def _act(self, command: Command, now_ms: int, by: str, vendor_id: str = "") -> None:
        if command.subject in self.desk.requests:
            made = self.desk.act(command, now_ms, by=by, vendor_id=vendor_id)
            self._follow([made] if made is not None else [], now_ms)

    def _batch(self, now_ms: int) -> None:
        self.at(now_ms + EVERY_MS, self._batch)
        ids = [record.id for record, _ in self.planner.waiting(list(self.desk.open), now_ms)]
        if ids and (self.changed or frozenset(ids) != self._planned):
            self.changed, self._planned = False, frozenset(ids)
            self._follow(self.planner.batch(ids, now_ms), now_ms)

    def _follow(self, decided: Sequence[Decision], now_ms: int) -> None:
        """Vendors hear, timers are set, and who cannot wait for the batch is matched."""
        anew = list[str]()
        for decision in decided:
            for change in decision.changes:
                if isinstance(change.after, RequestRecord):
                    self._wind(change.after, now_ms)
                    anew += [change.after.id] if change.after.state in OPEN else []
            for message in decision.messages:
                self._tell(message.data, message.vendor_id, now_ms)
            self.changed |= bool(decision.unbook)
        if anew:
            more, later = self.planner.imminent(anew, now_ms)
            self.changed |= later > 0
            self._follow(more, now_ms)

    def _wind(self, record: RequestRecord, now_ms: int) -> None:
        if record.state not in TERMINAL and now_ms < record.timer_ms < self.day.end_ms:
            fire = FireTimer(kind=REQUEST, id=record.id)
            self._soon(record.timer_ms, fire, "timer")

    def _tell(self, data: msgspec.Struct, vendor_id: str, now_ms: int) -> None:
        if isinstance(data, OfferMade):
            self._ask(data.offer, now_ms)
        elif isinstance(data, OfferClosed):
            self.offers.pop(data.offer_id, None)
        elif isinstance(data, DispatchConfirmed) and data.offer_id in self.offers:
            offer = self.offers[data.offer_id]
            for report in self.answers.course(offer):
                self.at(max(report.at_ms, now_ms), partial(self._report, offer, report))

    def _ask(self, offer: Offer, now_ms: int) -> None:
        self.offers[offer.id] = offer
        answer = self.answers.reaction(offer, now_ms)
        if answer.answer is Answer.DECLINE:
            self._soon(
                answer.at_ms, DeclineOffer(offer_id=offer.id, code=answer.code), "vendor", offer.vendor_id
            )
        elif answer.answer is Answer.ACCEPT and not offer.assumed:
            self._soon(answer.at_ms, AcceptOffer(offer_id=offer.id), "vendor", offer.vendor_id)

    def _report(self, offer: Offer, report: Report, now_ms: int) -> None:
        if self.offers.get(offer.id) is offer:
            told = ReportStatus(offer_id=offer.id, status=report.update.status, code=report.update.code)
            self._act(told, now_ms, "vendor", offer.vendor_id)


def horizon_of(day: Day) -> Horizon:
    """From the evening before to the day after."""
    first, last = local_day(day.start_ms, day.tz), local_day(day.end_ms, day.tz) + timedelta(days=1)
    return Horizon.of(day.tz, first, (last - first).days + 1)


def ledgers_of(postings: Postings, day: Day, horizon: Horizon) -> dict[LedgerKey, Ledger]:
    """Limits as they are posted; nothing is booked."""
    days = {each.isoformat(): LocalDay.of(each, day.tz) for each in horizon.days}
    return {
        LedgerKey(vendor, pool.id, name): Ledger(posted(pool, days[name]), EMPTY)
        for (vendor, name), each in postings.items()
        if name in days
        for pool in each.pools
    }
