"""The task that proof is missing: opened as work ends without it, settled once it is there."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.codes import RequestState
from contracts.instants import HOUR_MS
from contracts.tasks import TaskKind, TaskOutcome
from dispatcher.domain.context import Context
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.task_parameters import PROOF_DUE
from dispatcher.domain.tasks import TaskRecord, changed, done, opened


def unproved(before: RequestRecord | None, after: RequestRecord, context: Context) -> list[TaskRecord]:
    """That work was done, and the proof that its market wants is not there."""
    if before is None or before.state is after.state or after.state is not RequestState.COMPLETED:
        return []
    return [
        opened(
            TaskKind.PROOF_MISSING,
            after.id,
            context,
            offer_id=offer_id(after, offer),
            code=offer.lacking,
            priority=after.priority,
            not_due_before_ms=context.now_ms + PROOF_DUE.whole(context.values) * HOUR_MS,
        )
        for offer in after.offers
        if offer.lacking
    ]


def proved(
    after: RequestRecord, undone: Iterable[TaskRecord], context: Context
) -> list[tuple[TaskRecord, TaskRecord]]:
    """Tasks of which all is there, at their end; and those of which some is, with what is lacking still."""
    lacking = {offer_id(after, each): each.lacking for each in after.offers}
    return [
        (
            task,
            changed(task, task.state, context, code=lacking[task.offer_id])
            if lacking.get(task.offer_id)
            else done(task, context, TaskOutcome.SETTLED),
        )
        for task in undone
        if task.code != lacking.get(task.offer_id)
    ]
