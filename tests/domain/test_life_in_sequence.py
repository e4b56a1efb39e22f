"""Any commands, any clock, on requests that go after one another: P10 as a state machine."""

from __future__ import annotations

from itertools import combinations

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, rule
from msgspec.structs import replace

from contracts.codes import RequestState, Requirement, TrackingStatus
from contracts.episodes import After, SequenceKind
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.tasks import TaskKind, TaskState
from contracts.vendors import Vendor
from dispatcher.domain.apart import kept_apart
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.decision import Decision
from dispatcher.domain.joining import joined
from dispatcher.domain.links import EARLY, bounds, bounds_of, links_to, span_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import OPEN, TERMINAL
from tests.domain import make
from tests.domain.test_life_of_requests import VALUES, VENDORS, Life, ids
from tests.domain.world import World
from tests.examples import examples

LAGS = st.sampled_from((0, 0, 30))
KINDS = st.sampled_from(SequenceKind)
BEGUN = frozenset({TrackingStatus.AT_PICKUP, TrackingStatus.ON_BOARD, TrackingStatus.COMPLETED})


class Planned(World):
    """Every offer that is made stands in sequence at that moment, and what it replaced in its records."""

    def commit(self, decision: Decision | None) -> None:
        """As a world does; and no offer out of sequence was made."""
        before = dict(self.records)
        super().commit(decision)
        for record in self.records.values():
            known = before.get(record.id)
            if known is not None and len(record.offers) > len(known.offers):
                self._in_sequence(record)

    def _in_sequence(self, record: RequestRecord) -> None:
        within = bounds(record, self.records, self.values)
        assert within is not None, "nothing is planned after what has no vendor"
        assert within.hold(record.offers[-1].start_ms)


