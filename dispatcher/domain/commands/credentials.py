"""What is told of a vendor's credentials, once for each paper and step; and whose work follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from msgspec.structs import replace

from contracts.codes import CredentialKind, ServiceClass
from contracts.credentials import CredentialNews, VendorCredentialNews
from contracts.instants import MINUTE_MS
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.credentials import (
    AWAKE_MS,
    CREDENTIAL_KIND,
    EXPIRED,
    Beyond,
    CredentialWatch,
    Due,
    Noted,
    dispatch_task,
    paper_task,
    starts_ms,
)
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.task_parameters import DUE
from dispatcher.domain.tasks import TaskRecord, changed, done, news, opened, reopened

Step = tuple[Change, Message]
NEVER = 999  # beyond the first step
MOST_EARLIER = 32  # as many as a document may list


class NoteCredentials(Command, frozen=True, kw_only=True):
    """How a vendor's papers stand today, of its document at `version`, and what lies beyond them.

    `tasks`: those that there are about either, as they were read.
    """

    vendor_id: str
    version: int
    papers: tuple[Due, ...]
    beyond: tuple[Beyond, ...]
    tasks: Mapping[str, TaskRecord] = {}

    @property
    def subject(self) -> str:
        """The vendor."""
        return self.vendor_id

    @property
    def named(self) -> str:
        """The vendor."""
        return f"vendor {self.vendor_id}"


@decides(NoteCredentials, CREDENTIAL_KIND.name, creates=True)
def note(watch: CredentialWatch | None, command: NoteCredentials, context: Context) -> Decision | None:
    """None when all of it is known. A step that was told is not told again, even if tuning takes it back."""
    before = watch or CredentialWatch(id=command.vendor_id, version=0)
    known = {_paper(each): each.step for each in (*before.earlier, *before.papers)}
    fresh = [each for each in command.papers if each.noted.step < known.get(_paper(each.noted), NEVER)]
    papers = tuple(
        replace(each.noted, step=min(each.noted.step, known.get(_paper(each.noted), NEVER)))
        for each in command.papers
    )
    due_before = set(map(_paper, before.papers))
    again = [each for each in command.papers if each in fresh or _paper(each.noted) not in due_before]
    beyond = tuple(each.offer_id for each in command.beyond)
    if (papers, beyond) == (before.papers, before.beyond):
        return None
    after = CredentialWatch(
        id=before.id,
        version=before.version + 1,
        papers=papers,
        beyond=beyond,
        timer_ms=context.now_ms + AWAKE_MS,
        earlier=_earlier(before, papers),
    )
    steps = [*_about_papers(before, command, again, context), *_about_work(before, command, context)]
    return Decision(
        changes=(Change(watch, after), *(change for change, _ in steps)),
        messages=(*_told(command.vendor_id, fresh), *(message for _, message in steps)),
        preconditions=(Precondition(command.vendor_id, "", command.version),),
        at_ms=context.now_ms,
    )


def _earlier(before: CredentialWatch, papers: tuple[Noted, ...]) -> tuple[Noted, ...]:
    """What was told of and is not due now: it may come back, and is not told of again."""
    due = set(map(_paper, papers))
    return tuple(each for each in (*before.earlier, *before.papers) if _paper(each) not in due)[
        -MOST_EARLIER:
    ]


def _paper(noted: Noted) -> tuple[str, int]:
    return noted.kind, noted.last_day


def _told(vendor_id: str, fresh: list[Due]) -> list[Message]:
    """To the vendor, and to those who follow the market."""
    found = list[Message]()
    for each in fresh:
        facts: dict[str, Any] = {
            "kind": CredentialKind(each.noted.kind),
            "expires_on": date.fromordinal(each.noted.last_day),
            "days_left": each.days_left,
            "no_offers_from": date.fromordinal(each.stops),
            "levels_of_service": tuple(map(ServiceClass, each.services)),
        }
        what = "expired" if each.noted.step == EXPIRED else "expiring"
        own, all_s = CredentialNews(**facts), VendorCredentialNews(vendor_id=vendor_id, **facts)
        name = f"dispatch.credential.{what}"
        found.append(Message(type=name, subject=vendor_id, data=own, vendor_id=vendor_id))
        found.append(Message(type=f"dispatch.vendor.credential_{what}", subject=vendor_id, data=all_s))
    return found


def _about_papers(
    before: CredentialWatch, command: NoteCredentials, again: list[Due], context: Context
) -> list[Step]:
    """A task for each kind that is told of, or due once more; none any more for one with a later paper."""
    found, kinds = list[Step](), {each.noted.kind for each in command.papers}
    for each in again:
        made = opened(
            TaskKind.CREDENTIAL_EXPIRING,
            command.vendor_id,
            context,
            code=each.code,
            since=each.noted.kind,
            not_due_before_ms=_due_ms(each.noted.last_day, context),
        )
        task = replace(made, request_id="", vendor=command.vendor_id)
        found += _needed(command.tasks.get(task.id), task, context)
    for gone in sorted({each.kind for each in before.papers} - kinds):
        found += _settled(command.tasks.get(paper_task(command.vendor_id, gone)), context)
    return found


def _about_work(before: CredentialWatch, command: NoteCredentials, context: Context) -> list[Step]:
    """A task for each dispatch that lies beyond; none any more for one that no longer does."""
    found = list[Step]()
    for each in command.beyond:
        if each.offer_id not in before.beyond:
            found += about_beyond(command.vendor_id, each, command.tasks, context)
    left = {each.offer_id for each in command.beyond}
    for name in before.beyond:
        if name not in left:
            found += _settled(command.tasks.get(dispatch_task(name)), context)
    return found


def about_beyond(vendor_id: str, beyond: Beyond, known: Mapping[str, Record], context: Context) -> list[Step]:
    """The task about a dispatch that lies beyond; `known`: tasks by id, that one if there is one."""
    made = opened(
        TaskKind.DISPATCH_BEYOND_CREDENTIAL,
        beyond.request_id,
        context,
        offer_id=beyond.offer_id,
        code=beyond.code,
        priority=beyond.priority,
        not_due_before_ms=_due_ms(beyond.last_day, context),
    )
    task, there = replace(made, vendor=vendor_id), known.get(made.id)
    return _needed(there if isinstance(there, TaskRecord) else None, task, context)


def _due_ms(last_day: int, context: Context) -> int:
    """Before the last valid day begins; later than that, as any other, but before the day is over."""
    begins_ms, over_ms = starts_ms(last_day, context.tz), starts_ms(last_day + 1, context.tz)
    usual_ms = context.now_ms + DUE.whole(context.values) * MINUTE_MS
    return begins_ms if begins_ms > context.now_ms else min(usual_ms, over_ms)


def _needed(known: TaskRecord | None, fresh: TaskRecord, context: Context) -> list[Step]:
    if known is not None and known.state is not TaskState.DONE:
        if known.code == fresh.code:
            return []
        moved = changed(known, known.state, context, code=fresh.code)  # another paper of the kind
        return [(Change(known, moved), news(moved, "opened", context.by))]
    task = fresh if known is None else reopened(known, fresh, context)
    return [(Change(known, task), news(task, "opened", context.by))]


def _settled(known: TaskRecord | None, context: Context) -> list[Step]:
    if known is None or known.state is TaskState.DONE:
        return []
    task = done(known, context, TaskOutcome.SETTLED)
    return [(Change(known, task), news(task, "done", context.by))]
