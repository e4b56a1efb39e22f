"""Any commands, any clock: the promises of the domain, as a state machine that hypothesis drives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.codes import DeclineCode, HoldReason, OfferState, RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.offers import Accept, Decline
from contracts.unmatched import Unmatched
from contracts.vendors import Vendor
from dispatcher.domain import decisions
from dispatcher.domain.decision import Decision, To
from dispatcher.domain.instants import HOUR_MS, MINUTE_MS
from dispatcher.domain.record import Booking, RequestRecord
from dispatcher.domain.refusals import NotFound, Refusal, WrongState
from dispatcher.domain.states import OFFER_STATES, REQUEST_STATES, TERMINAL
from tests.domain import make

VENDORS = tuple(make.vendor(f"v{n}", assumed=n == 0, limit_s=60 * (n + 1)) for n in range(5))
VALUES: dict[str, int | float] = {"max_attempts": 4, "overdue_limit": 2}
ids = st.sampled_from(("r0", "r1", "r2"))
vendors = st.sampled_from(VENDORS)
Answer = Accept | Decline | StatusUpdate
ACCEPTS, DECLINES = Accept(), Decline(code=DeclineCode.OTHER)
answers = st.sampled_from((ACCEPTS, DECLINES, *(StatusUpdate(status=status) for status in TrackingStatus)))
SECRETS = (make.PATIENT.name, make.PATIENT.phone, make.PATIENT.pickup_address, *map(str, make.DOOR))


class Life(RuleBasedStateMachine):
    """Three requests, five vendors, one ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = make.NOW
        self.records: dict[str, RequestRecord] = {}
        self.forgotten: set[str] = set()
        self.ledger: Counter[Booking] = Counter()
        self.ends: Counter[str] = Counter()

    @initialize()
    def requests_come_in(self) -> None:
        for n in range(3):
            waits_for = HoldReason.PREDECESSOR if n == 2 else None
            request = make.trip(f"r{n}", ahead_ms=(1 + 12 * n) * HOUR_MS, hold=waits_for)
            self._apply(decisions.receive(request, self.now_ms, VALUES))

    @rule(minutes=st.sampled_from((1, 1, 2, 5, 20, 90, 3000)))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS

    @rule(name=ids, to=vendors)
    def the_matcher_offers(self, name: str, to: Vendor) -> None:
        def propose(record: RequestRecord) -> Decision:
            plan = make.proposal(record, to)
            return decisions.offer(record, make.trip(name), plan, self.now_ms, VALUES)

        self._command(name, propose)

    @rule(name=ids, removed=st.integers(0, 3))
    def the_matcher_explains(self, name: str, removed: int) -> None:
        reasons = Unmatched(vendors=removed, last_rule="hours")
        self._command(name, lambda record: decisions.explain(record, reasons, self.now_ms))

    @rule(name=ids)
    def its_vendor_accepts(self, name: str) -> None:
        self._own(name, ACCEPTS)

    @rule(name=ids)
    def its_vendor_declines(self, name: str) -> None:
        self._own(name, DECLINES)

    @rule(name=ids, status=st.sampled_from(TrackingStatus))
    def its_vendor_works(self, name: str, status: TrackingStatus) -> None:
        self._own(name, ACCEPTS)
        self._own(name, StatusUpdate(status=status))

    @rule(name=ids, by=vendors, attempt=st.integers(0, 5), answer=answers)
    def somebody_answers_an_old_or_a_strange_offer(
        self, name: str, by: Vendor, attempt: int, answer: Answer
    ) -> None:
        record = self.records.get(name)
        if record is None:
            return
        theirs = [each for each in record.offers if each.attempt == attempt and each.vendor_id == by.id]
        try:
            decision = _decide(record, f"{name}.{attempt}", by.id, answer, self.now_ms)
        except Refusal as refusal:
            assert isinstance(refusal, WrongState if theirs else NotFound)
            return
        assert theirs
        self._apply(decision)

    @rule(name=ids, really=st.integers(0, 5))
    def the_platform_cancels(self, name: str, really: int) -> None:
        if really == 0:
            self._command(name, lambda record: decisions.cancel(record, self.now_ms, "platform", "", VALUES))

    @rule(name=ids, reason=st.sampled_from(HoldReason))
    def the_platform_holds(self, name: str, reason: HoldReason) -> None:
        self._command(name, lambda record: decisions.hold(record, self.now_ms, "platform", reason))

    @rule(name=ids)
    def the_platform_resumes(self, name: str) -> None:
        self._command(name, lambda record: decisions.resume(record, self.now_ms, "platform"))

    @rule()
    def due_timers_fire(self) -> None:
        self._fire_due()
        assert all(record.timer_ms > self.now_ms for record in self.records.values())

    @invariant()
    def every_hold_belongs_to_exactly_one_offer(self) -> None:
        held = Counter(
            booking
            for record in self.records.values()
            for offer in record.offers
            for booking in offer.bookings
        )
        assert held == +self.ledger

    @invariant()
    def a_closed_offer_holds_nothing_and_only_the_newest_is_open(self) -> None:
        for record in self.records.values():
            for offer in record.offers[:-1]:
                assert not OFFER_STATES[offer.state]
                assert not offer.bookings

    @invariant()
    def nobody_is_asked_twice(self) -> None:
        for record in self.records.values():
            asked = [offer.vendor_id for offer in record.offers]
            assert len(set(asked)) == len(asked) <= 4
            assert len(record.history) <= 64

    @invariant()
    def none_ends_twice(self) -> None:
        assert all(count == 1 for count in self.ends.values())

    def teardown(self) -> None:
        """Left alone, every request ends once and is forgotten, and the ledger is empty."""
        for _ in range(200):
            if not self.records:
                break
            self.now_ms = max(self.now_ms, min(record.timer_ms for record in self.records.values()))
            self._fire_due()
        assert not self.records
        assert not +self.ledger
        assert set(self.ends) == self.forgotten

    def _fire_due(self) -> None:
        for _ in range(4):  # an expired offer may find its deadline passed, and so on
            for record in list(self.records.values()):
                decision = decisions.due(record, self.now_ms, VALUES)
                assert (decision is None) == (record.timer_ms > self.now_ms)
                self._apply(decision)

    def _own(self, name: str, answer: Answer) -> None:
        """The newest offer, answered by its own vendor."""
        newest = self.records[name].offer if name in self.records else None
        if newest is not None:
            named = f"{name}.{newest.attempt}"
            self._command(name, lambda record: _decide(record, named, newest.vendor_id, answer, self.now_ms))

    def _command(self, name: str, decide: Callable[[RequestRecord], Decision | None]) -> None:
        """Decide, commit, and say it again: the repeat has no effect of its own."""
        record = self.records.get(name)
        if record is None:
            return
        try:
            decision = decide(record)
        except WrongState:
            return
        self._apply(decision)
        if decision is not None:
            _repeats_without_effect(decision, decide)

    def _apply(self, decision: Decision | None) -> None:
        if decision is None:
            return
        before, after = decision.before, decision.after
        assert after.version == (before.version + 1 if before else 1)
        self._book(decision)
        if before is not None:
            _steps_are_in_the_tables(before, after, decision.forget)
        if decision.forget:
            del self.records[after.id]
            self.forgotten.add(after.id)
            return
        if after.state in TERMINAL:
            self.ends[after.id] += 1
        _vendors_learn_no_secret(decision)
        self.records[after.id] = after

    def _book(self, decision: Decision) -> None:
        for booking in decision.book:
            self.ledger[booking] += 1
        for booking in decision.unbook:
            self.ledger[booking] -= 1
            assert self.ledger[booking] >= 0


