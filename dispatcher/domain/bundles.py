"""Bundles: until its time an episode is matched whole, and given back whole when a part finally fails.

In the commit in which that fails, all the others are taken from their vendors, but for what is done or has
somebody at its door: that is left. One task says which part failed, what was given back, and what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement
from contracts.instants import to_instant
from contracts.tasks import TaskKind
from contracts.unmatched import Forgone, Unmatched
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Reliance
from dispatcher.domain.kinds import beside, kind_named
from dispatcher.domain.links import has_begun
from dispatcher.domain.messages import changed, closed, unmatched
from dispatcher.domain.offers import WITHDRAWN, bookings_of, close
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, news, opened

RULE = "bundle"  # why a request has no vendor: another of its bundle has none
FAILED = TERMINAL - {RequestState.COMPLETED}


def is_bundled(record: RequestRecord, now_ms: int) -> bool:
    """Whether it is worth something only with the others of its episode."""
    return record.bundle_until_ms > now_ms


def comes_later(record: RequestRecord) -> bool:
    """Whether its turn comes only once others are done: the others of a bundle cannot wait for it.

    A will-call that nobody has called yet, say: who is to call has to be taken there first.
    """
    waits = {Requirement.ACTIVATION}
    if any(link.waits for link in record.after):
        waits.add(Requirement.PREDECESSOR)
    return bool(record.requirements) and waits.issuperset(record.requirements)


def is_given_back(record: RequestRecord) -> bool:
    """Whether it ended because another of its bundle failed."""
    why = record.unmatched
    return record.state is RequestState.UNMATCHED and why is not None and why.last_rule == RULE


def bundle_task(request_id: str) -> str:
    """The id of the task about the part by which a bundle failed."""
    return f"{request_id}.{TaskKind.BUNDLE_FAILED.value}"


def with_bundle(decision: Decision, context: Context) -> Decision:
    """The decision, and all of a bundle given back of which a part finally failed; the first one is named."""
    for failed in list(_failed(decision, context)):
        decision = _given_back(decision, failed, context)
    return decision


def _failed(decision: Decision, context: Context) -> Iterator[RequestRecord]:
    """What of a bundle ended in this decision as it should not, the first of each."""
    seen = set[str]()
    for change in decision.changes:
        before, after = change.before, change.after
        if not isinstance(after, RequestRecord) or not isinstance(before, RequestRecord):
            continue
        ends = after.state in FAILED and before.state not in TERMINAL and is_bundled(after, context.now_ms)
        if ends and after.episode not in seen:
            seen.add(after.episode)
            yield after


def _episode_of(record: RequestRecord, context: Context) -> Any:
    """Its episode, as far as that is there."""
    return context.related.get(kind_named("episode").named_beside(record.episode))


def _now(decision: Decision, context: Context, failed: RequestRecord) -> list[RequestRecord]:
    """The other parts of its bundle as they are with this decision."""
    episode: Any = _episode_of(failed, context)
    changed_now = {beside(each.record): each.after for each in decision.changes}
    names = [each for each in (episode.requests if episode is not None else ()) if each != failed.id]
    found = [changed_now.get(each, context.related.get(each)) for each in names]
    return [each for each in found if isinstance(each, RequestRecord)]


def _given_back(decision: Decision, failed: RequestRecord, context: Context) -> Decision:
    others = _now(decision, context, failed)
    ended_now = {beside(each.record) for each in decision.changes}
    broken_before = any(each.state in FAILED and each.id not in ended_now for each in others)
    left = [each for each in others if each.state is RequestState.COMPLETED or has_begun(each)]
    wanted = [each for each in others if each.state not in TERMINAL and each not in left]
    with_it = [
        each.id for each in others if each in wanted or (each.id in ended_now and each.state in FAILED)
    ]
    service = replace(context, by=BY_ITSELF, subject="")
    for other in wanted:
        if other.id not in ended_now and is_bundled(other, context.now_ms):
            decision = _without(decision, other, failed, service)
    episode: Any = _episode_of(failed, context)
    relies = (Reliance("episode", episode.id, episode.version),) if episode is not None else ()
    decision = replace(decision, relies=(*decision.relies, *relies))
    if not with_it and (broken_before or not left):
        return decision  # nobody but itself: it has its own task, if it needs one
    return _with_task(decision, failed, (with_it, [each.id for each in left]), context)


def _with_task(
    decision: Decision, failed: RequestRecord, parts: tuple[list[str], list[str]], context: Context
) -> Decision:
    """One task, the episode's owner's, in place of one for each part."""
    episode: Any = _episode_of(failed, context)
    task: TaskRecord = opened(
        TaskKind.BUNDLE_FAILED, failed.id, context, code=failed.state.value, priority=failed.priority
    )
    owner = episode.owners[0] if episode.owners else task.owner
    task = replace(task, owner=owner, given_back=tuple(parts[0]), left=tuple(parts[1]))
    changes = [
        Change(each.before, replace(failed, tasks=(*failed.tasks, task.id)))
        if beside(each.record) == failed.id
        else each
        for each in decision.changes
    ]
    told = news(task, "opened", BY_ITSELF)
    return replace(decision, changes=(*changes, Change(None, task)), messages=(*decision.messages, told))


def _without(decision: Decision, other: RequestRecord, failed: RequestRecord, context: Context) -> Decision:
    """One that is not wanted without the other: its vendors relieved, and why."""
    live = other.live_offers
    over = [
        close(each, OfferState.CANCELLED, context.now_ms, WITHDRAWN if each.unanswered else RULE)
        for each in live
    ]
    had = next((each for each in live if each.bookings), None)
    why = Unmatched(
        vendors=0,
        last_rule=RULE,
        waits_for=failed.id,
        parts=(failed.id,),
        asked=other.asked,
        explained_at=to_instant(context.now_ms),
        forgone=Forgone(
            vendor_id=had.vendor_id, start_at=to_instant(had.start_ms), price_cents=had.price_cents
        )
        if had is not None
        else None,
    )
    after = moved(
        other,
        RequestState.UNMATCHED,
        context,
        RULE,
        offers=other.offers_with(*over),
        unmatched=why,
        requirements=(),
    )
    told = [*(closed(after, each) for each in over), unmatched(after, why), changed(after, context.by, RULE)]
    return replace(
        decision,
        changes=(*decision.changes, Change(other, after)),
        unbook=(*decision.unbook, *bookings_of(live)),
        messages=(*decision.messages, *told),
    )
