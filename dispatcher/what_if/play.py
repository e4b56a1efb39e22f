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

from contracts.codes import RequestState, TrackingStatus
from contracts.episodes import DispatchAtRisk
from contracts.events import DispatchConfirmed, OfferClosed, OfferMade
from contracts.instants import MINUTE_MS
from contracts.local_day import LocalDay
from contracts.offers import Offer
from contracts.requests import Request
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.table import Command
from dispatcher.domain.decision import Decision, Message
from dispatcher.domain.request_kind import REQUEST
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.matching.capacity import capacity_book
from dispatcher.service.rides import leaves
from dispatcher.store.ledger import EMPTY, Ledger, LedgerKey
from dispatcher.store.pools import posted
from dispatcher.what_if.answers import Answers
from dispatcher.what_if.care import Call, Care
from dispatcher.what_if.change import Postings
from dispatcher.what_if.desk import Answered, Desk
from dispatcher.what_if.planner import Planner
from dispatcher.what_if.solving import Solved, Solver
from simulation.behaviour import Answer, Report
from simulation.day import Day, wanted_ms
from solvers.horizon import Horizon, local_day
from solvers.travel import DetourTravel

CALLS_AGAIN_MS = 10 * MINUTE_MS  # as the demo's coordinators do, where the ride there is late
EVERY_MS = 5 * MINUTE_MS  # about how old a batch's requests are where a solve takes as long as it is given
Told = Callable[[float], None]  #: what share of the day has been played


class Crew(NamedTuple):
    """A dispatch under way: what is still to be reported, and how much later than agreed."""

    offer: Offer
    reports: Iterator[Report]
    late_ms: int = 0


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
    care: Care = field(default_factory=Care)
    batches: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        """Everybody is where the day begins."""
        horizon = horizon_of(self.day)
        vendors = sorted(self.day.vendors, key=lambda each: each.id)
        postings = {(vendor, day.isoformat()): each for (vendor, day), each in self.day.capacity.items()}
        rows = {each.id: row for row, each in enumerate(vendors)}
        book = capacity_book(rows, postings, ledgers_of(postings, self.day, horizon), horizon)
        self.desk = Desk(self.day.tz, self.day.tuning, book, self.answered, self.care)
        self.planner = Planner(self.desk, vendors, self.solver)
        self.travel = DetourTravel.of(self.day.tuning)
        self.offers: dict[str, Offer] = {}  # as their vendors know them
        self.changed = False  # since the last batch: somebody waits anew, or a unit is free
        self.refused = 0
        self.at_risk: set[str] = set()  # offers whose crew is not to begin
        self.held: dict[str, tuple[Crew, Report]] = {}  # those that wait for it to be over
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
        self._people()
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

    def _people(self) -> None:
        """What people do on the day, whatever becomes of it: call, let go, call off."""
        for name, call in self.care.calls.items():
            self.at(call.at_ms, partial(self._call, name, call))
        for (name, before), at_ms in self.care.released.items():
            self._soon(at_ms, ReleaseSequence(request_id=name, predecessor_id=before), "ops")
        for name, at_ms in self.care.called_off.items():
            self._soon(at_ms, CancelRequest(request_id=name), "platform")

    def _call(self, name: str, call: Call, now_ms: int) -> None:
        """The passenger of a will-call is ready, if the ride there came; else somebody calls later."""
        record = self.desk.requests.get(name)
        if record is None or record.state in TERMINAL or not record.waits_for_call:
            return
        there = self.desk.requests.get(record.return_of)
        is_there = there is None or there.state is RequestState.COMPLETED
        if is_there or call.ready_ms > now_ms:
            ready_ms = max(call.ready_ms, now_ms)
            self._act(ActivateRequest(request_id=name, ready_ms=ready_ms), now_ms, "coordinator")
        if self.desk.requests[name].waits_for_call:
            self.at(now_ms + CALLS_AGAIN_MS, partial(self._call, name, call))

    def _submit(self, requests: Sequence[Request], now_ms: int) -> None:
        decided = self.desk.receive(requests, now_ms, lambda each: leaves(each, self.day.tz, self.travel))
        self.refused += sum(each.id not in self.desk.requests for each in requests)
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
                self._tell(message, now_ms)
            self.changed |= bool(decision.unbook)
        if anew:
            more, later = self.planner.imminent(anew, now_ms)
            self.changed |= later > 0
            self._follow(more, now_ms)

    def _wind(self, record: RequestRecord, now_ms: int) -> None:
        if record.state not in TERMINAL and now_ms < record.timer_ms < self.day.end_ms:
            fire = FireTimer(kind=REQUEST, id=record.id)
            self._soon(record.timer_ms, fire, "timer")

    def _tell(self, message: Message, now_ms: int) -> None:
        data: msgspec.Struct = message.data
        if isinstance(data, OfferMade):
            self._ask(data.offer, now_ms)
        elif isinstance(data, OfferClosed):
            self.offers.pop(data.offer_id, None)
        elif isinstance(data, DispatchConfirmed) and data.offer_id in self.offers:
            self._next(
                Crew(self.offers[data.offer_id], iter(self.answers.course(self.offers[data.offer_id]))),
                now_ms,
            )
        elif isinstance(data, DispatchAtRisk):
            self._risk(data.offer_id, now_ms, is_over=message.type.endswith("restored"))

    def _ask(self, offer: Offer, now_ms: int) -> None:
        self.offers[offer.id] = offer
        answer = self.answers.reaction(offer, now_ms)
        if answer.answer is Answer.DECLINE:
            self._soon(
                answer.at_ms, DeclineOffer(offer_id=offer.id, code=answer.code), "vendor", offer.vendor_id
            )
        elif answer.answer is Answer.ACCEPT and not offer.assumed:
            self._soon(answer.at_ms, AcceptOffer(offer_id=offer.id), "vendor", offer.vendor_id)

    def _next(self, crew: Crew, now_ms: int) -> None:
        """The next report, so much later than agreed as the crew had to wait: none overtakes another."""
        report = next(crew.reports, None)
        if report is not None:
            self.at(max(report.at_ms + crew.late_ms, now_ms), partial(self._report, crew, report))

    def _report(self, crew: Crew, report: Report, now_ms: int) -> None:
        offer = crew.offer
        if self.offers.get(offer.id) is not offer:
            return
        if offer.id in self.at_risk and report.update.status is TrackingStatus.AT_PICKUP:
            self.held[offer.id] = crew, report
            return
        told = ReportStatus(offer_id=offer.id, status=report.update.status, code=report.update.code)
        self._act(told, now_ms, "vendor", offer.vendor_id)
        self._next(crew, now_ms)

    def _risk(self, offer_id: str, now_ms: int, *, is_over: bool) -> None:
        """Whoever is told that what goes before is late does not begin; told that it is there, goes on."""
        if not is_over:
            self.at_risk.add(offer_id)
            return
        self.at_risk.discard(offer_id)
        if held := self.held.pop(offer_id, None):
            crew, report = held
            late_ms = max(crew.late_ms, now_ms - report.at_ms)
            self.at(report.at_ms + late_ms, partial(self._report, crew._replace(late_ms=late_ms), report))


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
