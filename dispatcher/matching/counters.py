"""A counter-offer worked out: where its vendor would be booked, by the matcher's rules and its own capacity.

Outside the window, as the request would be with a wider one. Runs in the web process: no optimiser is
imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.geo import Window
from contracts.instants import to_instant
from contracts.requests import Request
from dispatcher.domain.amendments import Placed, Ready, as_agreed, placed_by
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.answer_counter import TakeCounter
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.counters import Wish, outside_ms, refuse_other_kind, where_it_stands, wish_of
from dispatcher.domain.needed import Needed, needed_now
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.refusals import DoesNotFit, NotFound, PossibleDuplicate
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching import amending
from dispatcher.matching.by_hand import match
from dispatcher.matching.market import Market
from dispatcher.matching.reading import read_market
from dispatcher.service.amending import Amending
from solvers.rules import sequence, time_window


class _Found(NamedTuple):
    placed: Placed
    preconditions: tuple[Precondition, ...]
    ready: Ready | None
    level: str = ""


async def prepared(
    market: Market, record: RequestRecord, command: CounterOffer, looks: Amending
) -> CounterOffer:
    """The command with its place; as it is where the offer is not open: the decision says so.

    Raises DoesNotFit with the rules that the vendor would break; also where its patient has the like at that
    time: of that, a vendor hears no more than of any other ride of its patient.
    """
    offer = _open(record, command.offer_id)
    if offer is None:
        return command
    start_ms = offer.start_ms if command.start_ms is None else command.start_ms
    try:
        found = await _found(market, record, offer, Wish(start_ms, 0, command.level), looks)
    except PossibleDuplicate:
        raise DoesNotFit(
            f"vendor {offer.vendor_id} may not serve request {record.id}: {sequence.RULE.code}\n"
            "Maybe another start.",
            rules=[sequence.RULE.code],
        ) from None
    return replace(command, placed=found.placed, preconditions=found.preconditions)


async def taken(market: Market, record: RequestRecord, command: TakeCounter, looks: Amending) -> TakeCounter:
    """The answer with what stands by now. Raises as `prepared`."""
    offer = _open(record, command.offer_id)
    if offer is None or not offer.is_countered or offer.counter is None:
        return command
    found = await _found(market, record, offer, wish_of(offer.counter), looks)
    asks, known = await _asks(market, record, found, looks)
    return replace(
        command,
        placed=found.placed,
        preconditions=found.preconditions,
        ready=found.ready,
        asks=asks,
        authorizations=known,
    )


async def _asks(
    market: Market, record: RequestRecord, found: _Found, looks: Amending
) -> tuple[Needed | None, Mapping[str, Record]]:
    """What it draws on so, and what was read to tell: as before, unless it starts or comes otherwise."""
    own, start_ms = record.authorization, found.placed.start_ms
    if found.ready is None and not found.level:
        return (needed_now(own, record.kind, record.service_class) if own is not None else None), {}
    requests = market.stored.requests
    whole = requests.opened_whole(record.id, await requests.raw_body(record.id))
    tuning = await market.stored.tuning.in_force(market.clock.now_ms())
    context = Context(now_ms=market.clock.now_ms(), values=tuning.values, lists=tuning.lists, tz=market.tz)
    there = replace(record, earliest_ms=start_ms, latest_ms=start_ms)
    return await looks.asked(market.name, there, whole, frozenset(), context, level=found.level)


def _open(record: RequestRecord, name: str) -> OfferRecord | None:
    try:
        offer = record.offer_named(name)
    except NotFound:
        return None
    return offer if offer.unanswered else None


async def _found(
    market: Market, record: RequestRecord, offer: OfferRecord, wish: Wish, looks: Amending
) -> _Found:
    start_ms = wish.start_ms
    if wish.level in ("", record.service_class) and start_ms == offer.start_ms:
        return _Found(where_it_stands(offer), (), None)
    refuse_other_kind(record, wish.level)
    request: Request = await market.stored.requests.expected_body(record.id)
    wider, ready = record, None
    if outside_ms(record, start_ms):
        ready = await _widened(market, record, request, start_ms, looks)
        request, facts = ready.request, ready.facts
        wider = replace(record, earliest_ms=facts.earliest_ms, latest_ms=facts.latest_ms)
    request = as_agreed(request, wish.level)
    reading = await read_market(
        market.stored,
        market.tz,
        market.clock.now_ms(),
        until_ms=max(record.latest_ms, start_ms),
        only=offer.vendor_id,
    )
    to = OfferByHand(request_id=record.id, vendor_id=offer.vendor_id, start_ms=start_ms, again=True)
    proposal = await match(market, wider, request, to, reading)
    level = "" if wish.level == record.service_class else wish.level
    return _Found(placed_by(proposal), proposal.preconditions, ready, level)


async def _widened(
    market: Market, record: RequestRecord, request: Request, start_ms: int, looks: Amending
) -> Ready:
    """The request as it would be asked for: with a window that holds the start.

    Raises DoesNotFit where its time follows from something else, which only who asked for it can change.
    """
    if request.arrive_by is not None or request.on_call is not None:
        what = "its appointment" if request.arrive_by is not None else "its call"
        raise DoesNotFit(
            f"request {record.id} cannot start at {to_instant(start_ms).isoformat()}: "
            f"its window follows from {what}\n"
            "Maybe a start within the offer's window; or decline it.",
            rules=[time_window.RULE.code],
        )
    window = Window(
        earliest=to_instant(min(record.earliest_ms, start_ms)),
        latest=to_instant(max(record.latest_ms, start_ms)),
    )
    patch = Amend(pickup_window=window) if request.is_trip else Amend(window=window)
    worked_out = await amending.prepared(
        market, record, AmendRequest(request_id=record.id, patch=patch), looks
    )
    assert worked_out.ready is not None  # noqa: S101  (that is what it works out)
    return worked_out.ready
