"""One solve as it goes to a solver process: arrays and limits, no messages."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.tuning import Parameter
from solvers.planning import Limits
from solvers.screening import Screening

TIME_LIMIT = Parameter(
    name="solve_time_limit_s",
    default=3.0,
    minimum=0.05,
    maximum=120.0,
    unit="seconds",
    summary="Most real time that the optimiser may take for one batch.",
    scope="matching.job",
)
WORK_LIMIT = Parameter(
    name="solve_work_limit",
    default=0,
    minimum=0,
    maximum=1_000_000_000,
    unit="steps",
    summary="Above 0 the optimiser ends by steps of work, on one core: same snapshot, same matches.",
    scope="matching.job",
)
SEED = Parameter(
    name="solve_seed",
    default=1,
    minimum=0,
    maximum=2_147_483_647,
    unit="number",
    summary="Seed of the optimiser's random numbers.",
    scope="matching.job",
)
SPLIT = Parameter(
    name="split_requests",
    default=50_000,
    minimum=10,
    maximum=50_000,
    unit="requests",
    summary="A batch of more is solved in parts of about so many that share no vendor, then along seams.",
    scope="matching.job",
)
PARAMETERS = (TIME_LIMIT, WORK_LIMIT, SEED, SPLIT)


@dataclass(frozen=True)
class Job:
    """What goes to a solver process: arrays and limits, no messages."""

    screening: Screening
    time_limit_s: float
    work_limit: int | None
    seed: int
    workers: int

    @property
    def limits(self) -> Limits:
        """For the optimiser."""
        return Limits(
            time_limit_s=self.time_limit_s,
            work_limit=self.work_limit,
            seed=self.seed,
            workers=self.workers,
            parts=self.parts,
        )

    @property
    def parts(self) -> int:
        """In which it is solved."""
        return max(1, -(-self.screening.requests // SPLIT.whole(self.screening.values)))

    @classmethod
    def of(cls, screening: Screening, most_s: float, workers: int) -> Job:
        """With the limits in force, and at most `most_s`."""
        values = screening.values
        work = WORK_LIMIT.whole(values) or None
        limit_s = min(float(TIME_LIMIT.of(values)), most_s)
        return cls(screening, limit_s, work, SEED.whole(values), 1 if work else workers)
