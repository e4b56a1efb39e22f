"""Nothing drawn is lost and nothing is drawn twice: any commands, in any order, two of them at once."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.amendments import Amend
from contracts.authorizations import Authorization, Counted
from contracts.codes import DeclineCode, RequestState, Requirement, Role, TrackingStatus
from contracts.instants import DAY_MS, MINUTE_MS
from contracts.tasks import TaskKind, TaskState
from dispatcher.domain.amended_authorization import DRAWS
from dispatcher.domain.amendments import Facts, Ready
from dispatcher.domain.authorizations import AuthorizationRecord, amount, record_id
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment, RefuseAmendment
from dispatcher.domain.commands.authorizations import Authorize, PutAuthorization, RevokeAuthorization
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import Command, with_follow_ups
from dispatcher.domain.compact import Record
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import kind_of
from dispatcher.domain.needed import Needed
from dispatcher.domain.refusals import Refusal
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import TaskRecord
from tests.domain import make

NAMES = ("r0", "r1", "r2", "r3")
AUTHORIZATIONS = ("a0", "a1")
names, authorizations = st.sampled_from(NAMES), st.sampled_from(AUTHORIZATIONS)
VALUES = {"overdue_limit": 0, "authorization_low_visits": 1, "max_attempts": 50}
CASE_MANAGER = (Role.CASE_MANAGER,)


def put(name: str, granted: int, version: int = 0) -> PutAuthorization:
    body = Authorization(
        number="A-1",
        payer="Medicaid",
        services=("wheelchair",),
        granted=granted,
        counted=Counted.UNITS if name == "a1" else Counted.VISITS,
        first_day=date(2026, 3, 1),
        last_day=date(2026, 3, 3),
        requests=NAMES,
    )
    return PutAuthorization(
        authorization_id=name,
        body=body,
        patient=(),
        from_ms=make.NOW - DAY_MS,
        until_ms=make.NOW + DAY_MS,
        expected_version=version,
    )


def amending(record: RequestRecord, asks: Needed, fits: bool) -> AmendRequest:
    """To other units, on any authorization; as the web process works it out."""
    facts = Facts(
        record.earliest_ms,
        record.latest_ms,
        record.match_by_ms,
        record.service_class,
        record.priority,
        asks,
    )
    ready = Ready(
        request=make.trip(record.id),
        fields=("needs",),
        facts=facts,
        before=b"before",
        after=b"after",
        fits=fits,
        expires_ms=record.latest_ms,
    )
    return AmendRequest(request_id=record.id, patch=Amend(priority=record.priority), ready=ready)


class Stored(RuleBasedStateMachine):
    """Records as the store keeps them: a commit is whole, or stale and nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, Record] = {}
        self.now_ms = make.NOW

    def last_offer(self, name: str) -> str:
        record = self.records.get(name)
        return f"{name}.{len(record.offers)}" if isinstance(record, RequestRecord) else f"{name}.1"

    def give(self, name: str, command: Command, **facts: object) -> None:
        with suppress(Refusal):
            if name in self.records:
                self.commit(self.decide(self.records[name], command, **facts))

    def decide(self, record: Record | None, command: Command, **facts: object) -> Decision | None:
        related = self.related(record) if record is not None else []
        known = {"now_ms": self.now_ms, "values": VALUES, "tasks": related}
        return make.decide(record, command, **(known | facts))  # type: ignore[arg-type]

    def related(self, record: Record) -> list[Record]:
        """As the store does, and who amends: what it may draw on."""
        found, last = dict[str, Record](), [record]
        for _ in range(kind_of(record).rounds(record)):
            wanted = {name for one in last for _, name in kind_of(one).related(one)} - {record.id}
            last = [self.records[each] for each in sorted(wanted) if each in self.records]
            found |= {each.id: each for each in last}
        return list(found.values())

    def is_stale(self, decision: Decision | None) -> bool:
        changes = decision.changes if decision else ()
        return any(self.records.get(each.record.id) != each.before for each in changes)

    def commit(self, decision: Decision | None) -> None:
        if decision is None:
            return
        assert not self.is_stale(decision)
        assert len({each.record.id for each in decision.changes}) == len(decision.changes)
        for change in decision.changes:
            if change.after is None:
                del self.records[change.record.id]
            else:
                self.records[change.record.id] = change.after


