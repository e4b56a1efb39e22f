"""Every parameter as it is declared, where it is read, and what a nudge would have moved on a saved day."""

from __future__ import annotations

from enum import StrEnum

from contracts.base import Day, Instant, Tally, Version, Wire
from contracts.tuning import Number, ParameterView


class Nudge(Wire, omit_defaults=False):
    """What would have been planned otherwise with this value; `anyway`: by another seed alone, too."""

    value: Number
    moved: Tally
    gained: Tally
    lost: Tally
    anyway: Tally
    cents: int


class Effect(Wire, omit_defaults=False):
    """One parameter nudged: down and up, as far as its bounds let it."""

    name: str
    down: Nudge | None = None
    up: Nudge | None = None


class Effects(Wire, omit_defaults=False):
    """What was measured last, as stored: on some of a day's saved batches, the largest of them."""

    day: Day | None = None
    measured_at: Instant | None = None
    tuning_version: Version = 0
    batches: Tally = 0
    requests: Tally = 0
    effects: tuple[Effect, ...] = ()


class MeasureState(StrEnum):
    """How far it is with measuring effects that somebody asked for."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # `detail` says why


class Measuring(Wire, omit_defaults=False):
    """The last time that somebody asked to have the effects measured, as stored; `runner`: who does it."""

    state: MeasureState = MeasureState.DONE
    progress: float = 0.0  # 0 to 1
    by: str = ""
    asked_at: Instant | None = None  # null: nobody did
    detail: str = ""
    runner: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is done for it."""
        return self.state in (MeasureState.DONE, MeasureState.FAILED)


class ParameterTold(ParameterView, omit_defaults=False):
    """A parameter; `effect` is null where a batch is planned alike whatever its value, or none was saved."""

    declared_in: str = ""
    read_by: tuple[str, ...] = ()
    effect: Effect | None = None


class ParameterPage(Wire, omit_defaults=False):
    """All parameters; of which day their effects are, and over how many requests."""

    version: Version
    day: Day | None
    measured_at: Instant | None
    batches: Tally
    requests: Tally
    parameters: tuple[ParameterTold, ...]
    measuring: Measuring = Measuring()  # as it was asked for last
