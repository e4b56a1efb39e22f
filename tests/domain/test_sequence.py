"""What happens to one request is followed by what goes after it (P10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import DeclineCode, OfferState, RequestState, Requirement, TrackingStatus
from contracts.episodes import After, SequenceKind
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.streams import To
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.on_hold import ResumeRequest
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import Command
from dispatcher.domain.decision import Decision
from dispatcher.domain.joining import joined
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.requests import RequestRecord
from tests.domain import make
from tests.domain.world import World

OXYGEN, RIDE = "oxygen", "ride"
R, T = RequestState, TrackingStatus
ABOUT = (TaskKind.SEQUENCE_AT_RISK, TaskKind.PREDECESSOR_MISSING)
HALF_HOUR = 30 * MINUTE_MS


class Discharge(World):
    """Oxygen within three hours, half an hour of work, and then the ride home."""

    def __init__(self, *, least: int = 0, most: int | None = None, **facts: Any) -> None:
        super().__init__({})
        self.told: list[str] = []
        after = After(request=OXYGEN, least_lag_minutes=least, most_lag_minutes=most, **facts)
        self.asked = {
            OXYGEN: make.trip(OXYGEN, ahead_ms=3 * HOUR_MS),
            RIDE: make.trip(RIDE, ahead_ms=3 * HOUR_MS, after=(after,)),
        }
        context = make.context(now_ms=self.now_ms)
        for each in joined([receive(each, context) for each in self.asked.values()], {}, context):
            self.commit(each)

    def commit(self, decision: Decision | None) -> None:
        """And what the vendor of the ride hears of its sequence."""
        super().commit(decision)
        messages = decision.messages if decision is not None else ()
        of_ride = [each for each in messages if each.subject.startswith(f"{RIDE}.")]
        names = [each.type.removeprefix("dispatch.dispatch.") for each in of_ride]
        self.told += [each for each in names if each in {"at_risk", "restored"}]

    def do(self, name: str, command: Command, vendor: str = "") -> Decision:
        """A command that has its effect."""
        decision = self.decide(self.records[name], command, vendor)
        assert decision is not None
        self.commit(decision)
        return decision

    def offer(self, name: str, minutes: int = 0, vendor: str = "v1") -> Decision:
        """The matcher's offer, some minutes after the window opens."""
        record = self.records[name]
        start_ms = record.earliest_ms + minutes * MINUTE_MS
        plan = replace(
            make.proposal(record, make.vendor(vendor, limit_s=24 * 3600)),
            start_ms=start_ms,
            end_ms=start_ms + HALF_HOUR,
        )
        return self.do(name, MakeOffer(request_id=name, request=self.asked[name], proposal=plan))

    def take(self, name: str, minutes: int = 0, vendor: str = "v1") -> Decision:
        """The same, and the vendor accepts."""
        self.offer(name, minutes, vendor)
        return self.do(name, AcceptOffer(offer_id=self.offer_id(name)), vendor)

    def report(self, name: str, status: TrackingStatus, vendor: str = "v1") -> Decision:
        """Of the newest offer."""
        return self.do(name, ReportStatus(offer_id=self.offer_id(name), status=status), vendor)

    def offer_id(self, name: str) -> str:
        """Of the newest."""
        return f"{name}.{len(self.records[name].offers)}"

    def pass_by(self, minutes: float, *, until: str = "") -> None:
        """Time, counted from the window's opening of a request if one is named; timers fire."""
        start_ms = self.records[until].earliest_ms if until else self.now_ms
        self.now_ms = start_ms + round(minutes * MINUTE_MS)
        self.fire_due()

    @property
    def ride(self) -> RequestRecord:
        """As it stands."""
        return self.records[RIDE]

    @property
    def at_risk(self) -> Sequence[tuple[str, TaskState]]:
        """Its tasks: what they say, and how far they are."""
        tasks = [each for each in self.tasks.values() if each.kind in ABOUT]
        return [(each.code, each.state) for each in tasks]


def types(decision: Decision, to: To) -> list[str]:
    return [each.type for each in decision.messages if each.to is to]


def test_what_no_plan_could_put_in_sequence_is_refused_with_both_and_their_times() -> None:
    context, late = make.context(), make.trip("late", ahead_ms=4 * HOUR_MS)
    for ahead_ms, lag, fits in ((3 * HOUR_MS, 0, False), (4 * HOUR_MS, 31, False), (4 * HOUR_MS, 30, True)):
        after = After(request="late", least_lag_minutes=lag)
        soon = make.trip("soon", ahead_ms=ahead_ms, after=(after,))
        receipts = [receive(each, context) for each in (late, soon)]
        if fits:
            assert len(joined(receipts, {}, context)) == 2
            continue
        with pytest.raises(Invalid, match="request soon is to go after request late") as refused:
            joined(receipts, {}, context)
        assert refused.value.facts["request_ids"] == ["soon", "late"]
        assert f"with {lag} minutes between" in refused.value.detail or not lag


