"""What parties do with a thread: write on it, and say up to where they have read."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import Role
from contracts.threads import MAX_MESSAGES, About
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.threads import (
    LOOK_AGAIN_MS,
    SUBJECTS,
    THREAD_KIND,
    Mark,
    Party,
    Posted,
    ThreadRecord,
    read_up_to,
    thread_id,
    told,
)
from dispatcher.domain.unread import followed

PARTIES = frozenset[Role]().union(*(each.parties for each in SUBJECTS.values()))
MOST_MARKS = 64  # the newest are kept: a thread must not grow with everybody who ever looked


class OnThread(Command, frozen=True, kw_only=True):
    """A command on a thread. `party`: what it stands on, as the dispatch says at that moment."""

    about: About
    subject_id: str
    party: Party | None = None

    @property
    def subject(self) -> str:
        """The thread."""
        return thread_id(self.about, self.subject_id)

    @property
    def named(self) -> str:
        """What it is about."""
        return f"{self.about} {self.subject_id}"


class PostMessage(OnThread, frozen=True, kw_only=True):
    """A message; `sealed` is the text, encrypted. Its id follows from the Idempotency-Key."""

    message_id: str
    sealed: bytes


class MarkRead(OnThread, frozen=True, kw_only=True):
    """Whoever asks has read up to this message; None: all there are."""

    up_to: int | None = None


@decides(PostMessage, THREAD_KIND.name, roles=PARTIES, creates=True, quiet=True)
def post(thread: ThreadRecord | None, command: PostMessage, context: Context) -> Decision | None:
    """None when it stands there. Raises Invalid when the thread is full: nothing that was said goes."""
    before = thread or _begun(command, context)
    if any(each.id == command.message_id for each in before.messages):
        return None
    if len(before.messages) >= MAX_MESSAGES:
        raise Invalid(
            f"the thread of {command.named} has {MAX_MESSAGES} messages, the limit\n"
            "Maybe speak: what was written stays."
        )
    word = Posted(command.message_id, context.now_ms, context.by, context.subject, command.sealed)
    version = thread.version + 1 if thread else 1
    after = replace(before, version=version, messages=(*before.messages, word))
    tasks = followed(after, context)
    return Decision(
        changes=(Change(thread, after), *tasks.changes),
        messages=(*told(after, context.by), *tasks.messages),
        at_ms=context.now_ms,
    )


@decides(MarkRead, THREAD_KIND.name, roles=PARTIES, quiet=True)
def mark(thread: ThreadRecord, command: MarkRead, context: Context) -> Decision | None:
    """None when there is nothing that they had not read. Raises Invalid for a message that is not there."""
    count = len(thread.messages)
    refuse_beyond(count, command)
    up_to = count if command.up_to is None else command.up_to
    if up_to <= read_up_to(thread, context.by, context.subject):
        return None
    own = Mark(context.by, context.subject, up_to, context.now_ms)
    others = [each for each in thread.read if (each.by, each.subject) != (own.by, own.subject)]
    after = replace(thread, version=thread.version + 1, read=(*others, own)[-MOST_MARKS:])
    tasks = followed(after, context)
    return Decision(
        changes=(Change(thread, after), *tasks.changes), messages=tasks.messages, at_ms=context.now_ms
    )


def refuse_beyond(count: int, command: MarkRead) -> None:
    """Raises Invalid for a message that is not there."""
    if command.up_to is not None and command.up_to > count:
        raise Invalid(
            f"the thread of {command.named} has {count} messages; {command.up_to} is none of them\n"
            "Maybe read it again."
        )


def _begun(command: PostMessage, context: Context) -> ThreadRecord:
    assert command.party is not None  # noqa: S101  (the service has asked what it is about)
    return ThreadRecord(
        id=command.subject,
        version=1,
        about=command.about,
        subject_id=command.subject_id,
        owner_id=command.party.owner_id,
        vendor_id=command.party.vendor_id,
        began_ms=context.now_ms,
        timer_ms=context.now_ms + LOOK_AGAIN_MS,
    )
