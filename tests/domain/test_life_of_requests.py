"""Any commands, any clock: the promises of the domain, as a state machine that hypothesis drives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from contracts.amendments import Amend, AmendmentOutcome
from contracts.barriers import BarrierCode
from contracts.codes import (
    DeclineCode,
    LevelOfService,
    OfferState,
    Priority,
    RequestState,
    Requirement,
    Role,
    TrackingStatus,
)
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.offer_modes import OfferMode
from contracts.tasks import BY_ITSELF, TaskKind, TaskOutcome, TaskState
from contracts.unmatched import Unmatched
from contracts.vendors import RateCard, Vendor
from dispatcher.audit.prices import wrong
from dispatcher.domain.amendments import LOST
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment, RefuseAmendment
from dispatcher.domain.commands.barriers import RecordBarrier
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.dispute_line import DisputePrice, SettlePrice
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import with_follow_ups
from dispatcher.domain.commands.tasks import ClaimTask, CommentTask, FinishTask, ReleaseTask
from dispatcher.domain.commands.unmatched import ExplainUnmatched
from dispatcher.domain.commands.waiting import ReportReady, ReportWaiting
from dispatcher.domain.joining import joined
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import Invalid, NotFound, Refusal, WrongState
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import OFFER_STATES, REQUEST_STATES, TERMINAL
from tests.domain import make
from tests.domain.needs import Watch
from tests.domain.world import World, barriers
from tests.examples import examples

CARD = RateCard(turn_back_cents=2_000, late_cancel_cents=3_000, no_show_cents=1_500)
VENDORS = tuple(
    replace(make.vendor(f"v{n}", assumed=n == 0, limit_s=60 * (n + 1)), rate_card=CARD) for n in range(5)
)
VALUES: make.Values = {"max_attempts": 4, "overdue_limit": 2}
UNDER_WAY = frozenset({RequestState.ACCEPTED, RequestState.IN_PROGRESS})
ids = st.sampled_from(("r0", "r1", "r2", "back"))  # "back" is the way back of r0, a will-call
NOT_MADE = frozenset({RequestState.NO_SHOW, RequestState.CANCELLED})
vendors = st.sampled_from(VENDORS)
several = st.lists(vendors, min_size=2, max_size=3, unique=True)
places = st.integers(0, 3)
people = st.sampled_from(("ann", "bob"))
releasers = st.sampled_from(((Role.PLATFORM,), (Role.CASE_MANAGER,), (Role.COORDINATOR, Role.CASE_MANAGER)))
SAID = tuple(each for each in TaskOutcome if each not in BY_ITSELF)  # what people say of how a task ended


later = Amend(
    pickup_window=Window(
        earliest=to_instant(make.NOW + 30 * HOUR_MS), latest=to_instant(make.NOW + 31 * HOUR_MS)
    )
)
elsewhere = Amend(dropoff=Place(position=(-73.95, 40.79)))
patches = st.sampled_from(
    (
        later,
        elsewhere,
        Amend(dropoff=Place(position=make.FAR_DOOR)),
        Amend(notes="ring twice"),
        Amend(priority=Priority.STAT, notes="now"),
        Amend(level_of_service=LevelOfService.STRETCHER),
    )
)
often = st.sampled_from((True, True, True, False))


def counted(record: RequestRecord) -> int:
    """Its attempts; all who were asked in one broadcast are one."""
    return len(
        {
            (each.broadcast, each.made_ms if each.broadcast else each.attempt)
            for each in record.offers
            if each.counts
        }
    )


def agreed(record: RequestRecord, offer: OfferRecord) -> str:
    """What the tasks of a dispatch have behind them after each amendment that its vendor agreed to."""
    number = [each.outcome for each in record.amendments if each.attempt == offer.attempt].count(
        AmendmentOutcome.AGREED
    )
    return f"_{number}" if number else ""


def _later(plan: Proposal, minutes: int) -> Proposal:
    """The same so much later."""
    late_ms = minutes * MINUTE_MS
    return replace(plan, start_ms=plan.start_ms + late_ms, end_ms=plan.end_ms + late_ms)


def accept(offer: str) -> OnOffer:
    return AcceptOffer(offer_id=offer)


def decline(offer: str) -> OnOffer:
    return DeclineOffer(offer_id=offer, code=DeclineCode.OTHER)


def report(status: TrackingStatus, offer: str) -> OnOffer:
    return ReportStatus(offer_id=offer, status=status)


class Life(RuleBasedStateMachine):
    """Four requests, five vendors, one ledger, and the tasks that become necessary."""

    def __init__(self) -> None:
        super().__init__()
        self.world, self.watch = World(VALUES, most=2), Watch()

    @initialize(held=st.booleans(), collects=st.booleans())
    def requests_come_in(self, held: bool, collects: bool) -> None:
        tuned = {"return_after_no_show": int(held), "broadcast_collect_s": 90 * collects}
        self.world.values = VALUES | tuned
        for n in range(3):
            waits_for = (Requirement.PREDECESSOR, Requirement.AUTHORIZATION) if n == 2 else None
            request = make.trip(f"r{n}", ahead_ms=(1 + 12 * n) * HOUR_MS, hold=waits_for)
            context = make.context(now_ms=self.world.now_ms, values=VALUES)
            self.world.commit(with_follow_ups(receive(request, context), context))
            self.world.bodies[request.id] = [make.body(request)]

        context = make.context(now_ms=self.world.now_ms, values=VALUES)
        back = make.will_call("back", return_of="r0")
        for decision in joined([receive(back, context)], self.world.records, context):
            self.world.commit(decision)
        self.world.bodies["back"] = [make.body(back)]

    @rule(name=st.sampled_from(("back", "back", "r1")), minutes=st.sampled_from((None, -30, 0, 90)))
    def somebody_calls(self, name: str, minutes: int | None) -> None:
        ready_ms = None if minutes is None else self.world.now_ms + minutes * MINUTE_MS
        with suppress(Invalid):  # not its day, or before its way there has ended
            self.world.give(name, ActivateRequest(request_id=name, ready_ms=ready_ms))

    @rule(minutes=st.sampled_from((1, 1, 2, 5, 20, 90, 3000)))
    def time_passes(self, minutes: int) -> None:
        self.world.now_ms += minutes * MINUTE_MS

    @rule(name=ids)
    def nobody_does_anything_until_its_timer_fires(self, name: str) -> None:
        if name in self.world.records:
            self.world.now_ms = max(self.world.now_ms, self.world.records[name].timer_ms)
            self.world.fire_due()

    @rule(name=ids, to=vendors)
    def the_matcher_offers(self, name: str, to: Vendor) -> None:
        if name in self.world.records:
            plan = make.proposal(self.world.records[name], to)
            self.world.give(name, MakeOffer(request_id=name, request=make.trip(name), proposal=plan))

    @rule(name=ids, to=vendors)
    def the_matcher_offers_and_the_vendor_takes_it_on(self, name: str, to: Vendor) -> None:
        self.the_matcher_offers(name, to)
        self._own(name, 0, accept)

    @rule(
        name=ids,
        to=several,
        mode=st.sampled_from((OfferMode.BROADCAST, OfferMode.CASCADE)),
        minutes=st.sampled_from((0, 15)),
    )
    def the_matcher_asks_several(self, name: str, to: list[Vendor], mode: OfferMode, minutes: int) -> None:
        record = self.world.records.get(name)
        if record is not None and not {each.id for each in to} & record.declined_by:
            first, *others = (_later(make.proposal(record, each), at * minutes) for at, each in enumerate(to))
            request = make.trip(name)
            command = MakeOffer(
                request_id=name, request=request, proposal=first, mode=mode, others=tuple(others)
            )
            self.world.give(name, command)

    @rule(name=ids, to=vendors)
    def another_vendor_is_asked_at_the_same_time(self, name: str, to: Vendor) -> None:
        record = self.world.records.get(name)
        if record is None or record.state is not RequestState.OFFERED or counted(record) == 4:
            return
        chained = {each.vendor_id for each in record.chain}
        if to.id not in {each.vendor_id for each in record.live_offers} | record.declined_by | chained:
            self.world.commit(make.also_asking(record, to, now_ms=self.world.now_ms, values=VALUES))

    @rule(name=ids, removed=st.integers(0, 3), nobody_left=st.booleans())
    def the_matcher_explains(self, name: str, removed: int, nobody_left: bool) -> None:
        reasons = Unmatched(vendors=removed, last_rule="hours", nobody_left=nobody_left)
        self.world.give(name, ExplainUnmatched(request_id=name, unmatched=reasons))

    @rule(name=ids, place=places)
    def a_vendor_accepts(self, name: str, place: int) -> None:
        self._own(name, place, accept)

    @rule(name=ids, place=places)
    def a_vendor_declines(self, name: str, place: int) -> None:
        self._own(name, place, decline)

    @rule(name=ids, place=places, status=st.sampled_from(TrackingStatus))
    def a_vendor_works(self, name: str, place: int, status: TrackingStatus) -> None:
        self._own(name, place, accept)
        with suppress(Invalid):  # too early for its end
            self._own(name, place, lambda offer: report(status, offer))

    @rule(name=ids, what=st.sampled_from((("wait",), ("wait", "ready"), ("wait", "dispute"), ("settle",))))
    def a_vendor_waits_and_its_price_is_disputed(self, name: str, what: tuple[str, ...]) -> None:
        for each in what:
            record = self.world.records.get(name)
            if record is None or not record.offers:
                return
            offer = record.dispatch or record.offers[-1]
            about = offer_id(record, offer)
            if each in ("wait", "ready"):
                since = to_instant(max(offer.made_ms, self.world.now_ms - 40 * MINUTE_MS))
                waits = ReportWaiting(offer_id=about, since=since)
                self.world.give(
                    name, waits if each == "wait" else ReportReady(offer_id=about), offer.vendor_id
                )
            elif each == "dispute":
                with suppress(WrongState, Invalid):  # nothing is charged; or it is disputed already
                    said = DisputePrice(offer_id=about, line=len(offer.price_lines) or 1, sealed=b"x")
                    self.world.commit(self.world.decide(record, said))
            else:
                self._settled(record)

    def _settled(self, record: RequestRecord) -> None:
        for offer in record.offers:
            for number, said in enumerate(offer.disputes, start=1):
                if said.open:
                    kept = SettlePrice(offer_id=offer_id(record, offer), number=number, sealed=b"x")
                    self.world.give(record.id, kept)
                    return

    @rule(name=ids, by=vendors, attempt=st.integers(0, 5), status=st.sampled_from((None, *TrackingStatus)))
    def somebody_answers_an_old_or_a_strange_offer(
        self, name: str, by: Vendor, attempt: int, status: TrackingStatus | None
    ) -> None:
        record, offer = self.world.records.get(name), f"{name}.{attempt}"
        if record is None:
            return
        theirs = [each for each in record.offers if each.attempt == attempt and each.vendor_id == by.id]
        for command in (report(status, offer),) if status else (decline(offer), accept(offer)):
            try:
                decision = self.world.decide(record, command, by.id)
            except Refusal as refusal:
                assert isinstance(refusal, WrongState | Invalid if theirs else NotFound)
                continue
            assert theirs
            self.world.commit(decision)
            record = self.world.records[name]

    @rule(name=ids, patch=patches, fits=often, moves=often)
    def the_platform_amends(self, name: str, patch: Amend, fits: bool, moves: bool) -> None:
        world = self.world
        for again in (False, True):
            record = world.records.get(name)
            if record is None or name == "back":  # a will-call has its own test
                return
            ready = make.ready(
                record, world.bodies[name][-1], patch, now_ms=world.now_ms, fits=fits, moves=moves
            )
            try:
                decision = world.decide(record, AmendRequest(request_id=name, patch=patch, ready=ready))
            except WrongState:
                assert not again or record.state in TERMINAL or len(record.amendments) == 16
                return
            assert decision is None or not again
            world.commit(decision)

    @rule(name=ids, how=st.sampled_from(("agree", "agree", "refuse", "no room")))
    def the_vendor_answers_an_amendment(self, name: str, how: str) -> None:
        record = self.world.records.get(name)
        if record is None or not record.amendments:
            return
        number, last = len(record.amendments), record.amendments[-1]
        for offer in record.offers:
            if offer.attempt == last.attempt:
                agreed = AgreeToAmendment(
                    offer_id=offer_id(record, offer), number=number, room=how == "agree"
                )
                refused = RefuseAmendment(offer_id=offer_id(record, offer), number=number)
                self.world.give(name, refused if how == "refuse" else agreed, offer.vendor_id)

    @rule(
        name=ids,
        to=vendors,
        patch=patches,
        moves=often,
        then=st.sampled_from(("agree", "refuse", "no room", "", "", *TrackingStatus)),
    )
    def work_is_amended_and_its_vendor_does_something(
        self, name: str, to: Vendor, patch: Amend, moves: bool, then: str
    ) -> None:
        self.the_matcher_offers_and_the_vendor_takes_it_on(name, to)
        self.the_platform_amends(name, patch, True, moves)
        if then in ("agree", "refuse", "no room"):
            self.the_vendor_answers_an_amendment(name, then)
        elif then:
            self.a_vendor_works(name, 0, TrackingStatus(then))

    @rule(name=ids, really=st.integers(0, 5))
    def the_platform_cancels(self, name: str, really: int) -> None:
        if really == 0:
            self.world.give(name, CancelRequest(request_id=name))

    @rule(name=ids, requirement=st.sampled_from(Requirement))
    def the_platform_holds(self, name: str, requirement: Requirement) -> None:
        self.world.give(name, HoldRequest(request_id=name, requirement=requirement))

    @rule(name=ids, requirement=st.sampled_from((None, *Requirement)), by=releasers)
    def somebody_resumes(self, name: str, requirement: Requirement | None, by: tuple[Role, ...]) -> None:
        self.world.give(name, ResumeRequest(request_id=name, requirement=requirement), roles=by)

    @rule(
        place=st.integers(0, 7),
        by=people,
        outcome=st.sampled_from((None, None, *SAID)),
        barrier=st.sampled_from((None, BarrierCode.WEATHER)),
    )
    def somebody_works_on_a_task(
        self, place: int, by: str, outcome: TaskOutcome | None, barrier: BarrierCode | None
    ) -> None:
        world = self.world
        for name in sorted(world.tasks)[place : place + 1]:
            world.give(name, ClaimTask(task_id=name, by=by))
            if outcome is None:
                world.give(name, ReleaseTask(task_id=name, by=by))
            else:
                world.give(name, FinishTask(task_id=name, by=by, outcome=outcome, barrier=barrier))
            if world.tasks[name].state is not TaskState.DONE:
                word = CommentTask(task_id=name, by=by, sealed=b"x")
                world.commit(world.decide(world.tasks[name], word))

    @rule(name=ids, code=st.sampled_from(BarrierCode))
    def somebody_says_what_the_barrier_was(self, name: str, code: BarrierCode) -> None:
        self.world.give(name, RecordBarrier(request_id=name, code=code))

    @rule()
    def due_timers_fire(self) -> None:
        self.world.fire_due()
        assert all(each.timer_ms > self.world.now_ms for each in self.world.everything())

    @invariant()
    def every_booking_belongs_to_exactly_one_offer(self) -> None:
        booked = Counter(
            booking
            for record in self.world.records.values()
            for offer in record.offers
            for booking in offer.bookings
        )
        assert booked == +self.world.ledger

    @invariant()
    def what_a_broadcast_wants_is_booked_once_it_is_taken_and_a_chain_goes_with_its_offer(self) -> None:
        for record in self.world.records.values():
            is_out = record.state is RequestState.OFFERED
            assert is_out or not (record.chain or record.collect_ms)
            for offer in record.offers:
                assert not offer.wants or (offer.unanswered and offer.broadcast and not offer.bookings)
                assert not offer.live or offer.bookings or offer.wants
        most = self.world.most
        assert most is None or all(booked <= most for booked in self.world.ledger.values())

    @invariant()
    def each_barrier_is_counted_once_as_it_stands(self) -> None:
        now = Counter(barriers(self.world.records.values()))
        assert +self.world.barriers == now + self.world.past_barriers

    @invariant()
    def a_closed_offer_takes_nothing_and_only_those_of_the_state_are_live(self) -> None:
        for record in self.world.records.values():
            live = [offer.state for offer in record.live_offers]
            if record.state is RequestState.OFFERED:
                assert set(live) == {OfferState.REQUESTED}
            else:
                assert live == [OfferState.ACCEPTED] * (record.state in UNDER_WAY)
            for offer in record.offers:
                if not offer.live and offer != record.dispatch:
                    assert not OFFER_STATES[offer.state]
                    assert not offer.bookings

    @invariant()
    def nobody_is_asked_twice_at_a_time_nor_after_a_refusal(self) -> None:
        for record in self.world.records.values():
            live = [offer.vendor_id for offer in record.live_offers]
            assert len(set(live)) == len(live)
            changes = [each.closed_ms for each in record.amendments if each.made and each.changes_terms]
            for offer in record.offers:
                since_ms = max((each for each in changes if each <= offer.made_ms), default=0)
                assert not any(
                    each.vendor_id == offer.vendor_id and each.declined and each.closed_ms > since_ms
                    for each in record.offers[: offer.attempt - 1]
                )
            assert counted(record) <= 4
            assert len(record.history) <= 64

    @invariant()
    def what_is_on_hold_waits_for_something_and_nothing_else_does(self) -> None:
        for record in self.world.records.values():
            assert bool(record.requirements) == (record.state is RequestState.ON_HOLD)

    @invariant()
    def an_amendment_waits_only_for_who_has_the_work_and_what_it_says_is_never_lost(self) -> None:
        for record in self.world.records.values():
            assert all(not each.pending for each in record.amendments[:-1])
            if record.pending is not None:
                assert [each.attempt for each in record.live_offers] == [record.pending.attempt]
                assert record.state in UNDER_WAY
            for each in record.amendments:
                assert each.pending == bool(each.before and each.proposed)
                found_no_start = each.retimes and each.outcome is AmendmentOutcome.UNFIT  # nothing was said
                assert each.before or each.proposed or found_no_start
            kept, stored = (
                [each.before for each in record.amendments if each.made],
                self.world.bodies[record.id],
            )
            assert [*kept, stored[-1]] == stored, "what was replaced is in the history"
            now = make.opened_body(stored[-1])
            if now.will_call is not None:  # its window is the record's
                continue
            assert now.pickup_window is not None
            assert to_ms(now.pickup_window.earliest) == record.earliest_ms
            assert (now.priority, now.service_class) == (record.priority, record.service_class)

    @invariant()
    def the_lines_of_every_price_are_the_price_and_nobody_waits_after_the_work(self) -> None:
        for record in self.world.records.values():
            assert [each for offer in record.offers for each in wrong(offer)] == []

    @invariant()
    def none_ends_twice(self) -> None:
        assert all(count == 1 for count in self.world.ends.values())

    @invariant()
    def every_record_has_the_timer_that_its_state_asks_for(self) -> None:
        for record in self.world.records.values():
            unanswered = [each.expires_ms for each in record.offers if each.unanswered]
            dispatch, row = record.dispatch, REQUEST_STATES[record.state]
            if row.timer == "match_by":
                assert record.timer_ms == min(record.call_by_ms or record.match_by_ms, record.match_by_ms)
            elif row.timer == "offer_expires":
                assert record.timer_ms == min(*unanswered, record.collect_ms or unanswered[0])
            elif row.timer == "overdue":
                assert dispatch is not None
                expected_ms = dispatch.end_ms if dispatch.status else dispatch.start_ms
                overdue_ms = expected_ms + 20 * MINUTE_MS
                answer_ms = record.pending.expires_ms if record.pending else record.timer_ms
                assert record.timer_ms >= min(record.watch_ms or overdue_ms, overdue_ms, answer_ms)
                assert record.timer_ms <= answer_ms
            else:
                assert record.timer_ms >= record.history[-1].at_ms + 72 * HOUR_MS

    @invariant()
    def nothing_that_needs_a_person_is_without_an_open_task(self) -> None:
        self.watch.look(self.world.records.values(), self.world.tasks.values())

    @invariant()
    def what_asks_for_a_person_has_one_task(self) -> None:
        assert all(count == 1 for count in self.world.opened.values())
        missing = {
            f"{offer_id(record, each)}.overdue"
            + (f"_{each.status}" if each.status else "")
            + agreed(record, each)
            for record in self.world.records.values()
            for each in record.live_offers
            if each.overdue
        }
        assert missing <= set(self.world.opened)
        for record in self.world.records.values():
            for each in record.amendments:
                dropped = each.outcome == "dropped" and record.state is not RequestState.CANCELLED
                if (each.outcome in LOST or dropped) and not each.retimes:  # of a start the risk has a task
                    name = f"{record.id}.{each.attempt}.amendment_refused"
                    assert any(task.startswith(name) for task in self.world.opened)
        unsettled = [each for each in self.world.tasks.values() if each.state is not TaskState.DONE]
        assert {each.id for each in unsettled if each.kind is TaskKind.OVERDUE} <= missing

    @invariant()
    def a_will_call_is_called_or_somebodys_and_a_way_back_is_not_made_alone(self) -> None:
        back, there = self.world.records.get("back"), self.world.records.get("r0")
        if back is None:
            return
        assert not (back.waits_for_call and back.activated_ms)
        if not back.call_by_ms and not back.activated_ms and back.state is not RequestState.CANCELLED:
            assert "back.will_call" in self.world.opened
        if back.history[-1].code == "not_called":
            assert "back.will_call" in self.world.opened
        followed = any(step.code.startswith("outbound_") for step in back.history)
        if there is not None and there.state in NOT_MADE:
            arrives = any(each.status is TrackingStatus.ON_BOARD for each in back.offers)
            assert followed or arrives or not REQUEST_STATES[back.state].next

    def teardown(self) -> None:
        """Left alone, every request ends once and is forgotten, and the ledger is empty; so do tasks."""
        world = self.world
        for _ in range(200):
            if not world.records:
                break
            world.now_ms = max(world.now_ms, min(record.timer_ms for record in world.records.values()))
            world.fire_due()
            self._people_end_their_tasks()
        assert not world.records
        assert not +world.ledger
        assert set(world.ends) == world.forgotten
        assert not world.tasks, "they go with their requests"

    def _people_end_their_tasks(self) -> None:
        for record in list(self.world.records.values()):
            self._settled(record)
        for name in list(self.world.tasks):
            if self.world.tasks[name].state is not TaskState.DONE:
                self.world.give(name, FinishTask(task_id=name, by="ann", outcome=TaskOutcome.RESOLVED))

    def _own(self, name: str, place: int, answer: Callable[[str], OnOffer]) -> None:
        """One of the live offers, else the newest, answered by its own vendor."""
        record = self.world.records.get(name)
        if record is None or not record.offers:
            return
        offers = record.live_offers or record.offers[-1:]
        offer = offers[place % len(offers)]
        self.world.give(name, answer(offer_id(record, offer)), offer.vendor_id)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=examples(30),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
