"""A request as a row of the board: ids, codes, times and coarse positions; no patient, no door."""

from __future__ import annotations

from typing import NamedTuple

from contracts.codes import RequestState
from contracts.requests import Request
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.domain.views import owner_of


class Risk(NamedTuple):
    """Why somebody may have to look at it, until when, and what is known of the reason."""

    code: str = ""
    due_ms: int = 0
    why: str = ""


class Places(NamedTuple):
    """Where it starts and ends, as squares of about 2 km; () if there is no such place, or not known yet."""

    start: tuple[float, ...] = ()
    end: tuple[float, ...] = ()


NOWHERE = Places()


class Row(NamedTuple):
    """One request; the names of the fields are the board's columns, but for `_NAMES`."""

    id: str
    version: int
    kind: str
    state: str
    status: str  # what its vendor reported last
    service: str  # what a unit has to serve
    priority: str
    received: int
    earliest: int
    latest: int
    match_by: int
    vendor: str  # who is asked for it, or has it, or had it
    start: int  # agreed or offered
    cents: int
    offer: str
    expires: int  # until when that offer is to be answered; 0: it is not waited for
    asked: int  # how many offers there were
    episode: str
    owner: str
    waits: tuple[str, ...]  # on hold: for what
    tasks: tuple[str, ...]
    facility: str
    standing_order: str
    start_at: tuple[float, ...]  # [lon, lat]
    end_at: tuple[float, ...]
    risk: str
    due: int  # until when somebody has to act on the risk
    why: str
    ended: int  # 0: it goes on


_NAMES = {"service": "class", "start_at": "from", "end_at": "to"}  # words that Python keeps for itself
COLUMNS = tuple(_NAMES.get(each, each) for each in Row._fields)


def row_of(record: RequestRecord, places: Places = NOWHERE) -> Row:
    """The row of a request."""
    offer, risk, ended = _offer(record), risk_of(record), record.state in TERMINAL
    waits_for_answer = offer is not None and offer.unanswered
    return Row(
        id=record.id,
        version=record.version,
        kind=record.kind,
        state=record.state.value,
        status=record.status.value if record.status else "",
        service=record.service_class,
        priority=record.priority.value,
        received=record.received_ms,
        earliest=record.earliest_ms,
        latest=record.latest_ms,
        match_by=record.match_by_ms,
        vendor=offer.vendor_id if offer else "",
        start=offer.start_ms if offer else 0,
        cents=offer.price_cents if offer else 0,
        offer=offer_id(record, offer) if offer else "",
        expires=offer.expires_ms if offer and waits_for_answer else 0,
        asked=len(record.offers),
        episode=record.episode,
        owner=owner_of(record),
        waits=tuple(each.value for each in record.requirements),
        tasks=record.tasks,
        facility=record.facility,
        standing_order=record.standing_order,
        start_at=places.start,
        end_at=places.end,
        risk=risk.code,
        due=risk.due_ms,
        why=risk.why,
        ended=record.history[-1].at_ms if ended and record.history else 0,
    )


def places_of(request: Request) -> Places:
    """Its places, coarse: nobody learns a door from the board."""
    start, end = request.doors
    return Places(coarse_position(start), coarse_position(end) if end else ())


def risk_of(record: RequestRecord) -> Risk:
    """What is, or may become, a person's business: whether it is so now is a question of the clock."""
    state = record.state
    if state in TERMINAL:
        return Risk()
    if record.has_nobody_left:
        return Risk("nobody_left", record.match_by_ms, _last_rule(record))
    if record.risk:
        return Risk("sequence", record.watch_ms or record.earliest_ms, record.risk)
    if record.pending is not None:
        return Risk("amendment", record.pending.expires_ms)
    if state is RequestState.ON_HOLD:
        waits = record.requirements[0].value if record.requirements else ""
        return Risk("on_hold", record.call_by_ms or record.match_by_ms, waits)
    if state in OPEN:
        return Risk("no_vendor", record.match_by_ms, _last_rule(record))
    if state is RequestState.OFFERED:
        ends_ms = min((each.expires_ms for each in record.live_offers), default=0)
        return Risk("counter" if any(each.is_countered for each in record.offers) else "unanswered", ends_ms)
    dispatch = record.dispatch
    if dispatch is not None and dispatch.overdue:
        return Risk("overdue", record.timer_ms, record.status.value if record.status else "")
    return Risk("report", record.timer_ms)


def _last_rule(record: RequestRecord) -> str:
    found = record.unmatched
    if found is None:
        return ""
    return "competition" if found.competition else found.last_rule


def _offer(record: RequestRecord) -> OfferRecord | None:
    """The vendor that has the work; else the newest that is asked, of several at once the cheapest."""
    live = record.live_offers
    newest = live[-1] if live else None
    return record.dispatch or (live[0] if newest is not None and newest.broadcast else newest)
