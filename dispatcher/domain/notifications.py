"""Notifications: planned in the commit that makes them necessary, due once, sent or given up.

A record holds ids and times; who is told, and how to reach them, stands in the request's sealed block.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState
from contracts.instants import HOUR_MS, to_instant
from contracts.notifications import Audience, ListedState, NotificationDue, NotificationView, Template
from contracts.tasks import TaskKind
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, noted, offer_id
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import BY_ITSELF, news, opened
from dispatcher.domain.timers import RETENTION

GRACE_MS = HOUR_MS  # who sends finds first that it is too late
ID_BYTES = 15
NO_NOTIFIER = "no_notifier"  # nobody sends here: the event alone tells


class NotificationState(StrEnum):
    """The life of a notification: it ends delivered, dropped (nobody is to be told) or failed."""

    PLANNED = "planned"
    DUE = "due"
    DELIVERED = "delivered"
    DROPPED = "dropped"
    FAILED = "failed"


S = NotificationState
NEXT = {
    S.PLANNED: {S.DUE, S.DROPPED},
    S.DUE: {S.DUE, S.DELIVERED, S.DROPPED, S.FAILED},
    S.FAILED: {S.DUE},  # ops sends it again
}
ENDED = frozenset({S.DELIVERED, S.DROPPED, S.FAILED})
DUE_LIST = "notifications:due"


class NotificationRecord(Record, frozen=True, tag=1):
    """One notification. `rule`: what it follows from, in a word."""

    request_id: str
    offer_id: str  # "": it is about the request itself
    rule: str
    template: Template
    audience: Audience
    state: NotificationState
    start_ms: int  # of the service, as it was agreed when this was planned; of a will-call: at the latest
    due_ms: int
    until_ms: int  # from then on it says nothing new
    timer_ms: int
    next_ms: int = 0  # when it is tried next
    attempts: int = 0
    code: str = ""
    agreed: int = 0  # its offer's, when this was planned: what is agreed and taken back again is another time


def notification_id(record: RequestRecord, offer: OfferRecord | None, rule: str) -> str:
    """Follows from what it is about, and names nothing: it goes to others as an id to tell doubles by.

    The version tells two times of one dispatch apart, the reception two requests of one id.
    """
    attempt = offer.attempt if offer else 0
    parts = (record.id, record.received_ms, record.version, attempt, rule)
    return hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=ID_BYTES).hexdigest()


def planned(
    record: RequestRecord,
    offer: OfferRecord | None,
    rule: str,
    template: Template,
    audience: Audience,
    *,
    start_ms: int,
    due_ms: int,
    until_ms: int,
) -> NotificationRecord:
    """A new one, to be due then."""
    return NotificationRecord(
        id=notification_id(record, offer, rule),
        version=1,
        request_id=record.id,
        offer_id=offer_id(record, offer) if offer else "",
        rule=rule,
        template=template,
        audience=audience,
        state=S.PLANNED,
        start_ms=start_ms,
        agreed=offer.agreed if offer else 0,
        due_ms=due_ms,
        until_ms=until_ms,
        timer_ms=due_ms,
    )


def made_due(note: NotificationRecord, now_ms: int) -> NotificationRecord:
    """It is to be sent now."""
    return replace(note, state=S.DUE, timer_ms=note.until_ms + GRACE_MS, next_ms=now_ms)


def told_due(note: NotificationRecord) -> Message:
    """To who follows requests: somebody is to be told something."""
    data = NotificationDue(
        notification_id=note.id,
        request_id=note.request_id,
        offer_id=note.offer_id or None,
        audience=note.audience,
        template=note.template,
        useful_until=to_instant(note.until_ms),
    )
    return Message(type="dispatch.notification.due", subject=note.id, data=data)


def view(note: NotificationRecord) -> NotificationView:
    """For ops, of one that is planned, due or failed."""
    return NotificationView(
        id=note.id,
        state=ListedState(note.state.value),
        request_id=note.request_id,
        audience=note.audience,
        template=note.template,
        due_at=to_instant(note.due_ms),
        useful_until=to_instant(note.until_ms),
        next_at=to_instant(note.next_ms) if note.state is S.DUE else None,
        attempts=note.attempts,
        code=note.code,
    )


def changed(note: NotificationRecord, context: Context, **changes: Any) -> NotificationRecord:
    """One version on; one that has ended is kept as long as a request that has."""
    after = replace(note, version=note.version + 1, **changes)
    if after.state not in ENDED:
        return after
    return replace(after, timer_ms=context.now_ms + RETENTION.whole(context.values) * HOUR_MS)


def ended(note: NotificationRecord, state: NotificationState, code: str, context: Context) -> Decision:
    """Delivered, dropped or failed; what failed is somebody's task while its request is at work."""
    after = changed(note, context, state=state, code=code)
    decision = Decision(changes=(Change(note, after),), at_ms=context.now_ms)
    return _with_task(decision, note, context) if state is S.FAILED else decision