def _decide(record: RequestRecord, offer: str, vendor: str, answer: Answer, now_ms: int) -> Decision | None:
    if isinstance(answer, Accept):
        return decisions.accept(record, offer, vendor, answer, now_ms=now_ms, values=VALUES)
    if isinstance(answer, Decline):
        return decisions.decline(record, offer, vendor, answer, now_ms=now_ms)
    return decisions.report(record, offer, vendor, answer, now_ms=now_ms, values=VALUES)


def _steps_are_in_the_tables(before: RequestRecord, after: RequestRecord, forget: bool) -> None:
    assert after.state is before.state or after.state in REQUEST_STATES[before.state].next
    assert forget == (before.state in TERMINAL)
    for old, new in zip(before.offers, after.offers, strict=False):
        assert new.state is old.state or new.state in OFFER_STATES[old.state]
    for new in after.offers[len(before.offers) :]:
        assert new.state is OfferState.REQUESTED
        assert after.state is RequestState.OFFERED


def _repeats_without_effect(decision: Decision, decide: Callable[[RequestRecord], Decision | None]) -> None:
    try:
        again = decide(decision.after)
    except WrongState:
        assert decision.book  # the matcher's plan was made for a request that waited; it no longer does
    else:
        assert again is None


def _vendors_learn_no_secret(decision: Decision) -> None:
    for message in decision.messages:
        assert message.subject.startswith(decision.after.id)
        text = msgspec.json.encode(message.data).decode()
        assert not any(secret in text for secret in SECRETS), message.to
        assert (message.to is To.VENDOR) == bool(message.vendor_id)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
