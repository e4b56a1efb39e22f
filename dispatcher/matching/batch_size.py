"""How many requests a batch takes: half as many as before, where memory did not suffice for those.

What it may take grows with each batch that ends, so that a shortage that is over is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST: Final = 10  # requests: where memory does not suffice for these, it is no matter of size


@dataclass(eq=False)
class BatchSize:
    """Most requests of a batch."""

    most: int | None = None  #: fewer than tuning says; None: as many as that
    took: int = 0  #: the last batch

    def of(self, wanted: int) -> int:
        """By tuning `wanted`."""
        return wanted if self.most is None else min(wanted, self.most)

    def halve(self) -> bool:
        """Memory did not suffice for the last one. False: it was as small as may be."""
        before, self.most = self.took, max(LEAST, self.took // 2)
        return before > LEAST

    def grow(self, wanted: int) -> bool:
        """A batch has ended. True: from now on it is as tuning says again."""
        if self.most is None:
            return False
        self.most += max(1, self.most // 8)
        if self.most < wanted:
            return False
        self.most = None
        return True
