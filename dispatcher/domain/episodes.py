"""Episodes: requests of one patient that belong together, as long as one of them is there."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.episodes import Bundle, EpisodeChanged
from contracts.instants import HOUR_MS
from contracts.tasks import OwnerRole
from contracts.threads import About
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.follow_notifications import with_notifications
from dispatcher.domain.follow_sequence import with_sequence
from dispatcher.domain.follow_up import with_tasks
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.request_kind import REQUEST
from dispatcher.domain.requests import HISTORY_LIMIT, RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.threads import THREAD_KIND, thread_id, without_threads
from dispatcher.domain.timers import RETENTION

OPEN, ENDED = "episodes:open", "episodes:ended"
LOOK_MS = HOUR_MS  # whether all of it has ended


class Step(Compact, frozen=True):
    """What was done with an episode: when, by whom, with which requests."""

    at_ms: int
    what: str
    request_ids: tuple[str, ...] = ()
    by: str = ""
    subject: str = ""


class SealedNote(Compact, frozen=True):
    """A word on an episode; the text is sealed, for it may name a patient."""

    at_ms: int
    by: str
    sealed: bytes


class Episode(Record, frozen=True, tag=1):
    """One episode; `closed`: all of it had ended when it was last looked at."""

    opened_ms: int
    timer_ms: int
    requests: tuple[str, ...] = ()
    owners: tuple[OwnerRole, ...] = ()
    bundle: Bundle = Bundle.INDEPENDENT
    decide_by_ms: int = 0
    notes: tuple[SealedNote, ...] = ()
    history: tuple[Step, ...] = ()
    closed: bool = False


def changed(
    before: Episode | None, after: Episode, what: str, context: Context, request_ids: tuple[str, ...] = ()
) -> tuple[Change, Message]:
    """The episode after, with the step in its history, and word of it."""
    step = Step(context.now_ms, what, request_ids, context.by, context.subject)
    after = replace(
        after,
        version=before.version + 1 if before else 1,
        timer_ms=context.now_ms + LOOK_MS,
        history=(*after.history, step)[-HISTORY_LIMIT:],
        closed=False,
    )
    news = EpisodeChanged(
        episode_id=after.id, version=after.version, what=what, request_ids=request_ids, by=context.by
    )
    return Change(before, after), Message(type="dispatch.episode.changed", subject=after.id, data=news)


def has_ended(episode: Episode, related: Any) -> bool:
    """Whether nothing of it goes on."""
    records = [related.get(each) for each in episode.requests]
    return all(each is None or each.state in TERMINAL for each in records)


def due(episode: Episode, context: Context) -> Decision | None:
    """Its timer: one that has ended leaves the list of the open; it is forgotten, with its thread, once its
    requests are.
    """
    if episode.timer_ms > context.now_ms:
        return None
    kept_ms = RETENTION.whole(context.values) * HOUR_MS
    is_over = has_ended(episode, context.related)
    if any(each in context.related for each in episode.requests) or not is_over:
        wait_ms = LOOK_MS
    elif episode.closed:
        gone = (Change(episode, None), *without_threads(episode, context))
        return Decision(changes=gone, at_ms=context.now_ms)
    else:
        wait_ms = kept_ms
    after = replace(episode, version=episode.version + 1, timer_ms=context.now_ms + wait_ms, closed=is_over)
    return Decision(changes=(Change(episode, after),), at_ms=context.now_ms)


def is_member(record: RequestRecord | None, episode_id: str) -> bool:
    """Whether a request belongs to that episode."""
    return record is not None and record.episode == episode_id


def _related(episode: Episode) -> list[tuple[str, str]]:
    """Its requests; once all of them have ended its thread, which goes with it."""
    thread = [(THREAD_KIND.name, thread_id(About.EPISODE, episode.id))] if episode.closed else []
    return [*((REQUEST, each) for each in episode.requests), *thread]


EPISODE_KIND: Kind[Any] = register(
    Kind(
        name="episode",
        form=Episode,
        key="e",
        timers="timers:episode",
        timer_ms=lambda episode: episode.timer_ms,
        lists=lambda episode: {Entry(ENDED if episode.closed else OPEN, episode.id): episode.opened_ms},
        may_become=lambda before, after: after is not None or (before is not None and before.closed),
        on_timer=due,
        related=_related,
        follow_ups=(with_sequence, with_notifications, with_tasks),
        ids_of_others=True,
    )
)
