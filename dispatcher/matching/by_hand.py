"""A match that somebody asks for: one request, one vendor, by the rules and the capacity of the matcher.

Runs in the web process: no optimiser is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as with_
from typing import NamedTuple, NoReturn

from msgspec.structs import replace

from contracts.instants import to_instant
from contracts.requests import Request
from contracts.unmatched import Unmatched
from dispatcher.decisions.record import AMENDMENT
from dispatcher.domain.commands.offer_by_hand import OfferByHand, is_out, refuse_taken
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import DoesNotFit, no_such
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.caps import given_back
from dispatcher.matching.market import Market
from dispatcher.matching.reading import Reading, read_market
from dispatcher.matching.reasons import rule_counts
from dispatcher.matching.relaxations import with_relaxations
from dispatcher.matching.requests import asked_of
from dispatcher.matching.saving import LOOKED_AT
from dispatcher.matching.sequence import beside, in_sequence
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import BrokenRule, proposal
from solvers.misfit import broken_rules
from solvers.planning import BatchPlan, plan
from solvers.rules import cap, time_window
from solvers.screening import OpenRequest, Screening


class Planned(NamedTuple):
    """What a match by hand was made from, to be saved once it is committed."""

    snapshot: Snapshot
    screening: Screening
    plan: BatchPlan


async def prepared(
    market: Market, record: RequestRecord, command: OfferByHand, planned: Callable[[Planned], None]
) -> OfferByHand:
    """The command with its match, made of what stands now; as it is where it has had its effect.

    `planned` hears what it was made from.
    Raises WrongState, NotFound (the vendor), DoesNotFit with the rules that it breaks, Unreadable.
    """
    if is_out(record, command):
        return command
    refuse_taken(record, market.clock.now_ms())
    request = await market.stored.requests.body(record.id)
    if request is None:
        raise no_such(f"request {record.id}")
    reading = await read_market(
        market.stored,
        market.tz,
        market.clock.now_ms(),
        until_ms=record.latest_ms,
        only=command.vendor_id,
    )
    if not reading.documents:
        raise no_such(f"vendor {command.vendor_id}")
    made = await match(market, record, request, command, reading, planned=planned)
    return replace(command, request=request, proposal=made)


async def match(
    market: Market,
    record: RequestRecord,
    request: Request,
    command: OfferByHand,
    reading: Reading,
    *,
    planned: Callable[[Planned], None] | None = None,
) -> Proposal:
    """The match of a stored request, as it is or as it would be, with one vendor. Raises DoesNotFit.

    `planned` hears what it was made from; where nobody does it is only looked at, and saved as that.
    """
    asked = await _asked(market, record, request, command, reading)
    made, proposed = _match(_snapshot(market, record, asked, reading), command)
    if planned is not None:
        planned(made)
    else:
        market.save(AMENDMENT, *made, became={record.id: LOOKED_AT})
    return proposed


async def _asked(
    market: Market, record: RequestRecord, request: Request, command: OfferByHand, reading: Reading
) -> OpenRequest:
    """The request as the matcher would have it, in its sequence; `again`: for who declined it, too."""
    declined_by = frozenset() if command.again else reading.changes.declined_by(record)
    travel, others = market.travel_of(reading.values), await beside([record], market.stored.requests)
    asked = asked_of(request, market.tz, reading.values, declined_by, travel=travel, record=record)
    if command.start_ms is not None:
        asked = _at(asked, command.start_ms, command)
    return in_sequence(asked, record, others, reading.values, travel, now_ms=market.clock.now_ms())


def _at(asked: OpenRequest, start_ms: int, command: OfferByHand) -> OpenRequest:
    """The request at that start alone. Raises DoesNotFit where that is outside its window."""
    if not asked.earliest_ms <= start_ms <= asked.latest_ms:
        window = f"{to_instant(asked.earliest_ms).isoformat()} to {to_instant(asked.latest_ms).isoformat()}"
        _refuse(command, (time_window.RULE.code,), f"it may start from {window}")
    return with_(asked, earliest_ms=start_ms, latest_ms=start_ms)


def _snapshot(market: Market, record: RequestRecord, asked: OpenRequest, reading: Reading) -> Snapshot:
    """The request beside that vendor alone; what its unanswered offers hold is free: they are withdrawn."""
    capacity = reading.capacity.copy()
    for each in record.live_offers:
        capacity.give_back(each.bookings)
    travel, known = market.travel_of(reading.values), reading.book.known
    freed = given_back(known.get(cap.RULE.reads, {}), record)
    reading = with_(reading, book=reading.book.knowing({**known, cap.RULE.reads: freed}))
    return Snapshot((record,), (asked,), reading, capacity, market.clock.now_ms(), travel)


def _match(snapshot: Snapshot, command: OfferByHand) -> tuple[Planned, Proposal]:
    screening = snapshot.screening()
    found = plan(screening)
    if not len(found.chosen):
        removed = rule_counts(found.codes, found.removed[0].tolist())
        last = removed[-1].rule if removed else ""
        why = Unmatched(vendors=1, removed=removed, last_rule=last)
        vendors = (command.vendor_id,)
        rules = broken_rules(screening) or (last,)
        _refuse(command, rules, unmatched=with_relaxations(why, vendors, screening, row=0))
    try:
        return Planned(snapshot, screening, found), proposal(snapshot, found, 0)
    except BrokenRule as defect:
        _refuse(command, (), str(defect))


def _refuse(
    command: OfferByHand, rules: tuple[str, ...], more: str = "", unmatched: Unmatched | None = None
) -> NoReturn:
    detail = (
        f"vendor {command.vendor_id} may not serve request {command.request_id}: {', '.join(rules) or more}"
    )
    hint = more if rules and more else "unmatched says what would fit"
    facts = {} if unmatched is None else {"unmatched": unmatched}
    raise DoesNotFit(f"{detail}\nMaybe another vendor or start: {hint}.", rules=list(rules), **facts)
