"""Canary: a candidate tuning decides in some hours, beside what stands; it ends by itself if it harms."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Id, Instant, Tally, Version, Wire
from contracts.event_types import event
from contracts.streams import To
from contracts.tuning import Sent, Tuning
from contracts.tuning_versions import ParameterChange, Why

MOST_DAYS = 60
Spans = tuple[tuple[int, int], ...]  #: in ms, the ends excluded


class CanaryMode(StrEnum):
    """Where the candidate decides."""

    BLOCKS = "blocks"  # in one of two days' same hours, drawn by lot; compared with the other's
    WHOLE = "whole"  # always; compared with the same hours of the weeks before


class CanaryState(StrEnum):
    """How far it is."""

    RUNNING = "running"
    ROLLED_BACK = "rolled_back"  # by itself: a guardrail was crossed
    FINISHED = "finished"  # its days are over, and none was
    STOPPED = "stopped"  # by somebody, or the tuning became another meanwhile


class Guarded(StrEnum):
    """What must not become worse."""

    URGENT_UNMATCHED = "urgent_unmatched"  # share of the urgent requests
    LATE = "late"  # share of the work that was done
    DECLINED = "declined"  # share of the offers that were answered, or let expire
    COST = "cost"  # cents an offer


class Guardrail(Wire, omit_defaults=False):
    """`worse_by`: so much worse would be too much: a share (0.03: three of a hundred), or cents."""

    what: Guarded
    worse_by: Annotated[float, Meta(gt=0, le=1_000_000)]


DEFAULT_GUARDRAILS = (
    Guardrail(what=Guarded.URGENT_UNMATCHED, worse_by=0.02),
    Guardrail(what=Guarded.LATE, worse_by=0.03),
    Guardrail(what=Guarded.DECLINED, worse_by=0.05),
    Guardrail(what=Guarded.COST, worse_by=200.0),
)


class CanaryLayout(Wire):
    """In which hours a candidate decides, and which are compared."""

    mode: CanaryMode = CanaryMode.BLOCKS
    block_hours: Annotated[int, Meta(ge=1, le=24)] = 4
    pair_days: Annotated[int, Meta(ge=1, le=7)] = 1
    washout_hours: Annotated[int, Meta(ge=0, le=12)] = 0


class CanaryUpdate(CanaryLayout):
    """A candidate to be tried; overrides as for PUT …/tuning. Days begin with the market's next midnight.

    `days`: left out, as many as it needs to see what would be too much. `at_once`: with so many more urgent
    requests without a vendor in a day than before it ends, without any statistics. `washout_hours`: the first
    hours of each block are not counted: they see what the other tuning left.
    """

    values: Annotated[dict[str, Sent], Meta(max_length=200)]
    reason: Why
    what_if: Id | None = None
    days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] | None = None
    guardrails: Annotated[tuple[Guardrail, ...], Meta(min_length=1, max_length=4)] = DEFAULT_GUARDRAILS
    at_once: Annotated[int, Meta(ge=1, le=1_000)] = 5

    def __post_init__(self) -> None:
        """Refuse blocks that do not part a day, and a guardrail that comes twice."""
        if 24 % self.block_hours:
            raise ValueError(
                f"block_hours {self.block_hours} does not part a day\nMaybe 1, 2, 3, 4, 6, 8, 12 or 24."
            )
        if self.pair_days not in (1, 7):
            raise ValueError(f"pair_days is {self.pair_days}\nMaybe 1 (the next day) or 7 (the next week).")
        if self.washout_hours >= self.block_hours:
            raise ValueError(
                f"washout_hours {self.washout_hours} leaves nothing of blocks of {self.block_hours} hours\n"
                "Maybe longer blocks."
            )
        if len({each.what for each in self.guardrails}) < len(self.guardrails):
            raise ValueError("a guardrail comes twice\nMaybe keep one of the two.")


class GuardrailPlan(Wire, omit_defaults=False):
    """How long a guardrail takes to see what would be too much; nulls where the past says too little."""

    what: Guarded
    worse_by: float
    usually: float | None  # the value of the past days
    deviation: float | None  # of the difference between two blocks, as the past days have it
    past_pairs: Tally
    pairs: Tally | None
    days: Tally | None


class CanaryPlan(Wire, omit_defaults=False):
    """What a canary would be: how many days it needs, before it begins. `days`: null where that is not known.

    `chance`: that it ends a harmless candidate. `power`: that it sees what would be too much in its days.
    """

    days: Tally | None
    most_days: int = MOST_DAYS
    begins_at: Instant
    guardrails: tuple[GuardrailPlan, ...]
    changes: tuple[ParameterChange, ...]
    chance: float
    power: float


class GuardrailFound(Wire, omit_defaults=False):
    """What a guardrail sees so far: the candidate's value, the other's, and how sure it is that it is worse.

    It is crossed when the difference is above 0 and `evidence` reaches `enough`.
    """

    what: Guarded
    candidate: float | None
    other: float | None
    difference: float | None
    pairs: Tally
    evidence: float
    enough: float
    crossed: bool


class Canary(CanaryLayout, omit_defaults=False):
    """A canary, as stored. `on`: when the candidate decides; `pairs`: which spans are compared."""

    state: CanaryState
    candidate: Tuning
    base: Version  # the version beside which it decides; when that is another, it is over
    days: int
    first_day: Day
    at_once: int
    guardrails: tuple[Guardrail, ...]
    plan: tuple[GuardrailPlan, ...]
    urgent_a_day: float
    seed: int
    started_at: Instant
    begins_at: Instant
    ends_at: Instant
    on: Spans
    ended_at: Instant | None = None
    why: str = ""
    found: tuple[GuardrailFound, ...] = ()

    def decides(self, now_ms: int, version: int) -> bool:
        """Whether the candidate decides at a moment at which that version stands."""
        running = self.state is CanaryState.RUNNING and version == self.base
        return running and any(start_ms <= now_ms < end_ms for start_ms, end_ms in self.on)


class CanaryHeld(Wire, omit_defaults=False):
    """What is stored: the canary, if there is one."""

    canary: Canary | None = None


class CanaryView(Wire, omit_defaults=False):
    """The canary of a market and what it has seen; `canary` is null where there is none."""

    version: Version
    state: CanaryState | None = None
    decides_now: bool = False
    candidate: Version = 0
    base: Version = 0
    by: str = ""
    reason: str = ""
    what_if: str = ""
    mode: CanaryMode | None = None
    block_hours: int = 0
    pair_days: int = 0
    washout_hours: int = 0
    at_once: int = 0
    days: Tally = 0
    days_over: Tally = 0
    started_at: Instant | None = None
    begins_at: Instant | None = None
    ends_at: Instant | None = None
    ended_at: Instant | None = None
    why: str = ""
    next_change_at: Instant | None = None
    changes: tuple[ParameterChange, ...] = ()
    plan: tuple[GuardrailPlan, ...] = ()
    found: tuple[GuardrailFound, ...] = ()


@event("dispatch.tuning.canary", to=To.EVENTS)
class CanaryChanged(Wire):
    """A canary began, or ended: how, and which guardrail it was, if one was crossed."""

    candidate: Version
    base: Version
    state: CanaryState
    guardrail: str = ""
