"""Whether vendors' counts are what stands behind them, and disputes what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from contracts.scorecards import DisputeState
from dispatcher.audit.needs import is_open
from dispatcher.domain.score_disputes import SCORE_DISPUTE_KIND, ScoreDisputeRecord, task_id
from dispatcher.domain.scorecards import DAYS
from dispatcher.domain.tasks import TASK_KIND, TaskRecord
from dispatcher.store.survey import Survey, of_kind

KEPT_DAYS = int(DAYS.minimum)  # of what is older, a part may be gone: tuning may say so today


def uncounted(found: Survey) -> Iterator[tuple[str, str]]:
    """Each count is of so many entries; what was upheld counts no more; who disputes waits for a task."""
    first = _first(found)
    for day, scored in found.scored.items():
        if not scored.moving and not scored.odd and day >= first:
            for name in sorted(scored.counted.keys() | scored.behind.keys()):
                counted, behind = scored.counted[name], scored.behind[name]
                if counted != behind:
                    yield f"scorecard {day} {name}", f"counts {counted}, and {behind} stand behind it"
    upheld = {each for scored in found.scored.values() for each in scored.upheld}
    tasks, hidden = found.of_kind(TASK_KIND, TaskRecord), found.damaged.get(TASK_KIND.name, set())
    for record in of_kind(found, SCORE_DISPUTE_KIND.name, ScoreDisputeRecord):
        yield from _of_dispute(record, found, upheld, first)
        name = task_id(record.offer_id, record.outcome)
        task = tasks.get(name)
        has_task = name in hidden or (task is not None and is_open(task))
        if record.state is DisputeState.OPEN and not has_task:
            yield record.id, "is open and has no open task"
        if record.state is not DisputeState.OPEN and task is not None and is_open(task):
            yield name, f"is {task.state.value}, and its dispute is {record.state.value}"


def _of_dispute(
    record: ScoreDisputeRecord, found: Survey, upheld: set[str], first: str
) -> Iterator[tuple[str, str]]:
    """An outcome counts until it is upheld that it is wrong, and no longer."""
    day = record.disputed.day
    scored = found.scored.get(day)
    if scored is None or scored.odd or scored.moving or day < first:
        return
    is_marked = f"{record.offer_id}/{record.outcome.value}" in upheld
    if is_marked is not (record.state is DisputeState.UPHELD):
        said = "counts no more" if is_marked else "still counts"
        yield record.id, f"is {record.state.value}, and its outcome {said}"


def _first(found: Survey) -> str:
    """The first day of which all is kept, whatever the tuning."""
    last = max(found.scored, default="")
    return (date.fromisoformat(last) - timedelta(days=KEPT_DAYS - 1)).isoformat() if last else ""
