"""A line of a statement that is disputed once its request is forgotten: as long as its month is kept.

Nothing is stored of it but its task, which has what was said, and a mark beside the item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from contracts.tasks import TaskKind
from dispatcher.domain.prices import Line
from dispatcher.domain.statements import LATE, negated, offer_of


class ItemLine(NamedTuple):
    """One line of an item of a vendor's month."""

    vendor_id: str
    month: str  # yyyy-mm
    item_id: str
    line: int  # from 1

    @property
    def offer_id(self) -> str:
        """The dispatch that the item is about."""
        return offer_of(self.item_id)

    @property
    def since(self) -> str:
        """What tells its task, and the line that settles it, from others of the dispatch: `202603_1`."""
        correction = self.item_id.removeprefix(self.offer_id).lstrip(".")
        return "_".join(filter(None, (self.month.replace("-", ""), correction, str(self.line))))

    @property
    def task_id(self) -> str:
        """Its task's."""
        return f"{self.offer_id}.{TaskKind.STATEMENT_DISPUTE.value}_{self.since}"

    @property
    def mark(self) -> str:
        """Under which name it stands beside the item that it is disputed."""
        return f"{self.item_id}.{LATE}{self.line}"

    @property
    def href(self) -> str:
        """Where it is settled."""
        month = f"vendors/{self.vendor_id}/statements/{self.month}"
        return f"{month}/items/{self.item_id}/disputes/{self.line}/settle"

    @classmethod
    def of_task(cls, task_id: str, vendor_id: str) -> ItemLine:
        """What a task is about: the other way round."""
        offer, _, rest = task_id.partition(f".{TaskKind.STATEMENT_DISPUTE.value}_")
        month, *correction, line = rest.split("_")
        return cls(vendor_id, f"{month[:4]}-{month[4:]}", ".".join((offer, *correction)), int(line))


def standing(lines: Iterable[Line]) -> Counter[Line]:
    """What the lines of a dispatch's items, the earliest first, leave: one that was taken back is no more."""
    left = Counter[Line]()
    for each in lines:
        back = negated(each)
        if each.cents and left[back] > 0:
            left[back] -= 1
        else:
            left[each] += 1
    return left
