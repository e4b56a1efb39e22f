"""A canary that was rolled back is a person's to look at: why its candidate did harm, and what now."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, done, news, opened

KIND = TaskKind.CANARY_ROLLED_BACK
BEYOND = "urgent_unmatched"  # so many that nobody waited for a guardrail


def name_of(candidate: int) -> str:
    """The task of a candidate: it is tried once."""
    return f"canary-{candidate}.{KIND.value}"


def rolled_back(candidate: int, guardrail: str, context: Context) -> Decision:
    """Its task, for the commit that rolls it back; `code`: which guardrail was crossed."""
    task = replace(opened(KIND, "", context, code=guardrail or BEYOND), id=name_of(candidate))
    return Decision(
        changes=(Change(None, task),), messages=(news(task, "opened", BY_ITSELF),), at_ms=context.now_ms
    )


def seen(task: TaskRecord, context: Context) -> Decision | None:
    """It is over once somebody put the canary away; None: it was before."""
    if task.state is TaskState.DONE:
        return None
    after = done(task, context, TaskOutcome.SETTLED)
    return Decision(
        changes=(Change(task, after),), messages=(news(after, "done", context.by),), at_ms=context.now_ms
    )
