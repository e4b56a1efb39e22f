"""Who has to read what a vendor wrote: a task, from its message until somebody read or answered it."""

from __future__ import annotations

from typing import NamedTuple

from contracts.tasks import TaskKind, TaskOutcome, TaskState
from contracts.threads import About
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Message
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, done, news, opened, reopened
from dispatcher.domain.threads import ThreadRecord, task_id


class Followed(NamedTuple):
    """What comes with a change of a thread."""

    changes: tuple[Change, ...] = ()
    messages: tuple[Message, ...] = ()


def is_unread(thread: ThreadRecord) -> bool:
    """Whether the vendor wrote something that nobody else has read, or answered."""
    vendor = f"vendor:{thread.vendor_id}"
    wrote = [number for number, each in enumerate(thread.messages, start=1) if each.by == vendor]
    heard = [number for number, each in enumerate(thread.messages, start=1) if each.by != vendor]
    heard += [each.up_to for each in thread.read if each.by != vendor]
    return max(wrote, default=0) > max(heard, default=0)


def followed(after: ThreadRecord, context: Context) -> Followed:
    """Its task, opened once there is something to read, and done once somebody has."""
    if after.about is not About.DISPATCH:
        return Followed()
    found = context.related.get(task_id(after.subject_id))
    task = found if isinstance(found, TaskRecord) else None
    waits = task is not None and task.state is not TaskState.DONE
    if is_unread(after) is waits:
        return Followed()
    if task is not None and waits:
        settled = done(task, context, TaskOutcome.SETTLED)
        return Followed((Change(task, settled),), (news(settled, "done", BY_ITSELF),))
    fresh = opened(TaskKind.UNREAD_MESSAGE, after.owner_id, context, offer_id=after.subject_id)
    wanted = reopened(task, fresh, context) if task else fresh
    return Followed((Change(task, wanted),), (news(wanted, "opened", context.by),))
