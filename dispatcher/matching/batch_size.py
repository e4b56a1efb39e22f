"""How many requests a batch takes: half as many as before, where memory did not suffice for those.

What it may take grows with each batch that ends, so that a shortage that is over is forgotten. The mark of a
batch stands in the store until the next begins: whoever finds it there when he takes the market over begins
with half of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MARKED: Final = 100  # requests: what takes fewer needs no memory to speak of
LEAST: Final = 10  # requests: where memory does not suffice for these, it is no matter of size


@dataclass(eq=False)
class BatchSize:
    """Most requests of a batch."""

    most: int | None = None  #: fewer than tuning says; None: as many as that
    marked: int = 0  #: requests of the last batch that was worth a mark; 0: it was small, and memory is there
    took: int = 0  #: the last batch; of one that begins the most that it may take

    def of(self, wanted: int) -> int:
        """By tuning `wanted`."""
        return wanted if self.most is None else min(wanted, self.most)

    def begin(self, takes: int) -> bool:
        """A batch of so many at most begins. Whether its mark is another than that of the last."""
        self.took, before = takes, self.marked
        if takes >= MARKED or (self.most is not None and takes > LEAST):
            self.marked = takes
        elif self.most is None:
            self.marked = 0
        return self.marked != before

    def found(self, marked: int) -> bool:
        """This mark stands in the store. True: another's, who did not live to take it away; half is next."""
        ours, self.marked = marked in (0, self.marked), marked
        if not ours:
            self.took = marked
            self.halve()
        return not ours

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
