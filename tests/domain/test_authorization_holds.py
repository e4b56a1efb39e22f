"""Only a case manager releases an authorization hold, whatever other holds come and go, in any order."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, rule
from msgspec.structs import replace

from contracts.authorizations import Authorization
from contracts.codes import OfferState, RequestState, Requirement, Role, TrackingStatus
from contracts.episodes import After
from contracts.instants import DAY_MS, HOUR_MS, MINUTE_MS, to_instant
from contracts.tasks import TaskKind, TaskState
from contracts.will_call import WillCall
from dispatcher.domain.authorizations import AuthorizationRecord, record_id
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.authorizations import Authorize, PutAuthorization, RevokeAuthorization
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import Command, with_follow_ups
from dispatcher.domain.decision import Decision
from dispatcher.domain.needed import Needed
from dispatcher.domain.refusals import Refusal
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import TaskRecord
from tests.domain import make
from tests.domain.test_authorizations import Stored

FIRST, SECOND, CALLED = "r0", "r1", "r2"  # what goes before; what goes after it; a will-call
NAMES = (FIRST, SECOND, CALLED)
names = st.sampled_from(NAMES)
roles = st.sampled_from((Role.PLATFORM, Role.COORDINATOR, Role.OPS, Role.CASE_MANAGER))
requirements = st.sampled_from((Requirement.AUTHORIZATION, Requirement.PREDECESSOR))
VALUES = {"overdue_limit": 0, "max_attempts": 50, "return_after_no_show": 1}
AUTHORIZATION = Requirement.AUTHORIZATION


class Holds(Stored):
    """Three requests that wait for an authorization, one also for another's end, one for its call."""

    def __init__(self) -> None:
        super().__init__()
        self.may_release = False  # whoever acts now, or what is issued

    @initialize(after=st.booleans(), back=st.booleans())
    def requests_come_in(self, after: bool, back: bool) -> None:
        call = WillCall(day=to_instant(make.NOW).date())
        links = (After(request=FIRST),) if after else ()
        asked = [
            make.trip(FIRST, hold=AUTHORIZATION),
            make.trip(
                SECOND, hold=(AUTHORIZATION, Requirement.PREDECESSOR), ahead_ms=8 * HOUR_MS, after=links
            ),
            make.trip(
                CALLED,
                hold=AUTHORIZATION,
                pickup_window=None,
                will_call=call,
                return_of=FIRST if back else None,
            ),
        ]
        for request in asked:
            context = make.context(now_ms=self.now_ms, values=VALUES)
            needed = Needed(("wheelchair",))
            self.commit(with_follow_ups(receive(request, context, authorization=needed), context))
        first = self.records[FIRST]
        assert isinstance(first, RequestRecord)
        before = (*((SECOND,) if after else ()), *((CALLED,) if back else ()))
        self.records[FIRST] = replace(first, before=before)

    @rule(name=names, what=requirements, role=roles)
    def somebody_holds(self, name: str, what: Requirement, role: Role) -> None:
        self.act(name, HoldRequest(request_id=name, requirement=what), role)

    @rule(name=names, what=st.none() | st.sampled_from(Requirement), role=roles, also=roles)
    def somebody_resumes(self, name: str, what: Requirement | None, role: Role, also: Role) -> None:
        self.act(name, ResumeRequest(request_id=name, requirement=what), role, also)

    @rule(name=names, role=roles)
    def somebody_says_go_anyway(self, name: str, role: Role) -> None:
        self.act(name, ReleaseSequence(request_id=name), role)

    @rule(role=roles)
    def the_will_call_is_called(self, role: Role) -> None:
        self.act(CALLED, ActivateRequest(request_id=CALLED), role)

    @rule(name=names)
    def a_vendor_is_asked_and_takes_it(self, name: str) -> None:
        record = self.records.get(name)
        if isinstance(record, RequestRecord):
            plan = make.proposal(record, make.vendor())
            self.act(name, MakeOffer(request_id=name, request=make.trip(name), proposal=plan), None)
            self.act(name, AcceptOffer(offer_id=self.last_offer(name)), None, vendor="v1")

    @rule(end=st.sampled_from((TrackingStatus.COMPLETED, TrackingStatus.NO_SHOW, TrackingStatus.FAILED)))
    def the_first_comes_to_an_end(self, end: TrackingStatus) -> None:
        self.act(FIRST, ResumeRequest(request_id=FIRST), Role.CASE_MANAGER, Role.COORDINATOR)
        self.a_vendor_is_asked_and_takes_it(FIRST)
        self.now_ms = max(self.now_ms, make.NOW + 4 * HOUR_MS)
        for status in (TrackingStatus.AT_PICKUP, end):
            self.its_vendor_reports(FIRST, status)

    @rule(name=names, status=st.sampled_from((TrackingStatus.TURNED_BACK, TrackingStatus.NO_SHOW)))
    def its_vendor_reports(self, name: str, status: TrackingStatus) -> None:
        report = ReportStatus(offer_id=self.last_offer(name), status=status)
        self.act(name, report, None, vendor="v1")

    @rule(name=st.sampled_from((FIRST, CALLED)))
    def it_is_cancelled(self, name: str) -> None:
        self.act(name, CancelRequest(request_id=name), Role.PLATFORM)

    @rule(minutes=st.sampled_from((1, 30, 60)))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        for name in list(self.records):
            if (record := self.records.get(name)) is not None:
                with suppress(Refusal):
                    facts: dict[str, Any] = {"values": VALUES, "tasks": self.related(record)}
                    self.commit(make.due(record, self.now_ms, **facts))

    @rule(granted=st.integers(1, 3), frees=st.booleans())
    def one_is_issued(self, granted: int, frees: bool) -> None:
        before = self.records.get(record_id("a1"))
        body = Authorization(
            number="A-1",
            payer="Medicaid",
            services=("wheelchair",),
            granted=granted,
            first_day=date(2026, 3, 1),
            last_day=date(2026, 3, 3),
            requests=NAMES,
        )
        command = PutAuthorization(
            authorization_id="a1",
            body=body,
            patient=(),
            from_ms=make.NOW - DAY_MS,
            until_ms=make.NOW + DAY_MS,
            expected_version=before.version if before else 0,
        )
        with suppress(Refusal):
            self.commit(self.decide(before, command, by="case_manager"))
        issued = self.records.get(record_id("a1"))
        self.may_release = True
        for each in NAMES if frees and isinstance(issued, AuthorizationRecord) else ():
            self.give(each, Authorize(request_id=each, authorization=issued), by="service")  # type: ignore[arg-type]
        self.may_release = False

    @rule()
    def it_is_revoked(self) -> None:
        name = record_id("a1")
        self.give(
            name, RevokeAuthorization(authorization_id="a1"), by="case_manager", roles=(Role.CASE_MANAGER,)
        )

    @invariant()
    def who_waits_is_on_hold_and_it_is_a_case_managers_task(self) -> None:
        for name in NAMES:
            record = self.records.get(name)
            if isinstance(record, RequestRecord) and record.state not in TERMINAL:
                assert bool(record.requirements) == (record.state is RequestState.ON_HOLD)
                task = self.records.get(f"{name}.{TaskKind.AUTHORIZATION_MISSING}")
                is_open = isinstance(task, TaskRecord) and task.state is not TaskState.DONE
                assert is_open == (AUTHORIZATION in record.requirements)

    @invariant()
    def nobody_is_asked_while_it_waits(self) -> None:
        for each in self.records.values():
            if isinstance(each, RequestRecord) and AUTHORIZATION in each.requirements:
                assert not [offer for offer in each.offers if offer.state is OfferState.REQUESTED]

    def act(self, name: str, command: Command, *acting: Role | None, **facts: Any) -> None:
        """By who has these roles; the service, or a vendor, if none."""
        named = [each for each in acting if each is not None]
        self.may_release = Role.CASE_MANAGER in named
        by = {"by": named[0].value, "roles": named} if named else {"by": "matcher"}
        self.give(name, command, **(by | facts))
        self.may_release = False

    def commit(self, decision: Decision | None) -> None:
        for change in decision.changes if decision else ():
            before, after = change.before, change.after
            if isinstance(before, RequestRecord) and isinstance(after, RequestRecord):
                lifted = AUTHORIZATION in before.requirements and AUTHORIZATION not in after.requirements
                assert not lifted or after.state in TERMINAL or self.may_release
        super().commit(decision)


TestHolds = Holds.TestCase
TestHolds.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
