"""Urgent requests: matched at once, each by itself, into what is left; no process hop."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.tuning import Parameter
from dispatcher.domain.instants import MINUTE_MS
from dispatcher.matching.commits import Ownership, commit_plan
from dispatcher.matching.market import Market
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import plan

LEAD = Parameter(
    name="urgent_lead_minutes",
    default=90,
    minimum=0,
    maximum=1_440,
    unit="minutes",
    summary="A request whose window starts within this is matched at once; the others wait for a batch.",
    scope="matching.urgent",
)
PARAMETERS = (LEAD,)
AT_ONCE = 100  # requests planned together, some milliseconds of work


def is_urgent(snapshot: Snapshot, row: int) -> bool:
    """Whether the request cannot wait for a batch."""
    lead_ms = LEAD.whole(snapshot.values) * MINUTE_MS
    return snapshot.asked[row].earliest_ms - snapshot.now_ms <= lead_ms


async def match_at_once(own: Ownership, market: Market, ids: Sequence[str]) -> list[str]:
    """Match those that are urgent; returns those that are not. Raises FenceLost.

    Capacity is as last read, less what this matcher took since. Where that leaves a request without a vendor,
    the ledgers are read again before it is told so.
    """
    patient: list[str] = []
    for first in range(0, len(ids), AT_ONCE):
        snapshot = await market.snapshot(ids[first : first + AT_ONCE])
        rows = [row for row in range(len(snapshot.records)) if is_urgent(snapshot, row)]
        patient += [each.id for row, each in enumerate(snapshot.records) if row not in set(rows)]
        if rows:
            await _match(own, market, snapshot.only(rows))
    return patient


async def _match(own: Ownership, market: Market, snapshot: Snapshot) -> None:
    found = plan(snapshot.screening())
    if len(found.chosen) < len(snapshot.asked):
        await market.refresh()
        snapshot = await market.snapshot([record.id for record in snapshot.records])
        found = plan(snapshot.screening())
    await commit_plan(own, market, snapshot, found)
