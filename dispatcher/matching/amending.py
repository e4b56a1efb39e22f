"""An amendment worked out: the request as it would be, and whether the vendor that has the work may do it so.

Runs in the web process: no optimiser is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from contracts.codes import RequestState, TrackingStatus
from contracts.requests import Request
from contracts.tuning import Number
from dispatcher.domain.amendments import (
    LEVEL,
    PLACES,
    TERMS,
    WINDOWS,
    Facts,
    Ready,
    agreed_level,
    amended,
    as_agreed,
    changed_fields,
    placed_by,
)
from dispatcher.domain.apart import nearest
from dispatcher.domain.commands.amend import AmendRequest, refuse_ended
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.commands.submit import deadline
from dispatcher.domain.context import Context
from dispatcher.domain.offer_expiry import OFFER_MINIMUM, offer_expiry
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refiling import of_patient
from dispatcher.domain.refusals import DoesNotFit
from dispatcher.domain.requests import RequestRecord, priority_of
from dispatcher.domain.windows import StartWindow, in_force, start_window
from dispatcher.matching.by_hand import match
from dispatcher.matching.market import Market
from dispatcher.matching.reading import Reading, read_market
from dispatcher.service.amending import Amending
from dispatcher.service.rides import leaves
from solvers.rules import cap, credentials, onboarding, paused, time_window

NEW_WORK = frozenset(each.RULE.code for each in (time_window, paused, onboarding, credentials, cap))
# ^ rules on what a vendor may be given anew; it has this work already, and says itself whether it keeps it


class Place(NamedTuple):
    """Whether the vendor that has the work may do it so, and where, if its booking moves; else why not."""

    fits: bool
    proposal: Proposal | None = None
    rules: tuple[str, ...] = ()


async def prepared(
    market: Market, record: RequestRecord, command: AmendRequest, amending: Amending
) -> AmendRequest:
    """The command worked out on what stands now; on what its vendor is asked already, if it has not answered.

    Raises WrongState, Invalid, PossibleDuplicate, Unreadable, PatientKeyMissing.
    """
    now_ms = market.clock.now_ms()
    refuse_ended(record, now_ms)
    whole, ready = await _ready(market, record, command, amending, now_ms)
    if record.dispatch is None or not ready.fields:
        return replace(command, ready=ready)
    vendor_id = record.dispatch.vendor_id
    reading = await read_market(
        market.stored, market.tz, now_ms, until_ms=_until_ms(whole, record), only=vendor_id
    )
    place = await _place(market, record, record.dispatch, ready, reading)
    return replace(
        command,
        ready=replace(
            ready,
            fits=place.fits,
            rules=place.rules,
            placed=placed_by(place.proposal, _keeps_terms(record.dispatch, ready))
            if place.proposal
            else None,
            expires_ms=expiry(record, ready.facts, reading, vendor_id, now_ms),
        ),
    )


async def _ready(
    market: Market, record: RequestRecord, command: AmendRequest, amending: Amending, now_ms: int
) -> tuple[Request, Ready]:
    """The request as it is wanted, with its patient; and what the command says of it, but for its place."""
    stored = market.stored.requests
    before = await stored.raw_body(record.id)
    current = stored.opened_whole(record.id, before)
    pending = record.pending if record.pending is not None and not record.pending.retimes else None
    asked = stored.opened_whole(record.id, pending.proposed) if pending else current
    whole = amended(asked, command.patch)
    fields = changed_fields(current, whole)
    tuning = await market.stored.tuning.in_force(market.clock.now_ms())
    facts = _facts(market, tuning.values, record, whole, fields)
    context = Context(now_ms=now_ms, values=tuning.values, lists=tuning.lists, tz=market.tz)
    both = (current, whole)
    beside = await amending.beside(market.name, record, both, context, fields=frozenset(fields), facts=facts)
    facts = replace(facts, asks=beside.asks)
    ready = Ready(
        request=replace(whole, patient=None),
        fields=fields,
        facts=facts,
        before=before,
        after=stored.form.pack(whole),
        same=pending is not None and whole == asked,
        filing=beside.filing,
        beside=beside.records,
        episode=beside.together.episode,
        relies=beside.together.relies,
    )
    return whole, ready


def _until_ms(request: Request, record: RequestRecord) -> int:
    return max(record.latest_ms, in_force(record, request, {}).latest_ms)


def _facts(
    market: Market,
    values: Mapping[str, Number],
    record: RequestRecord,
    request: Request,
    fields: tuple[str, ...],
) -> Facts:
    """What the record keeps of it. Raises Invalid when the window or deadline that is given has passed."""
    window = StartWindow(record.earliest_ms, record.latest_ms)
    match_by_ms = record.match_by_ms
    if _moves_window(record, request, fields):
        window = start_window(request, values, leaves(request, market.tz, market.travel_of(values)))
        wished = request if "match_by" in fields else _without_past(request, market.clock.now_ms())
        match_by_ms = deadline(wished, window, market.clock.now_ms())
    elif "match_by" in fields:
        match_by_ms = deadline(request, window, market.clock.now_ms())
    priority = priority_of(record, request) if record.activated_ms else request.priority  # called, it is asap
    return Facts(*window, match_by_ms, request.service_class.value, priority)


def _moves_window(record: RequestRecord, request: Request, fields: tuple[str, ...]) -> bool:
    """An appointment's window follows from its ride; who is on board has left for it already."""
    if record.status is TrackingStatus.ON_BOARD:
        return False
    rides = PLACES | {"service_minutes"} if request.arrive_by is not None else frozenset[str]()
    return not (WINDOWS | rides).isdisjoint(fields)


