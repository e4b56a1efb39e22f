"""Imminent requests: matched at once, one after the other into what is left; no process hop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter
from dispatcher.decisions.record import IMMINENT
from dispatcher.matching.commits import Done, Ownership, commit_plan
from dispatcher.matching.culprits import without_culprits
from dispatcher.matching.market import Market
from dispatcher.matching.measured import matched_at_once
from dispatcher.matching.requests import Waiting, pressing_first
from dispatcher.matching.room import cramped, make_room
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.unplanned import planning
from dispatcher.runtime import traces
from dispatcher.store.outcome import Status
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening
from solvers.travel import TravelTimes

LEAD = Parameter(
    name="imminent_lead_minutes",
    default=90,
    minimum=0,
    maximum=1_440,
    unit="minutes",
    summary="A request whose window starts within this is matched at once; the others wait for a batch.",
    scope="matching.imminent",
)
PARAMETERS = (LEAD,)
TRIES = 2  # of what was last read: vendors that turn out to have changed are read again between
ATTEMPTS = 4  # a match falls out when its vendor changed meanwhile; vendors do not change that often
READ_AT_ONCE, AT_ONCE = 500, 50  # requests read, and planned, together: some milliseconds of work


def _nobody() -> None:
    """Nobody waits for it."""


def is_imminent(one: Waiting, now_ms: int, values: Mapping[str, Number]) -> bool:
    """Whether the request cannot wait for a batch; a will-call that was called never can."""
    record, asked = one
    return bool(record.activated_ms) or asked.earliest_ms - now_ms <= LEAD.whole(values) * MINUTE_MS


async def match_imminent(
    own: Ownership,
    market: Market,
    ids: Sequence[str],
    *,
    left: set[str] | None = None,
    afresh: bool = False,
    under_way: Callable[[], None] = _nobody,
) -> Done:
    """Match those that are imminent, the most pressing first; `deferred`: how many are not. Raises FenceLost.

    Capacity is as last read, less what this matcher took since. Where that leaves a request without a vendor,
    the ledgers are read again, and others that have only been asked may step aside, before it is told so.
    Where a vendor turns out to have changed since, vendors and ledgers are read again and the request is
    matched once more. `afresh`: they are read before the first plan.

    That takes as long as many offers: with `left`, those requests are put there instead, as if not tried.
    `under_way` hears when all of them have been planned with what is known, and what they take is taken.
    """
    done = Done()
    for first in range(0, len(ids), READ_AT_ONCE):
        travel = await market.travel()
        waiting = await market.waiting(ids[first : first + READ_AT_ONCE], travel)
        now_ms, values = market.clock.now_ms(), market.values
        imminent = pressing_first([each for each in waiting if is_imminent(each, now_ms, values)])
        done.deferred += len(waiting) - len(imminent)
        for begin in range(0, len(imminent), AT_ONCE):
            some = imminent[begin : begin + AT_ONCE]
            is_last = first + READ_AT_ONCE >= len(ids) and begin + AT_ONCE >= len(imminent)
            with traces.span("imminent", dispatcher__market=market.name, dispatcher__requests=len(some)):
                if left is None:
                    done += await _match(own, market, some, travel, anew=afresh)
                else:
                    said = under_way if is_last else _nobody
                    done += await _as_far_as_known(own, market, some, travel, left, under_way=said)
    matched_at_once(own, market.name, done)
    return done


async def _as_far_as_known(
    own: Ownership,
    market: Market,
    imminent: Sequence[Waiting],
    travel: TravelTimes,
    left: set[str],
    *,
    under_way: Callable[[], None],
) -> Done:
    """A plan of what was last read, and another for those whose vendor has posted something else since.

    Who is left has not been tried, so that nobody is told why. So is one whose record moved on, or that of
    another ride of its patient, which was planned while that was not written yet: records are read anew then.
    """
    done, without = Done(), set[str]()
    for _ in range(TRIES):
        made = await _planned(market, imminent, travel)
        matched = {made.snapshot.records[row].id for row in made.plan.chosen.request.tolist()}
        tried = await _committed(own, market, made, under_way) if matched else Done()
        done += tried
        without |= {record.id for record, _ in imminent} - matched
        without |= {name for name, how in tried.became.items() if how == Status.STALE.value}
        imminent = [each for each in imminent if each[0].id in tried.outdated]
        if not imminent or not await market.renew(tried.changed):
            break
    without |= {record.id for record, _ in imminent}
    if without:
        left |= without
        done.tried -= without
        done.plans.clear()
    return done


async def _match(
    own: Ownership, market: Market, imminent: Sequence[Waiting], travel: TravelTimes, *, anew: bool
) -> Done:
    """`anew`: what is known of vendors is read before the first plan, not after one in vain."""
    done = Done()
    for _ in range(ATTEMPTS):
        if anew:
            await market.refresh(lightly=True)
        tried = await _try(own, market, imminent, travel, is_fresh=anew)
        done += tried
        imminent = [each for each in imminent if each[0].id in tried.outdated]
        if not imminent:
            break
        anew = True
    return done


async def _try(
    own: Ownership, market: Market, imminent: Sequence[Waiting], travel: TravelTimes, *, is_fresh: bool
) -> Done:
    made = await _planned(market, imminent, travel)
    if len(made.plan.chosen) < len(imminent) and not is_fresh:
        await market.refresh(lightly=True)
        made = await _planned(market, imminent, travel)
    done = await _committed(own, market, made)
    if len(made.plan.chosen) < len(imminent):
        done += await make_room(own, market, cramped(made.snapshot, made.plan), travel)
    return done


class _Made(NamedTuple):
    snapshot: Snapshot
    near: Snapshot  #: what of it was planned from
    screening: Screening
    plan: BatchPlan


async def _planned(market: Market, imminent: Sequence[Waiting], travel: TravelTimes) -> _Made:
    return await without_culprits(market, partial(_made, market, imminent, travel))


async def _made(market: Market, imminent: Sequence[Waiting], travel: TravelTimes) -> _Made:
    snapshot = await market.snapshot(imminent, travel=travel)
    with planning(snapshot):
        near = snapshot.near()
        screening = near.screening()
        return _Made(snapshot, near, screening, plan(screening))


async def _committed(
    own: Ownership, market: Market, made: _Made, under_way: Callable[[], None] = _nobody
) -> Done:
    done = Done()
    try:
        return await commit_plan(own, market, made.snapshot, made.plan, done=done, under_way=under_way)
    finally:
        market.save(IMMINENT, made.near, made.screening, made.plan, became=done.became)
