"""What workers are given, and how long each kind of it may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FORMAT: Final = 2  #: of tasks and parcels; workers of another one are never given ours
OVER_S: Final = 5.0  #: beyond its budget a task is killed


@dataclass(frozen=True)
class Kind:
    """One kind of task. `most_s`: its longest budget; what needs more is done by the matcher."""

    name: str
    most_s: float

    @property
    def queue(self) -> str:
        """Its own, and of this format."""
        return f"{self.name}-{FORMAT}"

    @property
    def visibility_s(self) -> int:
        """After this a task that nobody said was done is given out again: the same for all who ask.

        At least three budgets: a task that still runs must not be given to a second worker. Who waits for a
        solve does not wait for this: it hears within seconds that a worker has gone, and asks again.
        """
        return round(3 * (self.most_s + OVER_S))


SOLVES: Final = Kind("solves", 1_200.0)
WHAT_IFS: Final = Kind("what-ifs", 3_600.0)
KINDS: Final = {each.name: each for each in (SOLVES, WHAT_IFS)}
