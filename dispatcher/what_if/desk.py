"""A market in memory: records and bookings, changed by the very commands that change a stored one."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from contracts.codes import RequestState
from contracts.requests import Request
from contracts.tuning import Number
from dispatcher.domain.acceptance import Answer, Count
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import Command, decide, with_follow_ups
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import beside, kind_named, kind_of
from dispatcher.domain.refusals import Refusal
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import VendorLevel
from dispatcher.domain.states import OPEN
from dispatcher.domain.windows import Leaves
from dispatcher.matching.capacity import CapacityBook
from dispatcher.store.scorecards import Scorecard
from dispatcher.what_if.arriving import arrived, stands_with_others
from dispatcher.what_if.care import Care

LeavesOf = Callable[[Request], Leaves]
Answered = Mapping[str, Sequence[Count]]  # how vendors answered, by week
TRIES = 40  # more than anybody may have to be passed over
ASKED = frozenset({RequestState.OFFERED})


class Desk:
    """Decides as the service does, and keeps what it decided."""

    def __init__(
        self,
        tz: ZoneInfo,
        values: Mapping[str, Number],
        capacity: CapacityBook,
        answered: Answered,
        care: Care | None = None,
    ) -> None:
        self.tz, self.values, self.capacity = tz, values, capacity
        self.requests: dict[str, RequestRecord] = {}
        self.offered: dict[str, RequestRecord] = {}  # those that wait for an answer
        self.open: dict[str, RequestRecord] = {}  # those that wait for a vendor, longest waiting first
        self.bodies: dict[str, Request] = {}
        self.others: dict[tuple[str, str], Record] = {}  # tasks and the like, by kind and id
        self.scorecards: dict[VendorLevel, Scorecard] = {}
        self.answers = Counter[Answer]()
        self.answered = answered  # before the day, by week
        self.care = care or Care()

    def counted(self) -> dict[str, list[Count]]:
        """How vendors have answered, by week: before the day, and in it."""
        found = {week: list(counts) for week, counts in self.answered.items()}
        for each, number in self.answers.items():
            found.setdefault(each.week, []).append(Count(each.vendor_id, each.cell, each.yes, number))
        return found

    def receive(self, requests: Sequence[Request], now_ms: int, leaves_of: LeavesOf) -> list[Decision]:
        """New requests, with what they go after and belong to; without those that come too late."""
        context = Context(now_ms=now_ms, values=self.values, by="platform", tz=self.tz)
        new = dict[str, Decision]()
        for each in requests:
            with contextlib.suppress(Refusal):
                new[each.id] = receive(each, context, leaves_of(each))
                self.bodies[each.id] = each
        if len(new) == 1 and not any(stands_with_others(each, self.care) for each in requests):
            return [self._kept(with_follow_ups(each, context)) for each in new.values()]
        return [self._kept(each) for each in arrived(new, self.requests, self.others, self.care, context)]

    def act(self, command: Command, now_ms: int, *, by: str, vendor_id: str = "") -> Decision | None:
        """What a command of this moment changes; None when it changes nothing, or came too late."""
        record = self.requests[command.subject]
        context = self._context(record, now_ms, by, vendor_id)
        for _ in range(TRIES):
            try:
                decision = decide(record, command, context)
            except Refusal:
                return None
            if decision is None or command.if_full is command or self._fits(decision):
                return None if decision is None else self._kept(decision)
            command = command.if_full
        return None

    def act_all(self, commands: Sequence[Command], now_ms: int, *, by: str) -> list[Decision]:
        """All of these or none, each decided on as the others will be that come before it."""
        made = list[Decision]()
        for each in commands:
            decision = self.act(each, now_ms, by=by)
            if decision is None:
                for done in reversed(made):
                    self._undone(done)
                return []
            made.append(decision)
        return made

    def _undone(self, decision: Decision) -> None:
        """An offer that was not made after all: nothing else was counted with it."""
        self.capacity.give_back(decision.book)
        self.capacity.take(decision.unbook)
        for change in decision.changes:
            if isinstance(change.before, RequestRecord):
                self._file(change.before)
            elif change.before is None:
                self.others.pop((change.kind.name, change.record.id), None)
            else:
                self.others[change.kind.name, change.record.id] = change.before

    def _context(self, record: RequestRecord, now_ms: int, by: str, vendor_id: str) -> Context:
        return Context(
            now_ms=now_ms, values=self.values, by=by, vendor_id=vendor_id, tz=self.tz,
            related=self._beside(record), body=self.bodies.get(record.id), sends_nothing=True,
        )  # fmt: skip

    def _fits(self, decision: Decision) -> bool:
        """Whether there is room for what it books, once it has given back what it does not need."""
        if not decision.book:
            return True
        self.capacity.give_back(decision.unbook)
        fits = self.capacity.holds(decision.book)
        self.capacity.take(decision.unbook)
        return fits

    def _beside(self, record: RequestRecord) -> Mapping[str, Any]:
        """What is stored beside it, as far as its kind says; of one that stands by itself no farther."""
        stands = record.after or record.before or record.apart or record.bundle_until_ms
        found, asked = dict[str, Any](), {(kind_of(record).name, record.id)}
        last: list[Record] = [record]
        for _ in range(kind_of(record).rounds(record) if stands else 1):
            names = dict.fromkeys(each for one in last for each in kind_of(one).related(one))
            last = [
                other for each in names if each not in asked and (other := self._found(*each)) is not None
            ]
            asked |= names.keys()
            found |= {beside(each): each for each in last}
        return found

    def _found(self, kind: str, name: str) -> Record | None:
        found = self.requests.get(name) if kind_named(kind).form is RequestRecord else None
        return found or self.others.get((kind, name))

    def _file(self, record: RequestRecord) -> None:
        self.requests[record.id] = record
        for listed, states in ((self.open, OPEN), (self.offered, ASKED)):
            if record.state in states:
                listed[record.id] = record
            else:
                listed.pop(record.id, None)

    def _kept(self, decision: Decision) -> Decision:
        for change in decision.changes:
            name, after = (change.kind.name, change.record.id), change.after
            if isinstance(after, RequestRecord):
                self._file(after)
            elif after is not None:
                self.others[name] = after
            else:
                self.others.pop(name, None)
        self.capacity.give_back(decision.unbook)
        self.capacity.take(decision.book)
        for each in decision.outcomes:
            card = self.scorecards.setdefault(VendorLevel(each.vendor_id, each.entry.level), Counter())
            card.update(dict(each.counts()))
        self.answers.update(decision.answers)
        return decision