class Balances(Stored):
    """Four requests that each need one of two authorizations, of few visits or units; amended, too."""

    @initialize(granted=st.integers(1, 2))
    def requests_come_in(self, granted: int) -> None:
        for name in AUTHORIZATIONS:
            self.commit(self.decide(None, put(name, granted), by="case_manager"))
        for n, name in enumerate(NAMES):
            context = make.context(now_ms=self.now_ms, values=VALUES)
            asked = Needed(("wheelchair",), authorization=AUTHORIZATIONS[n % 2])
            request = make.trip(name, ahead_ms=(2 + 8 * n) * 3_600_000)
            self.commit(with_follow_ups(receive(request, context, authorization=asked), context))

    @rule(minutes=st.sampled_from((1, 10, 60, 600, 6_000)))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        for name in list(self.records):
            with suppress(Refusal):
                if name in self.records:
                    record = self.records[name]
                    facts = {"values": VALUES, "tasks": self.related(record)}
                    self.commit(make.due(record, self.now_ms, **facts))

    @rule(name=names)
    def it_is_offered(self, name: str) -> None:
        if isinstance(record := self.records.get(name), RequestRecord):
            plan = make.proposal(record, make.vendor(assumed=name == "r3"))
            offer = MakeOffer(request_id=name, request=make.trip(name), proposal=plan)
            self.give(name, offer, by="matcher")

    @rule(name=names)
    def it_is_accepted(self, name: str) -> None:
        self.give(name, AcceptOffer(offer_id=self.last_offer(name)), vendor="v1")

    @rule(one=names, other=names)
    def two_are_accepted_at_once(self, one: str, other: str) -> None:
        decided = []
        for name in {one, other} & self.records.keys():
            with suppress(Refusal):
                command = AcceptOffer(offer_id=self.last_offer(name))
                decided.append((name, command, self.decide(self.records[name], command, vendor="v1")))
        for name, command, decision in decided:
            if self.is_stale(decision):
                self.give(name, command, vendor="v1")
            else:
                self.commit(decision)

    @rule(name=names)
    def it_is_declined(self, name: str) -> None:
        command = DeclineOffer(offer_id=self.last_offer(name), code=DeclineCode.OTHER)
        self.give(name, command, vendor="v1")

    @rule(name=names, other=authorizations, units=st.integers(1, 3), fits=st.booleans())
    def it_is_amended(self, name: str, other: str, units: int, fits: bool) -> None:
        record = self.records.get(name)
        if isinstance(record, RequestRecord) and record.state not in TERMINAL:
            self.give(name, amending(record, Needed(("wheelchair",), units, other), fits), by="platform")

    @rule(name=names, other=authorizations, units=st.integers(1, 3), agrees=st.booleans())
    def it_is_booked_and_amended(self, name: str, other: str, units: int, agrees: bool) -> None:
        self.it_is_offered(name)
        self.it_is_accepted(name)
        self.it_is_amended(name, other, units, fits=True)
        self.its_vendor_answers_an_amendment(name, agrees)

    @rule(name=names, agrees=st.booleans())
    def its_vendor_answers_an_amendment(self, name: str, agrees: bool) -> None:
        record = self.records.get(name)
        if isinstance(record, RequestRecord) and record.pending:
            facts = {"offer_id": f"{name}.{record.pending.attempt}", "number": len(record.amendments)}
            command = AgreeToAmendment(**facts) if agrees else RefuseAmendment(**facts)
            self.give(name, command, vendor="v1")

    @rule(name=names, status=st.sampled_from(TrackingStatus))
    def its_vendor_reports(self, name: str, status: TrackingStatus) -> None:
        self.give(name, ReportStatus(offer_id=self.last_offer(name), status=status), vendor="v1")

    @rule(name=names)
    def it_is_cancelled(self, name: str) -> None:
        self.give(name, CancelRequest(request_id=name))

    @rule(name=names, lifts=st.booleans())
    def a_case_manager_holds_it_or_lets_it_go(self, name: str, lifts: bool) -> None:
        about = {"request_id": name, "requirement": Requirement.AUTHORIZATION}
        command = ResumeRequest(**about) if lifts else HoldRequest(**about)
        self.give(name, command, by="case_manager", roles=CASE_MANAGER)

    @rule(name=authorizations, granted=st.integers(1, 4))
    def an_authorization_is_renewed(self, name: str, granted: int) -> None:
        before = self.records.get(record_id(name))
        command = put(name, granted, before.version if before else 0)
        with suppress(Refusal):
            self.commit(self.decide(before, command, by="case_manager"))
        issued = self.records.get(record_id(name))
        for each in NAMES:
            if isinstance(issued, AuthorizationRecord):
                self.give(each, Authorize(request_id=each, authorization=issued), by="service")

    @rule(name=authorizations)
    def an_authorization_is_revoked(self, name: str) -> None:
        command = RevokeAuthorization(authorization_id=name)
        self.give(record_id(name), command, by="case_manager", roles=CASE_MANAGER)

    @invariant()
    def what_is_used_is_what_is_drawn(self) -> None:
        requests = [each for each in self.records.values() if isinstance(each, RequestRecord)]
        for each in self.records.values():
            if isinstance(each, AuthorizationRecord):
                asked = [request.authorization for request in requests]
                drawn = sum(one.drawn for one in asked if one and one.authorization == each.name)
                assert 0 <= each.spent <= each.used <= each.granted
                assert each.used - each.spent == drawn
                mine = [one for one in asked if one and one.drawn and one.authorization == each.name]
                assert all(one.drawn == amount(each, one) for one in mine), "however it was amended"

    @invariant()
    def only_what_is_booked_or_done_draws_and_it_does_unless_it_was_let_go(self) -> None:
        for each in self.records.values():
            if isinstance(each, RequestRecord):
                assert each.authorization is not None
                let_go = each.authorization.waived
                assert bool(each.authorization.drawn) <= (each.state in DRAWS)
                assert (each.state not in DRAWS) or each.authorization.drawn or let_go
                if each.state is RequestState.ON_HOLD:
                    task = self.records[f"{each.id}.{TaskKind.AUTHORIZATION_MISSING}"]
                    assert isinstance(task, TaskRecord)
                    assert task.state is TaskState.OPEN

    @invariant()
    def little_left_has_a_task_and_enough_has_none(self) -> None:
        for each in self.records.values():
            if isinstance(each, AuthorizationRecord):
                task = self.records.get(f"{each.name}.{TaskKind.AUTHORIZATION_RUNNING_OUT}")
                is_open = isinstance(task, TaskRecord) and task.state is not TaskState.DONE
                assert is_open == each.low


TestBalances = Balances.TestCase
TestBalances.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
