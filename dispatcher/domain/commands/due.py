"""The timer of a request: what silence means in each state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from contracts.amendments import AmendmentOutcome
from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.instants import HOUR_MS
from contracts.tasks import TaskOutcome, TaskState
from contracts.unmatched import Unmatched
from dispatcher.domain.amendments import Amendment
from dispatcher.domain.commands.accept import collected, taken_on
from dispatcher.domain.commands.decline import DECLINED, given_back, only_asked
from dispatcher.domain.commands.make_offer import USED_UP, exhausted
from dispatcher.domain.commands.report import ended
from dispatcher.domain.commands.retime import RetimeDispatch, retime
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.links import bounds
from dispatcher.domain.messages import changed, unmatched
from dispatcher.domain.not_agreed import not_agreed
from dispatcher.domain.offers import bookings_of
from dispatcher.domain.requests import RequestRecord, moved, noted
from dispatcher.domain.sequence import RULE as SEQUENCE
from dispatcher.domain.states import REQUEST_STATES
from dispatcher.domain.tasks import TaskRecord, done, lapses_ms, news
from dispatcher.domain.threads import without_threads
from dispatcher.domain.timers import OVERDUE_LIMIT
from dispatcher.domain.will_call import NOT_CALLED

LOOK_AGAIN_MS = 24 * HOUR_MS  # whether what keeps a request from being forgotten is done


def due(record: RequestRecord, context: Context) -> Decision | None:
    """What happens when nothing happened; None when the timer is not due."""
    if record.timer_ms > context.now_ms:
        return None
    if record.pending is not None and record.pending.expires_ms <= context.now_ms:
        return _not_answered(record, record.pending, context)
    if 0 < record.retime_ms <= context.now_ms:  # where nobody works out what would fit: `jobs.timers` does
        return retime(record, RetimeDispatch(request_id=record.id), context)
    return _WAITED_FOR[REQUEST_STATES[record.state].timer](record, context)


def _not_answered(record: RequestRecord, asked: Amendment, context: Context) -> Decision:
    """The vendor that has the work did not say that it does it so: as if it had refused."""
    dispatch = next(each for each in record.offers if each.attempt == asked.attempt)
    return not_agreed(record, dispatch, AmendmentOutcome.EXPIRED, context)


def _offer_expires(record: RequestRecord, context: Context) -> Decision | None:
    """Silence accepts an assumed offer; any other is closed. One a commit: the next is due at once.

    A broadcast that has collected is given to the best of those who said yes.
    """
    if 0 < record.collect_ms <= context.now_ms:
        return collected(record, context)
    late = [each for each in record.offers if each.unanswered and each.expires_ms <= context.now_ms]
    if not late:
        return None
    first = min(late, key=lambda offer: (offer.expires_ms, offer.attempt))
    if first.assumed:
        return taken_on(record, first, context)
    return given_back(record, first, OfferState.EXPIRED, context, "expired")


def _match_by(record: RequestRecord, context: Context) -> Decision:
    """The deadline: unmatched, with the last known reasons; what it waited for is waited for no more."""
    if record.waits_for_call:
        return _not_called(record, context)
    reasons = _reasons(record, context)
    after = moved(
        record, RequestState.UNMATCHED, context, reasons.last_rule, unmatched=reasons, requirements=()
    )
    messages = (unmatched(after, reasons), changed(after, context.by, reasons.last_rule))
    return Decision(changes=(Change(record, after),), messages=messages, at_ms=context.now_ms)


def _not_called(record: RequestRecord, context: Context) -> Decision:
    """A will-call that nobody calls: a person is asked in the evening; at its end it is cancelled.

    Their task outlives it (`follow_up`): somebody may stand at a door.
    """
    if context.now_ms < record.match_by_ms:
        return Decision(changes=(Change(record, noted(record, context, call_by_ms=0)),), at_ms=context.now_ms)
    after = moved(record, RequestState.CANCELLED, context, NOT_CALLED, call_by_ms=0, requirements=())
    messages = (changed(after, context.by, NOT_CALLED),)
    return Decision(changes=(Change(record, after),), messages=messages, at_ms=context.now_ms)


def _reasons(record: RequestRecord, context: Context) -> Unmatched:
    """On hold; what the matcher said last; what the offers say; that nobody had looked in time."""
    if record.state is RequestState.ON_HOLD:
        rule = RequestState.ON_HOLD.value
    elif exhausted(record, context.values):
        rule = USED_UP
    elif record.unmatched is not None:
        return replace(record.unmatched, asked=record.asked)
    elif any(each.waits for each in record.after) and bounds(record, context.related, context.values) is None:
        rule = SEQUENCE
    else:
        rule = DECLINED if record.asked else "match_by"
    known = record.unmatched or only_asked(record, rule, context)
    removed = known.removed or only_asked(record, rule, context).removed
    return replace(known, removed=removed, last_rule=rule, asked=record.asked)


def _overdue(record: RequestRecord, context: Context) -> Decision:
    """No report: ops hears it, again and again; at last the dispatch counts as failed."""
    dispatch = record.dispatch
    assert dispatch is not None  # noqa: S101  (only accepted work is waited for)
    if 0 < record.watch_ms <= context.now_ms:  # what that finds, follows: `follow_sequence`
        return Decision(changes=(Change(record, noted(record, context, watch_ms=0)),), at_ms=context.now_ms)
    if dispatch.overdue >= OVERDUE_LIMIT.whole(context.values):
        return ended(record, dispatch, TrackingStatus.FAILED, context, code="overdue")
    missed = replace(dispatch, overdue=dispatch.overdue + 1)
    after = noted(record, context, offers=record.offers_with(missed))
    news = changed(after, context.by, "overdue", event="overdue")
    return Decision(changes=(Change(record, after),), messages=(news,), at_ms=context.now_ms)


def _forget(record: RequestRecord, context: Context) -> Decision:
    """Retention is over: the request goes with its tasks and threads; the day it was booked on is given back.

    A task that nobody has ended keeps it, for a while: what one needs to do it would be gone.
    """
    tasks = [each for each in context.related.values() if isinstance(each, TaskRecord)]
    tasks = [each for each in tasks if each.request_id == record.id]
    undone = [task for task in tasks if task.state is not TaskState.DONE]
    if any(context.now_ms < lapses_ms(task, context) for task in undone):
        later = replace(record, version=record.version + 1, timer_ms=context.now_ms + LOOK_AGAIN_MS)
        return Decision(changes=(Change(record, later),), at_ms=context.now_ms)
    return Decision(
        changes=(
            Change(record, None),
            *(Change(task, None) for task in tasks),
            *without_threads(record, context),
        ),
        unbook=bookings_of(record.offers),
        messages=tuple(news(done(task, context, TaskOutcome.LAPSED), "done", context.by) for task in undone),
        at_ms=context.now_ms,
    )


_WAITED_FOR: Mapping[str, Callable[[RequestRecord, Context], Decision | None]] = {
    "match_by": _match_by,
    "offer_expires": _offer_expires,
    "overdue": _overdue,
    "forget": _forget,
}