class LifeInSequence(Life):
    """Three requests, one after the other, each with a window in which it may start in or out of sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Planned(VALUES)

    @initialize(least=LAGS, kind=KINDS)
    def requests_come_in(self, least: int = 0, kind: SequenceKind = SequenceKind.FINISH_TO_START) -> None:
        context = make.context(now_ms=self.world.now_ms, values=VALUES)
        after = {
            "r1": (After(request="r0", kind=kind, least_lag_minutes=least),),
            "r2": (After(request="r0"), After(request="r1", most_lag_minutes=20 * 60)),
        }
        asked = [
            make.trip(f"r{n}", ahead_ms=(3 + n) * HOUR_MS, after=after.get(f"r{n}", ())) for n in range(3)
        ]
        for each in joined([receive(each, context) for each in asked], {}, context):
            self.world.commit(each)
        self.world.bodies = {each.id: [make.body(each)] for each in asked}

    @rule(name=ids, to=st.sampled_from(VENDORS), minutes=st.sampled_from((0, 15, 30, 90, 240)))
    def the_matcher_offers_some_time(self, name: str, to: Vendor, minutes: int) -> None:
        record = self.world.records.get(name)
        if record is not None:
            plan = make.proposal(record, to)
            start_ms = record.earliest_ms + minutes * MINUTE_MS
            plan = replace(plan, start_ms=start_ms, end_ms=start_ms + 30 * MINUTE_MS)
            self.world.give(name, MakeOffer(request_id=name, request=make.trip(name), proposal=plan))

    def another_vendor_is_asked_at_the_same_time(self) -> None:  # type: ignore[override]
        """No rule here: nothing of ours does that, and it would look at no sequence."""

    @rule(name=ids, other=st.sampled_from((None, "r0", "r1")))
    def somebody_says_go_anyway(self, name: str, other: str | None) -> None:
        self.world.give(name, ReleaseSequence(request_id=name, predecessor_id=other))

    @invariant()
    def links_are_symmetric(self) -> None:
        records = self.world.records
        for record in records.values():
            if record.state not in TERMINAL:
                for link in record.after:
                    assert not link.waits or record.id in records[link.request_id].before
                for name in record.before:
                    other = records.get(name)
                    assert other is None or other.state in TERMINAL or links_to(other, record.id)

    @invariant()
    def what_waits_for_nothing_that_will_come_is_on_hold_or_a_persons(self) -> None:
        for record in self.world.records.values():
            if any(each.broken for each in record.after) and record.state not in TERMINAL:
                held = Requirement.PREDECESSOR in record.requirements
                silent = record.accepted_by_silence(self.world.now_ms)
                assert record.risk if record.live_offers and not silent else held or silent

    @invariant()
    def an_offer_out_of_sequence_is_at_risk_or_withdrawn(self) -> None:
        for record in self.world.records.values():
            dispatch = record.dispatch
            if dispatch is None or not dispatch.live or record.risk:
                continue
            if dispatch.status in BEGUN or record.timer_ms <= self.world.now_ms:
                continue  # it is not waited for any more; or what is to be told of it is due
            for link in record.after:
                span = span_of(link, self.world.records.get(link.request_id), VALUES)
                later_ms = max(dispatch.start_ms, self.world.now_ms) if link.done_ms else dispatch.start_ms
                assert span is None or bounds_of(link, span).hold(later_ms)
                if link.waits and _to_the_end(link.kind):
                    assert span is None or self.world.now_ms < dispatch.start_ms - link.least_ms

    @invariant()
    def nothing_is_done_before_what_goes_before_it_unless_somebody_is_told(self) -> None:
        for record in self.world.records.values():
            begun = record.status in BEGUN and record.state not in OPEN
            waits = [each for each in record.after if each.waits and _to_the_end(each.kind)]
            if begun and waits and record.state in {RequestState.IN_PROGRESS, RequestState.COMPLETED}:
                assert record.risk == EARLY

    @invariant()
    def every_risk_has_had_a_task(self) -> None:
        tasks = self.world.tasks.values()
        for record in self.world.records.values():
            about = [each for each in tasks if each.request_id == record.id]
            at_risk = [each for each in about if each.kind is TaskKind.SEQUENCE_AT_RISK]
            if record.state is RequestState.ON_HOLD:
                missing = [each for each in about if each.kind is TaskKind.PREDECESSOR_MISSING]
                assert not record.risk or missing
                continue
            assert not record.risk or at_risk
            undone = [each for each in at_risk if each.state is not TaskState.DONE]
            assert len(undone) <= 1
            assert record.risk or not undone
            assert all(each.code == record.risk for each in undone)


class LifeOfOnePatient(LifeInSequence):
    """Three rides of one patient that nobody linked, each with a window in which it may meet the next."""

    @initialize()
    def requests_come_in(self) -> None:  # type: ignore[override]
        context = make.context(now_ms=self.world.now_ms, values=VALUES)
        asked = [make.trip(f"r{n}", ahead_ms=(3 + n) * HOUR_MS) for n in range(3)]
        taken = [receive(each, context) for each in asked]
        pairs = [(one.after, other.after) for one, other in combinations(taken, 2)]
        for each in kept_apart(taken, pairs, context):
            self.world.commit(each)
        self.world.bodies = {each.id: [make.body(each)] for each in asked}

    @rule(to=st.sampled_from(VENDORS), minutes=st.sampled_from((0, 15, 30)))
    def the_matcher_offers_all_for_about_one_time(self, to: Vendor, minutes: int) -> None:
        for at, record in enumerate(list(self.world.records.values())):
            start_ms = make.NOW + 5 * HOUR_MS + at * minutes * MINUTE_MS
            plan = make.proposal(record, to)
            plan = replace(plan, start_ms=start_ms, end_ms=start_ms + 30 * MINUTE_MS)
            command = MakeOffer(request_id=record.id, request=make.trip(record.id), proposal=plan)
            self.world.give(record.id, command)

    @invariant()
    def nobody_is_on_two_rides_at_once(self) -> None:
        placed = [(each, offer) for each in self.world.records.values() for offer in each.live_offers]
        for (one, first), (other, second) in combinations(placed, 2):
            if one.id != other.id and other.id in one.apart:
                assert first.end_ms <= second.start_ms or second.end_ms <= first.start_ms

    @invariant()
    def each_of_two_that_are_kept_apart_says_so(self) -> None:
        for record in self.world.records.values():
            others = [self.world.records[each] for each in record.apart if each in self.world.records]
            if record.state not in TERMINAL:
                assert all(record.id in each.apart for each in others if each.state not in TERMINAL)


def _to_the_end(kind: SequenceKind) -> bool:
    return kind is SequenceKind.FINISH_TO_START


TestLifeInSequence = LifeInSequence.TestCase
TestLifeInSequence.settings = settings(
    max_examples=examples(30),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLifeOfOnePatient = LifeOfOnePatient.TestCase
TestLifeOfOnePatient.settings = settings(TestLifeInSequence.settings, max_examples=examples(6))
del Life
