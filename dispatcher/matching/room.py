"""Room for imminent requests: neighbours that have only been asked step aside, all in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from dispatcher.decisions.record import ROOM
from dispatcher.matching.commits import REFUSED, UNKNOWN, Done, Ownership, outcome_of
from dispatcher.matching.culprits import without_culprits
from dispatcher.matching.market import Market
from dispatcher.matching.modes import ready
from dispatcher.matching.requests import Waiting
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.unplanned import planning
from solvers.planning import BatchPlan
from solvers.room import make_room as plans_that_make_room
from solvers.rules.capacity import RULE as CAPACITY
from solvers.screening import Screening
from solvers.travel import TravelTimes

REQUESTS, NEIGHBOURS = 8, 48  # looked at together: some 10 ms of the matcher's time
AGAIN_MS = 30_000  # clock time


def cramped(snapshot: Snapshot, plan: BatchPlan) -> list[Waiting]:
    """Requests that the plan left without a vendor because capacity was taken."""
    by_capacity = plan.removed[:, plan.codes.index(CAPACITY.code)]
    matched = set(plan.chosen.request.tolist())
    rows = [row for row in snapshot.waiting if row not in matched and not snapshot.asked[row].bundle]
    return [
        (snapshot.records[row], snapshot.asked[row])
        for row in rows
        if plan.candidate_counts[row] or by_capacity[row]
    ]


async def make_room(own: Ownership, market: Market, waiting: Sequence[Waiting], travel: TravelTimes) -> Done:
    """Offer those for whom neighbours make room, each together with its neighbours' moves. Raises FenceLost.

    Not for the same request again and again: who may step aside changes only as offers are made and settle.
    """
    due = market.due_for_room(waiting, AGAIN_MS, REQUESTS)
    done, made = Done(), await without_culprits(market, partial(_made, market, due, travel))
    if made is None:
        return done
    snapshot, screening, plans = made
    snapshot.keep_unmoved(*plans)
    became = [dict[str, str]() for _ in plans]
    try:
        for nth, plan in enumerate(plans):
            committed = await _commit_together(own, market, snapshot, plan)
            became[nth] = committed.became
            done += committed
    finally:
        for plan, told in zip(plans, became, strict=True):
            market.save(ROOM, snapshot, screening, plan, became=told)
    return done


class _Made(NamedTuple):
    snapshot: Snapshot
    screening: Screening
    plans: Sequence[BatchPlan]


async def _made(market: Market, due: Sequence[Waiting], travel: TravelTimes) -> _Made | None:
    """None: nobody could step aside."""
    standing = await market.standing(due, travel, most=NEIGHBOURS)
    if not standing:
        return None
    snapshot = await market.snapshot(due, standing=standing, travel=travel)
    with planning(snapshot):
        screening = snapshot.screening()
        return _Made(snapshot, screening, list(plans_that_make_room(screening)))


async def _commit_together(own: Ownership, market: Market, snapshot: Snapshot, plan: BatchPlan) -> Done:
    """All of the plan's moves and its match, or nothing."""
    looked_at = [ready(market, snapshot, plan, row) for row in range(len(plan.chosen))]
    matches = [each for each in looked_at if each is not None]
    done = Done()
    ids = [snapshot.asked[row].request.id for row in plan.chosen.request.tolist()]
    if len(matches) < len(looked_at):
        done.became = dict.fromkeys(ids, REFUSED)
        return done
    outcome = await outcome_of(own, market, *((each.command, each.record) for each in matches))
    if outcome is not None and outcome.ok:
        for each in matches:
            done.note(each, outcome, market)
    else:
        done.became = dict.fromkeys(ids, UNKNOWN if outcome is None else outcome.status.value)
    return done
