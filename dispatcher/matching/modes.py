"""A planned match in the mode of its request: who is asked beside its vendor, or after it.

The plan says who is best. Who is next best for this one request is found by the same screening, over what
the plan has left; of each vendor the cheapest place. Nothing is taken for them: in a cascade and a broadcast
alike the ledger decides once it is their turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as with_
from typing import Final

import structlog
from msgspec.structs import replace

from contracts.offer_modes import OfferMode
from contracts.tuning import Number
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.offer_modes import LINKS, OFFERS, SURE, mode_of
from dispatcher.domain.proposal import Proposal
from dispatcher.matching.market import Market
from dispatcher.matching.matches import Match, checked
from dispatcher.matching.refused import Refused
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import BrokenRule, untaken
from solvers.candidates import screen
from solvers.planning import BatchPlan

_ASKS: Final[Mapping[OfferMode | None, int]] = {OfferMode.CASCADE: 1, OfferMode.BROADCAST: 2}
log = structlog.get_logger()


def ready(market: Market, snapshot: Snapshot, plan: BatchPlan, row: int) -> Match | None:
    """Match `row` of the plan, checked and in its mode; None: it is not to be offered now.

    Where that raises for vendor after vendor, its request is set aside.
    """
    at, requests = int(plan.chosen.request[row]), market.requests

    def made() -> Match | None:
        match = checked(snapshot, plan, row, market.clock.now_ms(), requests.refused)
        return None if match is None else in_its_mode(snapshot, at, match, requests.refused)

    return requests.unplanned.made(snapshot.records[at].id, made)


def in_its_mode(snapshot: Snapshot, row: int, match: Match, refused: Refused) -> Match:
    """The match of the snapshot's request `row` as it is offered; the very same where nothing says how."""
    command = match.command
    if not isinstance(command, MakeOffer):
        return match
    mode = _mode(snapshot, row)
    if mode is None:
        return match
    most = _most(mode, snapshot)
    others = tuple(_others(snapshot, row, match.proposal, most - 1, refused)) if most > 1 else ()
    if mode is OfferMode.BROADCAST:
        others = _enough(match.proposal, others, snapshot.values)
    if mode is OfferMode.BROADCAST and not others:  # who is asked alone has its place meanwhile
        mode = OfferMode.EXPLICIT
    return with_(match, command=replace(command, mode=mode, others=others))


def several_last(snapshot: Snapshot, rows: Sequence[int]) -> list[int]:
    """These requests in their order, those last that ask several vendors: they see what all others take."""
    modes = {row: _mode(snapshot, row) for row in rows}
    return sorted(rows, key=lambda row: _ASKS.get(modes[row], 0))


def asks_one(snapshot: Snapshot, row: int) -> bool:
    """Whether a request is put to one vendor at a time."""
    return not _ASKS.get(_mode(snapshot, row), 0)


def _mode(snapshot: Snapshot, row: int) -> OfferMode | None:
    tuning, request = snapshot.reading.tuning, snapshot.asked[row].request
    return mode_of(snapshot.records[row], request, snapshot.now_ms, tuning.values, tuning.lists)


def _most(mode: OfferMode, snapshot: Snapshot) -> int:
    """How many vendors at the most."""
    if mode is OfferMode.BROADCAST:
        return OFFERS.whole(snapshot.values)
    return LINKS.whole(snapshot.values) if mode is OfferMode.CASCADE else 1


def _enough(
    first: Proposal, others: tuple[Proposal, ...], values: Mapping[str, Number]
) -> tuple[Proposal, ...]:
    """As many of the others as it takes for somebody to accept; all where nothing is known of them."""
    nobody, most = 1.0 - first.accepts, 1.0 - SURE.of(values)
    for number, each in enumerate(others, start=1):
        nobody *= 1.0 - each.accepts
        if nobody <= most:
            return others[:number]
    return others


def _others(snapshot: Snapshot, row: int, first: Proposal, most: int, refused: Refused) -> Iterator[Proposal]:
    """The cheapest of each other vendor, as far as all rules allow it, cheapest first."""
    alone = with_(
        snapshot,
        records=(snapshot.records[row],),
        asked=(snapshot.asked[row],),
        standing={},
        taken=[],
    )
    found, seen = screen(alone.near().screening()), {first.vendor.id}
    for at, vendor in enumerate(found.candidates.vendor.tolist()):
        name = snapshot.vendors[vendor].id
        if len(seen) > most:
            return
        if name in seen:
            continue
        seen.add(name)
        try:
            yield untaken(alone, found.candidates, found.cents, at, first.snapshot)
        except BrokenRule as defect:
            log.error("plan_broke_a_rule", detail=str(defect), solver="modes")
            refused.note(defect.request_id, defect.vendor_id, defect.rule, snapshot.reading)
