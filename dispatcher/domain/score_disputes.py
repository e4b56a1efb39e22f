"""Disputes of outcomes: a vendor says that one is wrong, ops whether it is. Upheld, it counts no more.

A record of its own: an outcome counts for longer than its request is kept.
"""

from __future__ import annotations

from msgspec.structs import replace

from contracts.instants import DAY_MS
from contracts.scorecards import DisputeState
from contracts.tasks import TaskKind
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.scorecards import DAYS, Outcome, WorkOutcome
from dispatcher.domain.scorecards import Entry as ScoreEntry

S = DisputeState
DISPUTES = "score-disputes"  # the list of all, by when they were made


class ScoreDisputeRecord(Record, frozen=True, tag=1):
    """One dispute. `sealed` is what its vendor said, `reason` what ops answered: encrypted."""

    vendor_id: str
    offer_id: str
    outcome: Outcome
    entry: ScoreEntry  # as it counted
    made_ms: int
    timer_ms: int
    sealed: bytes
    by: str = ""
    subject: str = ""
    state: DisputeState = S.OPEN
    answered_ms: int = 0
    answered_by: str = ""
    reason: bytes = b""

    @property
    def disputed(self) -> WorkOutcome:
        """What is disputed, as it counted."""
        return WorkOutcome(self.vendor_id, self.offer_id, self.outcome, self.entry)


def dispute_id(offer_id: str, outcome: Outcome) -> str:
    """The id of the one dispute that an outcome may have."""
    return f"{offer_id}.{outcome.value}_dispute"


def list_of(vendor_id: str) -> str:
    """The list of one vendor's."""
    return f"{DISPUTES}:{vendor_id}"


def task_id(offer_id: str, outcome: Outcome) -> str:
    """What the task about it is called."""
    return f"{offer_id}.{TaskKind.SCORE_DISPUTE.value}_{outcome.value}"


def until_ms(context: Context) -> int:
    """Until when what comes now is kept: as long as an outcome of today."""
    return context.now_ms + DAYS.whole(context.values) * DAY_MS


def _due(record: ScoreDisputeRecord, context: Context) -> Decision | None:
    """Its timer: forgotten, once somebody has answered; its task tells of it until then."""
    if record.timer_ms > context.now_ms:
        return None
    later = _later(record, context.now_ms + DAY_MS) if record.state is S.OPEN else None
    return Decision(changes=(Change(record, later),), at_ms=context.now_ms)


def _later(record: ScoreDisputeRecord, timer_ms: int) -> ScoreDisputeRecord:
    return replace(record, version=record.version + 1, timer_ms=timer_ms)


def _may_become(before: ScoreDisputeRecord | None, after: ScoreDisputeRecord | None) -> bool:
    """It is answered once; one that is open is not forgotten."""
    if before is None:
        return after is not None and after.state is S.OPEN
    if after is None:
        return before.state is not S.OPEN
    return before.state in (S.OPEN, after.state)


SCORE_DISPUTE_KIND = register(
    Kind(
        name="score_dispute",
        form=ScoreDisputeRecord,
        key="sd",
        timers="timers:score-dispute",
        timer_ms=lambda record: record.timer_ms,
        lists=lambda record: {
            Entry(DISPUTES, record.id): record.made_ms,
            Entry(list_of(record.vendor_id), record.id): record.made_ms,
        },
        may_become=_may_become,
        on_timer=_due,
        related=lambda record: [("task", task_id(record.offer_id, record.outcome))],
    )
)
