"""Records, tasks and a ledger in memory: it commits as the store does, and refuses what the store would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from contracts.codes import OfferState, RequestState, Requirement, Role
from contracts.streams import To
from dispatcher.domain import timers
from dispatcher.domain.booking import Booking
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.table import Command
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import kind_of
from dispatcher.domain.notifications import NotificationRecord
from dispatcher.domain.prices import priced_as
from dispatcher.domain.refusals import NotAllowed, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import OFFER_STATES, REQUEST_STATES, TERMINAL
from dispatcher.domain.tasks import TASK_STATES, TaskRecord
from tests.domain import make

SECRETS = (make.PATIENT.name, make.PATIENT.phone, make.PATIENT.pickup_address, *map(str, make.DOOR))
Stored = RequestRecord | TaskRecord | NotificationRecord
Roles = Iterable[Role]


class World:
    """All that is stored, at `now_ms`; every commit is held to the tables, the ledger and P6 as it comes."""

    def __init__(self, values: make.Values, most: int | None = None) -> None:
        self.values, self.most = values, most  # so many bookings of one kind fit the ledger; None: all do
        self.now_ms = make.NOW
        self.records: dict[str, RequestRecord] = {}
        self.tasks: dict[str, TaskRecord] = {}
        self.notes: dict[str, NotificationRecord] = {}
        self.forgotten: set[str] = set()
        self.ledger: Counter[Booking] = Counter()
        self.bodies: dict[str, list[bytes]] = {}  # by request: each that was stored, the one of now last
        self.ends: Counter[str] = Counter()  # by request: how often it came to an end
        self.opened: Counter[str] = Counter()  # by task: how often it was opened
        self.barriers: Counter[str] = Counter()  # by code: what is counted
        self.past_barriers: Counter[str] = Counter()  # of requests that are forgotten

    def everything(self) -> list[Stored]:
        """All records of every kind."""
        return [*self.records.values(), *self.tasks.values(), *self.notes.values()]

    def stored(self, name: str) -> Stored | None:
        """The record of that id."""
        return self.records.get(name) or self.tasks.get(name) or self.notes.get(name)

    def give(self, name: str, command: Command, vendor: str = "", roles: Roles = ()) -> None:
        """Decide, commit, and say it again: the repeat has no effect of its own."""
        record, first = self.stored(name), command
        if record is None:
            return
        try:
            while not self.fits(decision := self.decide(record, command, vendor, roles)):
                if command.if_full is command:  # a plan of the matcher's, which is made anew
                    return
                command = command.if_full
        except (WrongState, NotAllowed):
            return
        self.commit(decision)
        if decision is not None:
            self._repeats_without_effect(decision, first, vendor, roles, is_full=command is not first)

    def decide(
        self, record: Stored, command: Command, vendor: str = "", roles: Roles = ()
    ) -> Decision | None:
        """What the command makes of the record, now."""
        return make.decide(record, command, vendor=vendor, roles=roles, **self._facts(record))

    def _facts(self, record: Stored) -> dict[str, Any]:
        """What a decision on it is made in; what was asked where somebody may be asked next."""
        facts = {"now_ms": self.now_ms, "values": self.values, "tasks": self._related(record)}
        chain = isinstance(record, RequestRecord) and record.chain
        body = make.opened_body(self.bodies[record.id][-1]) if chain else None
        return facts | {"body": body and msgspec.structs.replace(body, patient=None)}

    def fits(self, decision: Decision | None) -> bool:
        """Whether there is room in the ledger for what it books."""
        if decision is None or self.most is None:
            return True
        after = self.ledger.copy()
        after.subtract(decision.unbook)
        after.update(decision.book)
        return all(after[each] <= self.most for each in decision.book)

    def _due(self, record: Stored) -> Decision | None:
        """What its timer does; who has no room is passed over."""
        command: Command = FireTimer(kind=kind_of(record).name, id=record.id)
        facts = self._facts(record) | {"by": "timer"}
        while not self.fits(decision := make.decide(record, command, **facts)):
            command = command.if_full
        return decision

    def fire_due(self) -> None:
        """Every timer that is due, until none is."""
        for _ in range(6):  # offers expire one after the other, the deadline may have passed, and so on
            for known in self.everything():
                record = self.stored(known.id)
                if record is not None:
                    decision = self._due(record)
                    assert (decision is None) == (record.timer_ms > self.now_ms)
                    self.commit(decision)

    def commit(self, decision: Decision | None) -> None:
        """Every record over the one that it was decided on."""
        if decision is None:
            return
        self._book(decision)
        for count in decision.counts:
            self.barriers[count.cell.code] += count.by
        for body in decision.bodies:
            self.bodies[body.record_id].append(body.content)
        for change in decision.changes:
            if isinstance(change.record, TaskRecord):
                self._file_task(change.before, change.after)  # type: ignore[arg-type]
            elif isinstance(change.record, NotificationRecord):
                self._file_note(change.before, change.after)  # type: ignore[arg-type]
            else:
                self._file_request(change.before, change.after)  # type: ignore[arg-type]
        _vendors_learn_no_secret(decision)

    def _related(self, record: Stored) -> list[Stored]:
        """As the store does: the records beside it, and those beside these."""
        found, last = dict[str, Stored](), [record]
        for _ in range(kind_of(record).rounds(record)):
            names = {name for one in last for _, name in kind_of(one).related(one)}
            last = [other for each in sorted(names) if (other := self.stored(each)) is not None]
            found |= {each.id: each for each in last if each.id != record.id}
        return list(found.values())

    def _repeats_without_effect(
        self, decision: Decision, command: Command, vendor: str, roles: Roles, *, is_full: bool
    ) -> None:
        try:
            again = self.decide(decision.after, command, vendor, roles)
        except WrongState:
            # the matcher's plan was made for a request that waited; or there was no room for what was taken
            assert isinstance(command, MakeOffer) or is_full
        else:
            assert again is None

    def _file_request(self, before: RequestRecord | None, after: RequestRecord | None) -> None:
        name = (after or before).id  # type: ignore[union-attr]
        assert self.records.get(name) == before
        if before is not None:
            _steps_are_in_the_tables(before, after)
        if after is None:
            self.past_barriers.update(barriers([before]))
            del self.records[name]
            self.forgotten.add(name)
            return
        self.bodies.setdefault(name, [make.body(make.trip(name))])
        assert after.version == (before.version + 1 if before else 1)
        if before is not None and before.state in TERMINAL:  # a person still has a task about it
            assert after.timer_ms > self.now_ms or after.timer_ms == before.timer_ms
        else:
            due_ms = timers.timer_ms(after, self.now_ms, self.values)
            assert after.timer_ms == due_ms or _is_price_alone(before, after)
            if after.state in TERMINAL:
                self.ends[name] += 1
        self.records[name] = after

    def _file_task(self, before: TaskRecord | None, after: TaskRecord | None) -> None:
        name = (after or before).id  # type: ignore[union-attr]
        assert self.tasks.get(name) == before
        if after is None:
            del self.tasks[name]
            return
        assert before is None or after.state is before.state or after.state in TASK_STATES[before.state]
        if before is None:
            self.opened[name] += 1
        self.tasks[name] = after

    def _file_note(self, before: NotificationRecord | None, after: NotificationRecord | None) -> None:
        name = (after or before).id  # type: ignore[union-attr]
        assert self.notes.get(name) == before
        if after is None:
            del self.notes[name]
            return
        assert after.timer_ms > self.now_ms or after.due_ms == after.timer_ms
        self.notes[name] = after

    def _book(self, decision: Decision) -> None:
        for booking in decision.book:
            self.ledger[booking] += 1
        for booking in decision.unbook:
            self.ledger[booking] -= 1
            assert self.ledger[booking] >= 0


def barriers(records: Iterable[RequestRecord | None]) -> Iterable[str]:
    """Why each of them ended without its service, as far as that is said."""
    return [each.barrier.code.value for each in records if each is not None and each.barrier is not None]


def _steps_are_in_the_tables(before: RequestRecord, after: RequestRecord | None) -> None:
    if after is None:
        assert before.state in TERMINAL
        return
    if before.state in TERMINAL:
        same_tasks = after.tasks[: len(before.tasks)] == before.tasks
        kept = msgspec.structs.replace(
            after,
            version=before.version,
            timer_ms=before.timer_ms,
            barrier=before.barrier,
            offers=tuple(map(priced_as, after.offers, before.offers)),
            tasks=before.tasks if same_tasks else after.tasks,
        )
        assert kept == before, "it is kept for longer, a person says why, a price is settled: nothing else"
    assert after.state is before.state or after.state in REQUEST_STATES[before.state].next
    lifted = set(before.requirements) - set(after.requirements)
    if Requirement.AUTHORIZATION in lifted and after.state not in TERMINAL:
        assert after.history[-1].by == "case_manager", "nobody else lifts that, whatever else is lifted"
    for old, new in zip(before.offers, after.offers, strict=False):
        assert new.state is old.state or new.state in OFFER_STATES[old.state]
    for new in after.offers[len(before.offers) :]:
        assert new.state is OfferState.REQUESTED
        assert after.state is RequestState.OFFERED


def _vendors_learn_no_secret(decision: Decision) -> None:
    for message in decision.messages:
        names = tuple(getattr(each.record, "request_id", each.record.id) for each in decision.changes)
        names += tuple(each.record.id for each in decision.changes)
        assert message.subject.startswith(names)  # also of one that is forgotten
        text = msgspec.json.encode(message.data).decode()
        assert not any(secret in text for secret in SECRETS), message.to
        assert (message.to is To.VENDOR) == bool(message.vendor_id)


def _is_price_alone(before: RequestRecord | None, after: RequestRecord) -> bool:
    """Whether nothing but a line of a price differs: that is waited for no later, nor sooner."""
    if before is None or len(before.offers) != len(after.offers):
        return False
    offers = tuple(map(priced_as, after.offers, before.offers))
    same = msgspec.structs.replace(after, offers=offers, version=before.version, tasks=before.tasks)
    return same == before
