"""Another start for a dispatch whose sequence is at risk: the soonest that its vendor has room for.

It stays within the window that the request has now. Runs in the matcher's process, and needs no optimiser.
"""

from __future__ import annotations

import contextlib

from msgspec.structs import replace

from contracts.requests import Request
from dispatcher.domain.amendments import Facts, as_agreed, placed_by
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.commands.retime import RetimeDispatch
from dispatcher.domain.links import bounds
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import DoesNotFit, Refusal, Unavailable
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.amending import expiry
from dispatcher.matching.by_hand import match
from dispatcher.matching.market import Market
from dispatcher.matching.reading import Reading, read_market
from dispatcher.matching.sequence import beside


async def prepared(market: Market, record: RequestRecord) -> RetimeDispatch:
    """What its vendor is to be asked; nothing where no start would do, or its body cannot be read.

    Raises Unavailable.
    """
    nothing = RetimeDispatch(request_id=record.id)
    dispatch = record.dispatch
    if dispatch is None:
        return nothing
    now_ms = market.clock.now_ms()
    try:
        request = await market.stored.requests.expected_body(record.id)
        reading = await read_market(
            market.stored, market.tz, now_ms, until_ms=record.latest_ms, only=dispatch.vendor_id
        )
        wanted = as_agreed(request, dispatch.level)
        found = await _placed(market, record, dispatch, wanted, reading)
    except Unavailable:
        raise
    except DoesNotFit as refusal:
        return replace(nothing, rules=tuple(refusal.facts["rules"]))
    except Refusal:
        return nothing
    facts = Facts(
        record.earliest_ms, record.latest_ms, record.latest_ms, record.service_class, record.priority
    )
    least_ms = expiry(record, facts, reading, dispatch.vendor_id, now_ms)
    until_ms = min(least_ms, dispatch.start_ms) if dispatch.start_ms > now_ms else least_ms
    placed = placed_by(found, dispatch)
    return RetimeDispatch(request_id=record.id, placed=placed, request=request, expires_ms=until_ms)


async def _placed(
    market: Market, record: RequestRecord, dispatch: OfferRecord, request: Request, reading: Reading
) -> Proposal:
    """At the first start that is in sequence, else where it costs least. Raises DoesNotFit."""
    others = await beside([record], market.stored.requests)
    within = bounds(record, others, reading.values)
    wish = OfferByHand(request_id=record.id, vendor_id=dispatch.vendor_id, again=True)
    if within is not None and within.not_before_ms is not None:
        first = replace(wish, start_ms=within.not_before_ms)
        with contextlib.suppress(DoesNotFit):
            return await match(market, record, request, first, reading)
    return await match(market, record, request, wish, reading)