def test_a_request_is_not_offered_before_what_goes_before_it_has_a_vendor() -> None:
    world = Discharge()
    with pytest.raises(WrongState, match="oxygen, which goes before it, has no vendor"):
        world.offer(RIDE, 30)
    world.offer(OXYGEN)
    world.offer(RIDE, 30)
    assert world.ride.state is R.OFFERED


@pytest.mark.parametrize(
    ("minutes", "holds"), [(29, False), (39, False), (40, True), (60, True), (90, True), (91, False)]
)
def test_its_start_keeps_the_least_and_the_most_lag(minutes: int, holds: bool) -> None:
    world = Discharge(least=10, most=60)
    world.take(OXYGEN)
    if holds:
        world.offer(RIDE, minutes)
    else:
        with pytest.raises(WrongState, match="oxygen goes before it"):
            world.offer(RIDE, minutes)


def test_start_to_start_counts_from_the_start() -> None:
    world = Discharge(kind=SequenceKind.START_TO_START, least=5)
    world.take(OXYGEN)
    with pytest.raises(WrongState):
        world.offer(RIDE, 4)
    world.offer(RIDE, 5)


def test_what_goes_before_a_dispatch_is_not_planned_after_it() -> None:
    world = Discharge()
    world.take(OXYGEN)
    world.take(RIDE, 30)
    world.report(OXYGEN, T.TURNED_BACK)
    with pytest.raises(WrongState, match="ride goes after it"):
        world.offer(OXYGEN, 10, "v2")
    world.offer(OXYGEN, 0, "v2")


def test_an_unanswered_offer_gives_way_to_what_goes_before_it() -> None:
    world = Discharge()
    world.take(OXYGEN)
    world.offer(RIDE, 30)
    world.report(OXYGEN, T.TURNED_BACK)
    assert world.ride.state is R.OFFERED  # another vendor may still be in time
    moved = world.offer(OXYGEN, 10, "v2")
    assert world.ride.state is R.MATCHING
    assert world.ride.offers[0].withdrawn
    assert "dispatch.offer.closed" in types(moved, To.VENDOR)
    assert not world.at_risk


def test_who_goes_after_what_is_late_is_at_risk_and_its_vendor_and_a_person_know() -> None:
    world = Discharge(least=0)
    world.take(OXYGEN)
    world.take(RIDE, 30, "v2")
    world.pass_by(20, until=OXYGEN)  # no report of its start
    assert world.at_risk == [("predecessor_late", TaskState.OPEN)]
    assert world.ride.risk == "predecessor_late"
    world.report(OXYGEN, T.AT_PICKUP)
    world.pass_by(10)
    world.report(OXYGEN, T.COMPLETED)
    assert world.at_risk == [("predecessor_late", TaskState.DONE)]
    (task,) = [each for each in world.tasks.values() if each.kind is TaskKind.SEQUENCE_AT_RISK]
    assert task.outcome is TaskOutcome.SETTLED


def test_what_should_be_done_by_now_is_told_while_its_crew_can_still_wait() -> None:
    world = Discharge(least=10)
    world.take(OXYGEN)
    world.take(RIDE, 40, "v2")
    world.pass_by(0, until=OXYGEN)
    world.report(OXYGEN, T.AT_PICKUP)
    world.pass_by(29.9, until=OXYGEN)
    assert not world.at_risk
    world.pass_by(30, until=OXYGEN)  # its set-up should have ended: no report is missing yet
    assert world.at_risk == [("predecessor_late", TaskState.OPEN)]


def test_the_lag_counts_from_the_actual_end_and_the_vendor_hears_when_it_may_begin() -> None:
    world = Discharge(least=10)
    world.take(OXYGEN)
    world.take(RIDE, 40, "v2")
    world.pass_by(0, until=OXYGEN)
    world.report(OXYGEN, T.AT_PICKUP)
    world.pass_by(34, until=OXYGEN)
    world.report(OXYGEN, T.COMPLETED)
    assert world.ride.risk == "predecessor_late", "it starts at 40, and 44 is the first minute in sequence"
    world.pass_by(43.9, until=OXYGEN)
    assert world.ride.risk == "predecessor_late"
    world.pass_by(44, until=OXYGEN)
    assert not world.ride.risk
    assert world.told == ["at_risk", "restored"]
    world.report(RIDE, T.AT_PICKUP, "v2")
    assert world.at_risk == [("predecessor_late", TaskState.DONE)]


