"""Threads: what the parties of a dispatch or an episode write to each other; sealed, told of by id, forgotten
with it.

A dispatch's belongs to one offer, not to its request: who has the work next does not read what was said to
the vendor before. An episode's is for who sees requests, never for a vendor. `SUBJECTS` is the table of what
there are threads about; another is one more line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import HOUR_MS
from contracts.tasks import TaskKind
from contracts.threads import About, MessageArrived, MessagePosted
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import Entry, Kind, kind_named, kind_of, register
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.refusals import no_such
from dispatcher.domain.requests import RequestRecord, offer_id, request_id_of
from dispatcher.domain.rights import READERS, Roles
from dispatcher.domain.views import refuse_unaccepted

LOOK_AGAIN_MS = 24 * HOUR_MS  # whether what a thread is about is still there
THREADS = "threads"  # the list of all, by when they began
WRITTEN = "threads:messages"  # of all: how many messages they have
UNREAD = "threads:unread"  # how many of them each of its vendor's people has not read who wrote or read on it
PERSON_BYTES = 8


class Posted(Compact, frozen=True):
    """One message; its number is its place. The text is sealed for this message of this thread."""

    id: str
    at_ms: int
    by: str
    subject: str
    sealed: bytes


class Mark(Compact, frozen=True):
    """Up to which message somebody has read."""

    by: str
    subject: str
    up_to: int
    at_ms: int


class ThreadRecord(Record, frozen=True, tag=1):
    """One thread. Its id is `dispatch:<offer id>`, or `episode:<its id>`."""

    about: About
    subject_id: str  # the dispatch, or the episode
    owner_id: str  # the record that it is forgotten with: the request, or the episode
    vendor_id: str  # the vendor that is a party of it; "" where none is
    began_ms: int
    timer_ms: int
    messages: tuple[Posted, ...] = ()
    read: tuple[Mark, ...] = ()


class Party(NamedTuple):
    """What a thread stands on: whose record it is forgotten with, and the vendor that reads it."""

    owner_id: str
    vendor_id: str


class Subject(NamedTuple):
    """What there are threads about: the kind of the record that it goes with, that record's id, who may take
    part, and how it is called.

    `party` raises NotFound for another vendor's, WrongState for a vendor whose work it is not (any more), and
    for whoever would write to one.
    """

    kind: str
    noun: str
    parties: Roles
    owner_of: Callable[[str], str]
    party: Callable[[Any, str, str, bool], Party]


def thread_id(about: About, subject_id: str) -> str:
    """The id of a thread's record."""
    return f"{about.value}:{subject_id}"


def task_id(offer_id: str) -> str:
    """What the task is called that is there while nobody has read what a dispatch's vendor wrote."""
    return f"{offer_id}.{TaskKind.UNREAD_MESSAGE.value}"


def owner_of(name: str) -> tuple[str, str]:
    """Kind and id of the record that a thread of this id is forgotten with."""
    about, _, subject_id = name.partition(":")
    subject = SUBJECTS[About(about)]
    return subject.kind, subject.owner_of(subject_id)


def threads_of(record: RequestRecord) -> list[str]:
    """Ids of the threads that a request may have."""
    return [thread_id(About.DISPATCH, offer_id(record, each)) for each in record.offers if _was_taken(each)]


def without_threads(record: Record, context: Context) -> list[Change]:
    """That the threads of a record go with it."""
    found = [each for each in context.related.values() if isinstance(each, ThreadRecord)]
    own = kind_of(record).name
    return [
        Change(each, None) for each in found if (SUBJECTS[each.about].kind, each.owner_id) == (own, record.id)
    ]


def read_up_to(thread: ThreadRecord, by: str, subject: str) -> int:
    """The last message that they said they have read; 0: none."""
    return max((each.up_to for each in thread.read if (each.by, each.subject) == (by, subject)), default=0)


def unread_by(thread: ThreadRecord, by: str, subject: str) -> int:
    """How many messages of others they have not read."""
    behind = thread.messages[read_up_to(thread, by, subject) :]
    return sum((each.by, each.subject) != (by, subject) for each in behind)


