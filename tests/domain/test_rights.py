"""Who may lift which hold and do which task: a role's right, in the person's own name."""

from __future__ import annotations

import pytest

from contracts.codes import RequestState, Requirement, Role
from contracts.instants import MINUTE_MS
from contracts.tasks import OwnerRole, TaskOutcome, TaskState
from dispatcher.domain.commands.ask_window import AskForWindow
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.subjects import OnTask
from dispatcher.domain.commands.tasks import ClaimTask, CommentTask, FinishTask, ReleaseTask
from dispatcher.domain.refusals import NotAllowed, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.rights import MAY_ACT, MAY_HOLD, MAY_RELEASE
from dispatcher.domain.task_owners import OWNERS
from dispatcher.domain.tasks import TaskRecord
from tests.domain import make
from tests.domain.make import after, decide, due, opened

AUTHORIZATION, PREDECESSOR = Requirement.AUTHORIZATION, Requirement.PREDECESSOR
PLATFORM, OPS, COORDINATOR, CASE_MANAGER = Role.PLATFORM, Role.OPS, Role.COORDINATOR, Role.CASE_MANAGER
READERS = (PLATFORM, OPS, COORDINATOR, CASE_MANAGER)
HOW_AND_WHEN = (PLATFORM, OPS, COORDINATOR)


def held(*requirements: Requirement) -> RequestRecord:
    return make.received(make.trip(hold=requirements))


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize(
    ("requirement", "lifters", "holders"),
    [(AUTHORIZATION, (CASE_MANAGER,), READERS), (PREDECESSOR, HOW_AND_WHEN, HOW_AND_WHEN)],
)
def test_each_requirement_is_put_and_lifted_by_those_whose_it_is_and_by_no_other(
    requirement: Requirement, lifters: tuple[Role, ...], holders: tuple[Role, ...], role: Role
) -> None:
    hold = HoldRequest(request_id="r1", requirement=requirement)
    lift = ResumeRequest(request_id="r1", requirement=requirement)
    for record, command, allowed, state in (
        (make.received(), hold, holders, RequestState.ON_HOLD),
        (held(requirement), lift, lifters, RequestState.RECEIVED),
    ):
        if role in allowed:
            step = after(decide(record, command, by=role.value, subject="ann")).history[-1]
            assert (step.state, step.by, step.subject) == (state, role.value, "ann")
        else:
            with pytest.raises(NotAllowed) as refused:
                decide(record, command, by=role.value)
            assert (
                f"is for {', '.join(sorted(allowed))}, and the token's role is {role}" in refused.value.detail
            )
    assert (set(lifters), set(holders)) == (MAY_RELEASE[requirement], MAY_HOLD[requirement])


@pytest.mark.parametrize("by", [(PLATFORM,), (OPS,), (COORDINATOR, OPS), (CASE_MANAGER,)])
def test_to_lift_all_needs_the_right_to_each_and_lifts_none_without(by: tuple[Role, ...]) -> None:
    with pytest.raises(NotAllowed, match=r"to lift \w+ off request r1 is for"):
        decide(held(PREDECESSOR, AUTHORIZATION), ResumeRequest(request_id="r1"), roles=by)


@pytest.mark.parametrize("both", [(AUTHORIZATION, PREDECESSOR), (PREDECESSOR, AUTHORIZATION)])
def test_who_is_both_lifts_both_and_the_history_names_the_rarer_right(both: tuple[Requirement, ...]) -> None:
    person = {"by": "coordinator", "roles": (COORDINATOR, CASE_MANAGER), "subject": "ann"}
    freed = decide(held(*both), ResumeRequest(request_id="r1"), **person)
    step = after(freed).history[-1]
    assert (step.state, step.by, step.subject) == (RequestState.RECEIVED, "case_manager", "ann")


def test_an_authorization_is_still_missing_whatever_other_holds_come_and_go() -> None:
    record = held(AUTHORIZATION)
    for _ in range(3):
        for command in (HoldRequest, ResumeRequest):
            record = after(decide(record, command(request_id="r1", requirement=PREDECESSOR), by="ops"))
    assert record.requirements == (AUTHORIZATION,)
    with pytest.raises(NotAllowed, match="case_manager"):
        decide(record, ResumeRequest(request_id="r1"), by="ops")


def test_what_it_does_not_wait_for_is_nobodys_to_lift_and_no_fault() -> None:
    lift = ResumeRequest(request_id="r1", requirement=AUTHORIZATION)
    for record in (held(PREDECESSOR), make.received()):
        assert decide(record, lift, by="platform") is None