def test_who_begins_within_the_lag_has_begun_early() -> None:
    world = Discharge(least=10)
    world.take(OXYGEN)
    world.take(RIDE, 40, "v2")
    world.pass_by(34, until=OXYGEN)
    world.report(OXYGEN, T.COMPLETED)
    world.pass_by(40, until=OXYGEN)
    world.report(RIDE, T.AT_PICKUP, "v2")
    assert world.ride.risk == "started_early"


def test_what_was_done_too_long_before_is_a_persons() -> None:
    world = Discharge(most=60)
    world.take(OXYGEN)
    world.take(RIDE, 80, "v2")
    world.pass_by(0, until=OXYGEN)
    world.report(OXYGEN, T.COMPLETED)
    assert world.at_risk == [("most_lag_exceeded", TaskState.OPEN)]


def test_what_waits_longer_than_the_most_lag_is_a_persons() -> None:
    world = Discharge(most=60)
    world.take(OXYGEN)
    world.take(RIDE, 50, "v2")
    world.pass_by(0, until=OXYGEN)
    world.report(OXYGEN, T.COMPLETED)
    world.pass_by(60, until=OXYGEN)
    assert not world.at_risk
    world.pass_by(60.1, until=OXYGEN)
    assert world.at_risk == [("most_lag_exceeded", TaskState.OPEN)]


def test_equipment_that_travels_along_counts_from_where_it_begins() -> None:
    world = Discharge(kind=SequenceKind.START_TO_START, least=5)
    world.take(OXYGEN)
    world.take(RIDE, 5, "v2")
    world.pass_by(0, until=OXYGEN)
    assert world.at_risk == [("predecessor_late", TaskState.OPEN)], "nobody said that it has begun"
    world.report(OXYGEN, T.AT_PICKUP)
    assert world.at_risk == [("predecessor_late", TaskState.DONE)]
    world.pass_by(4, until=OXYGEN)
    world.report(RIDE, T.AT_PICKUP, "v2")
    assert world.ride.risk == "started_early"


def test_its_vendor_hears_of_its_own_dispatch_and_of_nothing_else() -> None:
    world = Discharge()
    world.take(OXYGEN)
    world.take(RIDE, 30, "v2")
    cancelled = world.do(OXYGEN, CancelRequest(request_id=OXYGEN))
    told = [each for each in cancelled.messages if each.vendor_id == "v2"]
    assert [each.type for each in told] == ["dispatch.dispatch.at_risk"]
    assert OXYGEN not in str(told)
    assert "dispatch.sequence.at_risk" in types(cancelled, To.EVENTS)
    assert world.at_risk == [("predecessor_cancelled", TaskState.OPEN)]


def test_nobody_is_asked_for_what_goes_after_something_that_will_not_be_done() -> None:
    world = Discharge()
    world.do(OXYGEN, CancelRequest(request_id=OXYGEN))
    assert world.ride.state is R.ON_HOLD
    assert world.ride.requirements == (Requirement.PREDECESSOR,)
    assert world.at_risk == [("predecessor_cancelled", TaskState.OPEN)]
    world.do(RIDE, ResumeRequest(request_id=RIDE, requirement=Requirement.PREDECESSOR))
    assert world.ride.state is R.RECEIVED
    assert not world.ride.after
    assert world.at_risk == [("predecessor_cancelled", TaskState.DONE)]
    world.offer(RIDE)


def test_an_unanswered_offer_is_withdrawn_when_what_goes_before_it_will_not_be_done() -> None:
    world = Discharge()
    world.take(OXYGEN)
    world.offer(RIDE, 30)
    world.do(OXYGEN, CancelRequest(request_id=OXYGEN))
    assert world.ride.state is R.ON_HOLD
    assert not world.ride.live_offers
    assert sum(world.ledger.values()) == 0


def test_what_is_done_frees_what_goes_after_it_from_its_actual_end() -> None:
    world = Discharge(least=10)
    world.take(OXYGEN)
    world.pass_by(0, until=OXYGEN)
    world.report(OXYGEN, T.COMPLETED)
    assert world.ride.after[0].done_ms == world.now_ms
    with pytest.raises(WrongState):
        world.offer(RIDE, 9)
    world.offer(RIDE, 10)


def test_a_hold_for_a_predecessor_is_lifted_when_that_is_done() -> None:
    world = Discharge()
    held = replace(world.ride, state=R.ON_HOLD, requirements=(Requirement.PREDECESSOR,))
    world.records[RIDE] = held
    world.take(OXYGEN)
    world.pass_by(0, until=OXYGEN)
    world.report(OXYGEN, T.COMPLETED)
    assert world.ride.state is R.RECEIVED
    assert world.ride.requirements == ()