def person_on(name: str, subject: str) -> str:
    """How one of its vendor's people stands in the list of what is unread: no list says who that is."""
    return f"{name}/{hashlib.blake2b(subject.encode(), digest_size=PERSON_BYTES).hexdigest()}"


def told(after: ThreadRecord, by: str) -> tuple[Message, ...]:
    """Word of its last message, by ids: to who follows requests, and to the vendor unless it wrote it."""
    last, number = after.messages[-1], len(after.messages)
    news = MessagePosted(about=after.about, id=after.subject_id, message_id=last.id, number=number, by=by)
    messages = [Message(type="dispatch.message.posted", subject=after.subject_id, data=news)]
    if after.vendor_id and by != f"vendor:{after.vendor_id}":
        href = f"dispatches/{after.subject_id}/messages"
        arrived = MessageArrived(offer_id=after.subject_id, message_id=last.id, number=number, href=href)
        kind, to = "dispatch.message.arrived", after.vendor_id
        messages.append(Message(type=kind, subject=after.subject_id, data=arrived, vendor_id=to))
    return tuple(messages)


def due(thread: ThreadRecord, context: Context) -> Decision | None:
    """Its timer: it is kept as long as what it is about, which takes it along; else it goes by itself."""
    if thread.timer_ms > context.now_ms:
        return None
    later = replace(thread, version=thread.version + 1, timer_ms=context.now_ms + LOOK_AGAIN_MS)
    owner = kind_named(SUBJECTS[thread.about].kind).named_beside(thread.owner_id)
    after = later if owner in context.related else None
    return Decision(changes=(Change(thread, after),), at_ms=context.now_ms)


def _dispatch_party(record: RequestRecord, name: str, vendor_id: str, writes: bool) -> Party:
    """A dispatch: its vendor while it has the work or has done it; who sees requests may always read."""
    offer = record.offer_named(name, vendor_id)
    if vendor_id or writes:
        refuse_unaccepted(record, offer)
    return Party(record.id, offer.vendor_id)


def _episode_party(record: Record, name: str, vendor_id: str, writes: bool) -> Party:
    """An episode: who sees requests, for as long as it is there."""
    if vendor_id:
        raise no_such(f"episode {name}")
    return Party(record.id, "")


def _was_taken(offer: OfferRecord) -> bool:
    """Whether its vendor ever may have had the work: what was asked and refused has no thread."""
    return not offer.unanswered


def _lists(thread: ThreadRecord) -> Mapping[Entry, int]:
    """So that what is unread of many is found without reading them."""
    found = {Entry(THREADS, thread.id): thread.began_ms, Entry(WRITTEN, thread.id): len(thread.messages)}
    by = f"vendor:{thread.vendor_id}"
    wrote = {each.subject for each in thread.messages if each.by == by}
    people = wrote | {each.subject for each in thread.read if each.by == by}
    return found | {Entry(UNREAD, person_on(thread.id, each)): unread_by(thread, by, each) for each in people}


def _beside(thread: ThreadRecord) -> list[tuple[str, str]]:
    own = [("task", task_id(thread.subject_id))] if thread.about is About.DISPATCH else []
    return [(SUBJECTS[thread.about].kind, thread.owner_id), *own]


def _may_become(before: ThreadRecord | None, after: ThreadRecord | None) -> bool:
    """Nothing that was said is taken back or changed."""
    if before is None or after is None:
        return True
    return after.messages[: len(before.messages)] == before.messages


SUBJECTS: Mapping[About, Subject] = {
    About.DISPATCH: Subject("request", "offer", READERS | {Role.VENDOR}, request_id_of, _dispatch_party),
    About.EPISODE: Subject("episode", "episode", READERS, str, _episode_party),
}
THREAD_KIND = register(
    Kind(
        name="thread",
        form=ThreadRecord,
        key="thread",
        timers="timers:thread",
        timer_ms=lambda thread: thread.timer_ms,
        lists=_lists,
        may_become=_may_become,
        on_timer=due,
        related=_beside,
    )
)