def due(note: NotificationRecord, context: Context) -> Decision | None:
    """Its timer: a planned one is due, if what it is about still stands; one that nobody took has failed."""
    if note.timer_ms > context.now_ms:
        return None
    if note.state in ENDED:
        return Decision(changes=(Change(note, None),), at_ms=context.now_ms)
    if note.state is S.DUE:  # nobody sends here, or nobody did for long: that is no task for each
        return ended(note, S.FAILED if note.attempts else S.DROPPED, "late", context)
    if not stands(note, context) or context.now_ms >= note.until_ms:
        return ended(note, S.DROPPED, "moved", context)
    if context.sends_nothing:
        return Decision(changes=(Change(note, None),), messages=(told_due(note),), at_ms=context.now_ms)
    after = changed(made_due(note, context.now_ms), context)
    return Decision(changes=(Change(note, after),), messages=(told_due(after),), at_ms=context.now_ms)


def stands(note: NotificationRecord, context: Context) -> bool:
    """Whether the vendor still has the work, at the time that was agreed."""
    record = context.related.get(note.request_id)
    if not isinstance(record, RequestRecord):
        return False
    offers = [each for each in record.offers if offer_id(record, each) == note.offer_id]
    planned_for = note.start_ms, note.agreed
    return any(
        each.state is OfferState.ACCEPTED and (each.start_ms, each.agreed) == planned_for for each in offers
    )


def _with_task(decision: Decision, note: NotificationRecord, context: Context) -> Decision:
    record = context.related.get(note.request_id)
    if not isinstance(record, RequestRecord) or record.state in TERMINAL:
        return decision
    task = opened(
        TaskKind.NOTIFICATION,
        record.id,
        context,
        offer_id=note.offer_id,
        code=note.rule,
        since=note.rule,
        priority=record.priority,
    )
    if task.id in record.tasks:
        return decision
    named = noted(record, context, tasks=(*record.tasks, task.id))
    changes = (*decision.changes, Change(record, named), Change(None, task))
    return replace(decision, changes=changes, messages=(news(task, "opened", BY_ITSELF),))


def _lists(note: NotificationRecord) -> dict[Entry, int]:
    score = note.next_ms if note.state is S.DUE else note.due_ms
    return {Entry(f"notifications:{note.state.value}", note.id): score}


def _may_become(before: NotificationRecord | None, after: NotificationRecord | None) -> bool:
    if before is None:
        return after is not None and after.state in (S.PLANNED, S.DUE)
    if after is None:
        return before.state in ENDED or before.state is S.PLANNED  # due where nobody sends: it is told
    return after.state in NEXT.get(before.state, ())


NOTIFICATION_KIND = register(
    Kind(
        name="notification",
        form=NotificationRecord,
        key="n",
        timers="timers:notification",
        timer_ms=lambda note: note.timer_ms,
        lists=_lists,
        may_become=_may_become,
        on_timer=due,
        related=lambda note: [("request", note.request_id)],
    )
)
