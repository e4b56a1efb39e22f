"""Whether what needs a person has a task, and each task an owner, as it is stored (P11)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from contracts.codes import RequestState
from contracts.tasks import TaskKind, TaskState
from dispatcher.audit.needs import by_a_person, is_open, needs
from dispatcher.domain.authorizations import AUTHORIZATION_KIND, AuthorizationRecord
from dispatcher.domain.commands.set_aside import PLAN
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import REQUEST_STATES, TERMINAL
from dispatcher.domain.task_owners import ESCALATES_TO, OWNERS
from dispatcher.domain.tasks import TASK_KIND, TaskRecord
from dispatcher.domain.will_call import NOT_CALLED
from dispatcher.store.survey import Survey, of_kind

ALONE = frozenset(  # tasks that are no request's
    {
        TaskKind.UNREADABLE,
        TaskKind.AUTHORIZATION_RUNNING_OUT,
        TaskKind.OCCURRENCE_MISSING,
        TaskKind.CANARY_ROLLED_BACK,
        TaskKind.WEBHOOK_FAILING,
        TaskKind.CREDENTIAL_EXPIRING,
        TaskKind.DISPATCH_BEYOND_CREDENTIAL,
        TaskKind.SCORE_DISPUTE,
        TaskKind.STATEMENT_DISPUTE,
        TaskKind.VENDOR_SUSPENDED,
        TaskKind.UNREAD_MESSAGE,
    }
)
OUTLIVES = ALONE | {  # of these a person still has something to do when the request has ended
    TaskKind.POSSIBLE_DUPLICATE,
    TaskKind.AMENDMENT_REFUSED,
    TaskKind.NOTIFICATION,
    TaskKind.BUNDLE_FAILED,
    TaskKind.PRICE_DISPUTE,
    TaskKind.PROOF_MISSING,
}
Finding = tuple[str, str]


def unseen(found: Survey) -> Iterator[Finding]:
    """What asks for a person has its task, every task has one owner and is there as long as its request.

    What ended before there were tasks has none: it is stored in an earlier form until it goes. What is told
    of an item that cannot be read stays until a person has seen to it, or it can be read again.
    """
    tasks = found.of_kind(TASK_KIND, TaskRecord)
    requests = found.of_kind(REQUEST_KIND, RequestRecord)
    about = defaultdict[str, list[str]](list)
    for name, task in tasks.items():
        about[task.request_id].append(name)
        yield from _odd_owner(task)
        yield from _not_planned(task)
        if task.kind not in ALONE:
            yield from _odd_subject(task, requests.get(task.request_id), found)
    for record in requests.values():
        yield from _without_task(record, [tasks[each] for each in about.get(record.id, ())], found)
    yield from _little_left(found)


def _without_task(record: RequestRecord, tasks: Sequence[TaskRecord], found: Survey) -> Iterator[Finding]:
    there = {each.id for each in tasks}
    hidden = found.damaged.get(TASK_KIND.name, set())
    for name in record.tasks:
        if name not in there | hidden and name not in found.records.get(TASK_KIND.name, {}):
            yield record.id, f"names task {name}, which is not there"
    if record.id in found.older.get(REQUEST_KIND.name, set()) or not hidden.isdisjoint(record.tasks):
        return
    for need in needs(record):
        if not any(need.is_met_by(each) and (is_open(each) or by_a_person(each)) for each in tasks):
            yield record.id, f"is {record.state.value} and has no open task {need.kind.value}"


def _odd_owner(task: TaskRecord) -> Iterator[Finding]:
    """It is its first owner's or the next one's; and whose hands it is in agrees with its state."""
    first, may_be_anybody_s = OWNERS[task.kind], task.kind is TaskKind.BUNDLE_FAILED  # its episode's owner
    if task.owner not in (first, ESCALATES_TO[first]) and not may_be_anybody_s:
        yield task.id, f"is owned by {task.owner.value}, who has nothing to do with it"
    if (task.state is TaskState.CLAIMED) > bool(task.claimed_by):
        yield task.id, "is claimed by nobody"
    if (task.outcome is None) is (task.state is TaskState.DONE):
        yield task.id, f"is {task.state.value} with the outcome {task.outcome}"


def _not_planned(task: TaskRecord) -> Iterator[Finding]:
    if is_open(task) and task.code.startswith(PLAN):
        yield task.request_id, f"is set aside, since planning it raises: {task.code}"


def _odd_subject(task: TaskRecord, record: RequestRecord | None, found: Survey) -> Iterator[Finding]:
    if record is None:
        if task.request_id not in found.damaged.get(REQUEST_KIND.name, set()):
            yield task.id, "has outlived its request"
        return
    if task.id not in record.tasks:
        yield task.id, f"is not named by request {record.id}"
    if is_open(task) and record.state in TERMINAL and not _may_outlive(task, record):
        yield task.id, f"is {task.state.value}, and its request is {record.state.value}"


def _may_outlive(task: TaskRecord, record: RequestRecord) -> bool:
    if task.kind in OUTLIVES or task.kind is REQUEST_STATES[record.state].task:
        return True
    if task.kind is TaskKind.WILL_CALL:  # somebody may stand at a door
        return record.state is RequestState.CANCELLED and record.history[-1].code == NOT_CALLED
    return task.kind is TaskKind.SEQUENCE_AT_RISK and bool(record.risk)


def _little_left(found: Survey) -> Iterator[Finding]:
    tasks = found.of_kind(TASK_KIND, TaskRecord)
    hidden = found.damaged.get(TASK_KIND.name, set())
    for each in of_kind(found, AUTHORIZATION_KIND.name, AuthorizationRecord):
        name = f"{each.name}.{TaskKind.AUTHORIZATION_RUNNING_OUT.value}"
        task = tasks.get(name)
        if each.low and name not in hidden and (task is None or not (is_open(task) or by_a_person(task))):
            yield each.name, "is running out and has no open task"
