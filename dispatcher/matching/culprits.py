"""Whose fault it is that planning raised: the snapshot's requests, or vendors, by halving; all others go on.

Planning is a pure function of a snapshot, so it is tried of parts of it, by the greedy, beside what else this
process does. Where nothing raises by itself, or too much does, it is the program's fault, and nobody's.

A request raises alone, and with some vendors only: it is set aside, and they are suspected. They are left out
instead once another request raises with them, too, and none gets on with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import NamedTuple, TypeVar

from dispatcher.matching.faults import MOST
from dispatcher.matching.halving import failing, faulty
from dispatcher.matching.market import Market
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.unplanned import NotPlanned, planning
from solvers.planning import BatchPlan, plan
from solvers.travel import TravelTimes

FEW = 3  # vendors that are left out together
Made = TypeVar("Made")


class Culprits(NamedTuple):
    """Ids: of requests, beside the vendors with whom alone the first of them raises; or of vendors."""

    requests: Sequence[str] = ()
    suspects: Sequence[str] = ()
    vendors: Sequence[str] = ()


async def without_culprits(market: Market, attempt: Callable[[], Awaitable[Made]]) -> Made:
    """What `attempt` gives, tried once more without what made planning raise, which is set aside.

    Raises what planning raised where that is nobody's fault.
    """
    unplanned = market.requests.unplanned
    while True:
        try:
            return await attempt()
        except NotPlanned as failure:
            error, suspected = failure.error, unplanned.suspected()
            found = await asyncio.to_thread(culprits, failure.snapshot, suspected)
            if not found.requests and not found.vendors:
                raise error from None
            for each in found.requests:
                unplanned.note(each, error, found.suspects)
            if found.vendors:
                await market.leave_out(found.vendors, error)


async def try_again(market: Market, travel: TravelTimes) -> None:
    """Each that was set aside a while ago, by itself: who can be planned is planned with the others again."""
    unplanned = market.requests.unplanned
    for name in unplanned.due():
        suspects = unplanned.suspects[name]
        unplanned.free([name])
        snapshot = await market.snapshot(await market.waiting([name], travel), travel=travel)
        try:
            await asyncio.to_thread(_planned, snapshot)
        except NotPlanned as failure:
            unplanned.note(name, failure.error, suspects)


def culprits(snapshot: Snapshot, suspected: Collection[str] = ()) -> Culprits:
    """Who makes planning it raise; `suspected`: vendors, for requests that were set aside before."""
    rows = range(len(snapshot.asked))
    bad = failing(rows, lambda some: _works(snapshot.of(some)), MOST)
    if not bad:
        return Culprits()
    good = snapshot.of([row for row in rows if row not in bad])
    suspects = _suspects(snapshot.of(bad[:1]))
    twice = [each for each in suspects if each in suspected]
    if len(bad) > 1 and _works(_without(snapshot.of(bad[1:2]), suspects)):
        twice = suspects
    if twice and not _get_on(good, twice):
        return Culprits(vendors=twice)
    return Culprits([snapshot.asked[row].request.id for row in bad] if len(bad) <= MOST else (), suspects)


def _suspects(alone: Snapshot) -> list[str]:
    """The few vendors without whom this request could be planned beside the others."""
    ids = alone.reading.vendor_ids
    found = faulty(ids, lambda some: _works(alone.among(some)), FEW)
    return found if len(found) < len(ids) else []


def _without(snapshot: Snapshot, vendor_ids: Collection[str]) -> Snapshot:
    return snapshot.among([each for each in snapshot.reading.vendor_ids if each not in vendor_ids])


def _get_on(good: Snapshot, vendor_ids: Collection[str]) -> bool:
    """Whether one of these vendors could serve any of these requests."""
    try:
        lost = _planned(good).lost
    except NotPlanned:
        return False
    columns = [good.reading.book.index[each] for each in vendor_ids]
    return lost is not None and bool((lost[:, columns] < 0).any())


def _works(snapshot: Snapshot) -> bool:
    try:
        _planned(snapshot)
    except NotPlanned:
        return False
    return True


def _planned(snapshot: Snapshot) -> BatchPlan:
    with planning(snapshot):
        return plan(snapshot.screening())