def task_of(owner: OwnerRole) -> TaskRecord:
    """An open task that is that owner's at first."""
    if owner is OwnerRole.CASE_MANAGER:
        hold = HoldRequest(request_id="r1", requirement=AUTHORIZATION)
        (task,) = opened(decide(make.received(), hold, by="ops"))
    elif owner is OwnerRole.PLATFORM:
        record = make.received()
        asked = AskForWindow(
            request_id="r1", earliest_ms=record.earliest_ms, latest_ms=record.latest_ms + MINUTE_MS
        )
        (task,) = opened(decide(record, asked, by="ops"))
    else:
        ended = due(make.received() if owner is OwnerRole.CARE_COORDINATOR else make.accepted())
        (task,) = opened(ended)
    assert task.owner is owner
    return task


def steps(task: TaskRecord, by: str = "ann") -> tuple[OnTask, ...]:
    return (
        ClaimTask(task_id=task.id, by=by),
        ReleaseTask(task_id=task.id, by=by),
        FinishTask(task_id=task.id, by=by, outcome=TaskOutcome.RESOLVED),
    )


@pytest.mark.parametrize("owner", OwnerRole)
@pytest.mark.parametrize("role", READERS)
def test_a_task_is_for_its_owner_and_for_ops_and_the_platform_and_others_may_comment(
    owner: OwnerRole, role: Role
) -> None:
    task, own = task_of(owner), {COORDINATOR: "care_coordinator", CASE_MANAGER: "case_manager"}
    facts = {"by": role.value, "subject": "ann"}
    for command in steps(task):
        if own.get(role, owner.value) == owner.value:
            decide(task, command, **facts)
        else:
            with pytest.raises(
                NotAllowed, match=r"is for .*ops, platform, and the token's role is.*\n.*comment"
            ):
                decide(task, command, **facts)
    said = after(decide(task, CommentTask(task_id=task.id, by="ann", sealed=b"x"), **facts))
    assert [each.by for each in said.comments] == ["ann"]
    assert (role in MAY_ACT[owner]) == (own.get(role, owner.value) == owner.value)


def test_what_has_gone_to_ops_may_still_be_done_by_whom_it_was_first() -> None:
    task = task_of(OwnerRole.CASE_MANAGER)
    late: TaskRecord = after(due(task))
    assert (late.owner, OWNERS[late.kind]) == (OwnerRole.OPS, OwnerRole.CASE_MANAGER)
    claimed = after(decide(late, ClaimTask(task_id=task.id, by="ann"), by="case_manager", subject="ann"))
    assert claimed.claimed_by == "ann"
    with pytest.raises(NotAllowed):
        decide(late, ClaimTask(task_id=task.id, by="bob"), by="coordinator", subject="bob")


def test_coordinator_and_case_manager_act_in_their_own_name_and_those_who_speak_for_others_in_theirs() -> (
    None
):
    task = task_of(OwnerRole.CARE_COORDINATOR)
    for command in (*steps(task, "bob"), CommentTask(task_id=task.id, by="bob", sealed=b"x")):
        with pytest.raises(
            NotAllowed, match=r"the token is ann's: it cannot act as bob\nMaybe leave `by` out"
        ):
            decide(task, command, by="coordinator", subject="ann")
    for role in ("platform", "ops"):
        assert after(decide(task, steps(task, "bob")[0], by=role, subject="ann")).claimed_by == "bob"
    nameless = steps(task, "coordinator")[0]
    assert after(decide(task, nameless, by="coordinator")).claimed_by == "coordinator"


def test_one_person_has_a_task_and_only_they_or_ops_or_their_platform_put_it_back_or_finish_it() -> None:
    task = task_of(OwnerRole.CARE_COORDINATOR)
    anns: TaskRecord = after(decide(task, steps(task)[0], by="coordinator", subject="ann"))
    _, release, finish = steps(anns, "bob")
    for command in steps(anns, "bob"):
        with pytest.raises(
            WrongState, match=r"was claimed by ann\nMaybe ask them to release it; ops may"
        ) as no:
            decide(anns, command, by="coordinator", subject="bob")
        assert no.value.facts == {"state": "claimed"}
    for role in ("platform", "ops"):
        assert after(decide(anns, release, by=role)).state is TaskState.OPEN
        assert after(decide(anns, finish, by=role)).claimed_by == "ann", "who had it is kept"
    assert after(decide(anns, steps(anns)[2], by="coordinator", subject="ann")).state is TaskState.DONE