def _without_past(request: Request, now_ms: int) -> Request:
    """A deadline that was given for the window of before, and has passed, is none of the new one."""
    given = request.match_by
    return replace(request, match_by=None) if given and given.timestamp() * 1000 <= now_ms else request


async def _place(
    market: Market, record: RequestRecord, dispatch: OfferRecord, ready: Ready, reading: Reading
) -> Place:
    """At its own start, if that may stay; else where it costs least; and where nothing fits before the
    dispatches that go after it, without regard to these: their vendors are then asked for another start.

    Work that is under way stays where it is booked, unless its window moves.
    """
    moves = not WINDOWS.isdisjoint(ready.fields)
    if TERMS.isdisjoint(ready.fields) or (record.state is RequestState.IN_PROGRESS and not moves):
        return Place(fits=True)
    broken = frozenset[str]()
    if ready.filing is not None:
        wanted = replace(record, earliest_ms=ready.facts.earliest_ms, latest_ms=ready.facts.latest_ms)
        others = nearest(wanted, of_patient(ready.filing, ready.beside))
        record = replace(record, apart=tuple(each.id for each in others))
    alone = replace(record, before=())
    request = as_agreed(ready.request, agreed_level(dispatch, ready.fields))
    tries = [
        (record, dispatch.start_ms),
        (record, None),
        *([(alone, None)] if record.before and moves else []),
    ]
    for as_it_is, start_ms in tries:
        wish = OfferByHand(request_id=record.id, vendor_id=dispatch.vendor_id, start_ms=start_ms, again=True)
        try:
            return Place(fits=True, proposal=await match(market, as_it_is, request, wish, reading))
        except DoesNotFit as refusal:
            broken = broken or frozenset(refusal.facts["rules"] or ("checker",))
    keeps_place = record.state is RequestState.IN_PROGRESS or (not moves and broken <= NEW_WORK)
    return Place(fits=keeps_place, rules=() if keeps_place else tuple(sorted(broken)))


def _keeps_terms(dispatch: OfferRecord, ready: Ready) -> OfferRecord | None:
    """What was agreed beyond the rate card stays, unless another vehicle is asked for."""
    return None if LEVEL in ready.fields else dispatch


def expiry(record: RequestRecord, facts: Facts, reading: Reading, vendor_id: str, now_ms: int) -> int:
    """As long as an offer of the same work would be open; a vendor that is stored no more has the least."""
    document = reading.documents.get(vendor_id)
    if document is None:
        return now_ms + OFFER_MINIMUM.whole(reading.values) * 1000
    as_wanted = replace(
        record,
        earliest_ms=facts.earliest_ms,
        latest_ms=facts.latest_ms,
        match_by_ms=facts.latest_ms,
        priority=facts.priority,
    )
    return offer_expiry(as_wanted, document.value, now_ms, reading.values)
