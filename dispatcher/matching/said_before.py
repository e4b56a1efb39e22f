"""What is planned again and again and comes to the same is saved every few minutes, not each time."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.instants import MINUTE_MS
from dispatcher.decisions.record import BATCH, IMMINENT, KEPT_FREE
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import BatchPlan

AGAIN_MS = 5 * MINUTE_MS
TRIED_AGAIN = frozenset({BATCH, IMMINENT})


@dataclass(eq=False)
class SaidBefore:
    """Of one market."""

    in_vain_ms: dict[str, int] = field(
        default_factory=dict
    )  #: of requests that are tried again and again, when it was last saved that they found no vendor
    _room: frozenset[tuple[str, str]] = frozenset()  # for whom it was kept, and with which vendor
    _room_ms: int = 0  # when that was last saved

    def is_new(self, kind: str, snapshot: Snapshot, plan: BatchPlan) -> bool:
        """Whether it is worth saving; if so, it counts as saved."""
        if kind == KEPT_FREE:
            return self._room_is_new(snapshot, plan)
        return kind not in TRIED_AGAIN or len(plan.chosen) > 0 or self._vain_is_new(snapshot)

    def forget_all_but(self, ids: set[str]) -> None:
        """Those are still open."""
        self.in_vain_ms = {each: at_ms for each, at_ms in self.in_vain_ms.items() if each in ids}

    def _vain_is_new(self, snapshot: Snapshot) -> bool:
        """Whether it was not saved lately of one of these that it finds no vendor."""
        ids, now_ms = [snapshot.records[row].id for row in snapshot.waiting], snapshot.now_ms
        fresh = [each for each in ids if now_ms - self.in_vain_ms.get(each, -AGAIN_MS) >= AGAIN_MS]
        self.in_vain_ms |= dict.fromkeys(fresh, now_ms)
        return bool(fresh)

    def _room_is_new(self, snapshot: Snapshot, plan: BatchPlan) -> bool:
        """Whether room is kept for others, or with other vendors: at which minute, changes with the clock."""
        vendor = dict(zip(plan.chosen.request.tolist(), plan.chosen.vendor.tolist(), strict=True))
        room = frozenset(
            (each.request.id, snapshot.vendors[vendor[row]].id if row in vendor else "")
            for row, each in enumerate(snapshot.asked)
        )
        if room == self._room and snapshot.now_ms - self._room_ms < AGAIN_MS:
            return False
        self._room, self._room_ms = room, snapshot.now_ms
        return True