def test_a_start_before_its_time_is_recorded_and_is_a_persons() -> None:
    world = Discharge()
    world.take(OXYGEN)
    world.take(RIDE, 30)
    world.pass_by(15, until=RIDE)
    world.report(RIDE, T.AT_PICKUP)
    assert world.ride.status is T.AT_PICKUP
    assert world.at_risk == [("started_early", TaskState.OPEN)]
    world.report(OXYGEN, T.COMPLETED)
    world.report(RIDE, T.COMPLETED)
    assert world.at_risk == [("started_early", TaskState.OPEN)], "what was done is not undone"


def test_a_dispatch_whose_predecessor_has_no_vendor_is_a_task_in_good_time() -> None:
    world = Discharge()
    world.take(OXYGEN)
    world.take(RIDE, 30)
    world.report(OXYGEN, T.TURNED_BACK)
    assert not world.at_risk  # the matcher may find another
    world.now_ms = world.ride.offers[0].start_ms - 120 * MINUTE_MS
    world.fire_due()
    assert world.at_risk == [("predecessor_without_vendor", TaskState.OPEN)]
    world.take(OXYGEN, 0, "v2")
    assert world.at_risk == [("predecessor_without_vendor", TaskState.DONE)]


def test_a_second_risk_is_a_second_task() -> None:
    world = Discharge()
    world.take(OXYGEN)
    world.take(RIDE, 30)
    world.now_ms = world.ride.offers[0].start_ms - 100 * MINUTE_MS
    world.report(OXYGEN, T.TURNED_BACK)
    world.take(OXYGEN, 0, "v2")
    world.report(OXYGEN, T.TURNED_BACK, "v2")
    assert [state for _, state in world.at_risk] == [TaskState.DONE, TaskState.OPEN]


def test_a_person_says_go_anyway_and_the_history_names_them() -> None:
    world = Discharge()
    context = make.context(by="ops", subject="ann", tasks=world._related(world.ride))
    decision = make.table.decide(world.ride, ReleaseSequence(request_id=RIDE), context)
    world.commit(decision)
    assert (world.ride.history[-1].code, world.ride.history[-1].subject) == ("released", "ann")
    assert not world.ride.after
    assert not world.records[OXYGEN].before
    world.offer(RIDE)


def test_an_offer_rests_on_what_goes_before_it_as_it_was_read() -> None:
    world = Discharge()
    world.take(OXYGEN)
    decision = world.offer(RIDE, 30)
    oxygen = world.records[OXYGEN]
    assert ("request", OXYGEN, oxygen.version) in decision.relies


def test_a_decision_on_what_goes_before_rests_on_what_goes_after() -> None:
    world = Discharge()
    decision = world.offer(OXYGEN)
    assert ("request", RIDE, world.ride.version) in decision.relies


def test_what_cannot_be_in_sequence_is_refused_with_names() -> None:
    context = make.context()
    ride = make.trip(RIDE, after=(After(request=OXYGEN),))
    with pytest.raises(Invalid, match="after request oxygen, which is not there"):
        joined([receive(ride, context)], {}, context)
    ended = replace(make.received(make.trip(OXYGEN)), state=R.FAILED)
    with pytest.raises(Invalid, match="which is failed"):
        joined([receive(ride, context)], {OXYGEN: ended}, context)
    oxygen = make.trip(OXYGEN, after=(After(request=RIDE),))
    with pytest.raises(Invalid, match="in a circle"):
        joined([receive(ride, context), receive(oxygen, context)], {}, context)


def test_a_request_may_go_after_what_is_stored_or_done_already() -> None:
    world = Discharge()
    context = make.context()
    bed = make.trip("bed", after=(After(request=OXYGEN),))
    for each in joined([receive(bed, context)], {OXYGEN: world.records[OXYGEN]}, context):
        world.commit(each)
    assert world.records[OXYGEN].before == (RIDE, "bed")
    world.take(OXYGEN)
    world.pass_by(0, until=OXYGEN)
    world.report(OXYGEN, T.COMPLETED)
    late = make.trip("late", ahead_ms=5 * HOUR_MS, after=(After(request=OXYGEN),))
    (decision,) = joined([receive(late, context)], {OXYGEN: world.records[OXYGEN]}, context)
    assert decision.after.after[0].done_ms == world.now_ms


def test_a_declined_predecessor_leaves_an_unanswered_offer_where_it_is() -> None:
    world = Discharge()
    world.offer(OXYGEN)
    world.offer(RIDE, 30)
    world.do(OXYGEN, DeclineOffer(offer_id=world.offer_id(OXYGEN), code=DeclineCode.OTHER), "v1")
    assert world.ride.live_offers[0].state is OfferState.REQUESTED
    world.do(RIDE, AcceptOffer(offer_id=world.offer_id(RIDE)), "v1")
    assert world.ride.watch_ms == world.ride.offers[0].start_ms - 120 * MINUTE_MS
