"""What follows from a decision on a request: the tasks that it makes necessary, and those that it settles."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.amendments import AmendmentOutcome
from contracts.codes import RequestState, Requirement
from contracts.instants import HOUR_MS
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.amendments import LOST, Amendment
from dispatcher.domain.bundles import bundle_task, is_given_back
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.follow_proof import proved, unproved
from dispatcher.domain.offer_tasks import number_of, open_disputes, overdue_reports, unanswered_counters
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import OPEN, REQUEST_STATES, REQUIREMENT_TASKS, TERMINAL
from dispatcher.domain.task_parameters import HOLD_LEAD
from dispatcher.domain.tasks import (
    BY_ITSELF,
    TaskRecord,
    changed,
    done,
    news,
    opened,
    reopened,
)
from dispatcher.domain.will_call import NOT_CALLED

EARLY = "early"  # before the deadline
SOUGHT = OPEN | {RequestState.ON_HOLD, RequestState.OFFERED}
VENDORLESS = OPEN | {RequestState.ON_HOLD, RequestState.UNMATCHED}


def with_tasks(decision: Decision, context: Context) -> Decision:
    """The decision with its tasks in the same commit; as it is where there is none to open or to settle."""
    for change in decision.changes:
        if isinstance(change.after, RequestRecord):
            decision = _with_tasks_of(decision, change, change.after, context)
    return decision


def _with_tasks_of(decision: Decision, change: Change, after: RequestRecord, context: Context) -> Decision:
    """With the tasks of one request among those that change."""
    before = change.before if isinstance(change.before, RequestRecord) else None
    fresh = _opened(before, after, context)
    ended = _settled(before, after, context) if after.tasks else []
    again = _reopened(before, after, context) if after.tasks else []
    if not fresh and not ended and not again:
        return decision
    tasks = (*after.tasks, *(each.id for each in fresh))
    with_names = Change(before, replace(after, tasks=tasks))
    changes = (
        *(with_names if each is change else each for each in decision.changes),
        *(Change(None, each) for each in fresh),
        *(Change(task, later) for task, later in (*again, *ended)),
    )
    told: list[Message] = [news(each, "opened", BY_ITSELF) for each in fresh]
    told += [news(task, "opened", BY_ITSELF) for _, task in again]
    told += [news(end, "done", BY_ITSELF) for _, end in ended if end.state is TaskState.DONE]
    return replace(decision, changes=changes, messages=(*decision.messages, *told))


def _opened(before: RequestRecord | None, after: RequestRecord, context: Context) -> list[TaskRecord]:
    """The task of a state that was reached, and one for each dispatch whose next report is now overdue.

    A request that has nobody left to ask has its task before its deadline; who has that, keeps it beyond.
    One on hold has one for each requirement.

    A report settles such a task and the next may be missing too: that is another task, with an id of its own.
    """
    found = []
    kind = REQUEST_STATES[after.state].task
    is_new = before is None or before.state is not after.state
    has_one = kind is TaskKind.UNMATCHED and _undone(after, context, kind)
    if kind and is_new and not has_one and not _is_of_bundle(after):
        code, priority = after.history[-1].code, after.priority
        found.append(opened(kind, after.id, context, code=code, priority=priority))
    found += [each for each in _recurring(after, context) if each.id not in after.tasks]
    if before is not None and before.call_by_ms and not (after.call_by_ms or after.activated_ms):
        kind, code = TaskKind.WILL_CALL, after.history[-1].code
        found.append(opened(kind, after.id, context, code=code, priority=after.priority))
    found += _not_agreed(before, after, context)
    if _is_new_risk(before, after) and not _undone(after, context, TaskKind.SEQUENCE_AT_RISK):
        found.append(_at_risk(after, context))
    found += unproved(before, after, context)
    found += [*overdue_reports(after, context), *open_disputes(after, context)]
    return [each for each in found if each.id not in after.tasks]


def _not_agreed(before: RequestRecord | None, after: RequestRecord, context: Context) -> list[TaskRecord]:
    """For each amendment that its vendor did not agree to: who asked for it hears that, and what now."""
    was = before.amendments if before else ()
    fresh = [
        place
        for place, amendment in enumerate(after.amendments)
        if (place >= len(was) or was[place].pending) and _needs_a_person(amendment, after)
    ]
    return [_amendment_task(after, place, context) for place in fresh]


def _amendment_task(after: RequestRecord, place: int, context: Context) -> TaskRecord:
    """By its dispatch; with its number where that had one before."""
    amendment, kind = after.amendments[place], TaskKind.AMENDMENT_REFUSED
    name = f"{after.id}.{amendment.attempt}"
    since = number_of(place + 1) if f"{name}.{kind.value}" in after.tasks else ""
    code, priority = amendment.outcome.value, after.priority
    task = opened(kind, after.id, context, offer_id=name, code=code, since=since, priority=priority)
    return replace(task, rules=amendment.rules)


def _needs_a_person(amendment: Amendment, after: RequestRecord) -> bool:
    is_over = after.state is RequestState.CANCELLED or is_given_back(after)
    if amendment.retimes:
        return False  # it is the sequence that needs one
    dropped = amendment.outcome is AmendmentOutcome.DROPPED and not is_over
    return amendment.outcome in LOST or dropped


def _reopened(
    before: RequestRecord | None, after: RequestRecord, context: Context
) -> list[tuple[TaskRecord, TaskRecord]]:
    """Tasks that were done, and that the request needs again after it did not for a while."""
    needed_before = {each.id for each in _again(before, context)} if before else set()
    needed = [each for each in _again(after, context) if each.id not in needed_before]
    known = [(context.related.get(each.id), each) for each in needed]
    return [
        (task, reopened(task, fresh, context))
        for task, fresh in known
        if isinstance(task, TaskRecord) and task.state is TaskState.DONE
    ]


def _again(of: RequestRecord, context: Context) -> list[TaskRecord]:
    """What may be needed once more: also a report, where its vendor said meanwhile that it waits."""
    return [*_recurring(of, context), *overdue_reports(of, context)]


def _recurring(of: RequestRecord, context: Context) -> list[TaskRecord]:
    """The tasks of what may come and go: as new, whether or not they are there.

    A request that has nobody left to ask; and each requirement that it is on hold for, but for the call of a
    will-call: of that somebody is asked in the evening.
    """
    lead_ms = HOLD_LEAD.whole(context.values) * HOUR_MS
    held = []
    for each in _asked_of_people(of):
        broken = of.risk if each is Requirement.PREDECESSOR else ""  # that cannot come by itself any more
        asked = of.authorization if each is Requirement.AUTHORIZATION else None
        lacks = asked.lacks if asked is not None else ""
        held.append(
            opened(
                REQUIREMENT_TASKS[each],
                of.id,
                context,
                code=broken or lacks or each.value,
                priority=of.priority,
                not_due_before_ms=0 if broken else of.match_by_ms - lead_ms,
            )
        )
    found = [*held, *unanswered_counters(of, context)]
    return [*found, _early(of, context)] if of.has_nobody_left else found


def _asked_of_people(of: RequestRecord) -> tuple[Requirement, ...]:
    """What it is on hold for that a person has to see to.

    Not a predecessor that ends by itself; but one that has ended as it should not. Nor the call of a
    will-call, before its evening.
    """
    if not of.requirements:
        return ()
    by_itself = not of.risk and any(each.waits for each in of.after)
    theirs = [each for each in of.requirements if each in REQUIREMENT_TASKS]
    return tuple(each for each in theirs if each is not Requirement.PREDECESSOR or not by_itself)


def _settled(
    before: RequestRecord | None, after: RequestRecord, context: Context
) -> list[tuple[TaskRecord, TaskRecord]]:
    """Open tasks about a missing report, once there was one or the work is no longer that vendor's.

    And that nobody is left to ask, once somebody was asked, or the request ended otherwise; about what it was
    on hold for, once that is there; that a vendor did not agree to an amendment, once another has the work,
    or nobody seeks one any more; that proof is missing, once it is there; that a wider window is asked for,
    once there is an answer; that a sequence is at risk, once it stands again. Where something else is missing
    than before, or it is at risk for another reason, the task says that.
    """
    overdue = {offer_id(after, offer) for offer in after.offers if offer.live and offer.overdue}
    late = [each for each in _undone(after, context, TaskKind.OVERDUE) if each.offer_id not in overdue]
    sought = after.state in VENDORLESS and not _is_of_bundle(after)
    tasks = late if sought else [*late, *_undone(after, context, TaskKind.UNMATCHED)]
    if before is not None and after.revision > before.revision and not after.has_nobody_left:
        tasks = list(dict.fromkeys([*tasks, *_undone(after, context, TaskKind.UNMATCHED)]))
    if after.state not in SOUGHT:
        name = offer_id(after, after.dispatch) if after.dispatch else ""
        tasks += [
            each for each in _undone(after, context, TaskKind.AMENDMENT_REFUSED) if each.offer_id != name
        ]
    tasks += _of_offers_over(after, context)
    for requirement, kind in REQUIREMENT_TASKS.items():
        tasks += _undone(after, context, kind) if requirement not in _asked_of_people(after) else []
    if not after.waits_for_call and after.history[-1].code != NOT_CALLED:  # else somebody may stand at a door
        tasks += _undone(after, context, TaskKind.WILL_CALL)
    tasks += [
        each for each in _undone(after, context, TaskKind.WINDOW_ASKED) if _is_answered(each, before, after)
    ]
    ended = [(task, done(task, context, TaskOutcome.SETTLED)) for task in tasks]
    ended += proved(after, _undone(after, context, TaskKind.PROOF_MISSING), context)
    return ended + _of_risk(after, context)


def _of_risk(after: RequestRecord, context: Context) -> list[tuple[TaskRecord, TaskRecord]]:
    """That a sequence is at risk: over once it stands again; says the reason for which it is now."""
    at_risk = _undone(after, context, TaskKind.SEQUENCE_AT_RISK)
    if not _risk(after):
        return [(task, done(task, context, TaskOutcome.SETTLED)) for task in at_risk]
    facts = {"code": after.risk, "retiming": after.retiming}
    return [
        (task, changed(task, task.state, context, **facts))
        for task in at_risk
        if (task.code, task.retiming) != (after.risk, after.retiming)
    ]


def _of_offers_over(after: RequestRecord, context: Context) -> list[TaskRecord]:
    """Of counter-offers that nobody waits for any more, and of disputes that were settled."""
    needed = {each.id for each in (*unanswered_counters(after, context), *open_disputes(after, context))}
    kinds = (TaskKind.COUNTER_OFFER, TaskKind.PRICE_DISPUTE)
    return [each for kind in kinds for each in _undone(after, context, kind) if each.id not in needed]


def _is_answered(asked: TaskRecord, before: RequestRecord | None, after: RequestRecord) -> bool:
    """A wider window is asked for no more: it is as wide, or a vendor has taken the work as it was."""
    if after.earliest_ms <= asked.asked_earliest_ms and asked.asked_latest_ms <= after.latest_ms:
        return True
    was_sought = before is not None and before.state in SOUGHT
    return after.state in TERMINAL or (was_sought and after.state not in SOUGHT)


def _is_of_bundle(after: RequestRecord) -> bool:
    """Whether it ended with its bundle, of which there is one task: that about the part that failed."""
    return is_given_back(after) or bundle_task(after.id) in after.tasks


def _is_new_risk(before: RequestRecord | None, after: RequestRecord) -> bool:
    return bool(_risk(after)) and (before is None or _risk(before) != _risk(after))


def _risk(of: RequestRecord) -> str:
    """Why it is out of sequence, or may be; on hold the task is that about its predecessor."""
    return "" if of.state is RequestState.ON_HOLD else of.risk


def _at_risk(after: RequestRecord, context: Context) -> TaskRecord:
    """That it is out of sequence, or may be: a task for each time that this came to be."""
    kind = TaskKind.SEQUENCE_AT_RISK
    number = sum(f".{kind.value}" in each for each in after.tasks)
    since = str(number + 1) if number else ""
    task = opened(kind, after.id, context, code=after.risk, since=since, priority=after.priority)
    return replace(task, retiming=after.retiming)


def _early(after: RequestRecord, context: Context) -> TaskRecord:
    """That nobody is left to ask: a task for each time that this was so, after another offer."""
    last = offer_id(after, after.offers[-1]) if after.offers else ""
    rule = after.unmatched.last_rule if after.unmatched else ""
    return opened(
        TaskKind.UNMATCHED, after.id, context, offer_id=last, code=rule, since=EARLY, priority=after.priority
    )


def _undone(of: RequestRecord, context: Context, kind: TaskKind) -> list[TaskRecord]:
    """Tasks of that kind about a request that nobody has ended."""
    tasks = [each for each in context.related.values() if isinstance(each, TaskRecord)]
    undone = [each for each in tasks if each.kind is kind and each.state is not TaskState.DONE]
    return [each for each in undone if each.request_id == of.id]
