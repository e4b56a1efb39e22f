"""The only ways to change a record: each asks the tables first, so a step they lack cannot be made."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState
from dispatcher.domain.record import OfferRecord, RequestRecord, Step, offer_id
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.domain.states import OFFER_STATES, may_stay_or_go

HISTORY_LIMIT = 64  # the newest steps are kept; a record must not grow with every vendor that is asked


def step(
    record: RequestRecord, state: RequestState, now_ms: int, by: str, code: str = "", **changes: Any
) -> RequestRecord:
    """The record one version on, in `state`, with the step in its history.

    Raises WrongState when the table has no such step.
    """
    if not may_stay_or_go(record.state, state):
        raise WrongState(
            f"request {record.id} is {record.state}; it cannot go to {state}\n"
            "Maybe read the request again: its work has moved on.",
            state=record.state.value,
        )
    history = (*record.history, Step(state, now_ms, by, code))[-HISTORY_LIMIT:]
    return replace(record, state=state, version=record.version + 1, history=history, **changes)


def close(offer: OfferRecord, state: OfferState, now_ms: int, code: str = "") -> OfferRecord:
    """The offer in a state in which its vendor no longer works on it, its capacity given back.

    What explained the choice goes too: the `matches` stream has it, and the record stays small.
    """
    return _answered(offer, state, closed_ms=now_ms, code=code, bookings=(), terms=(), runners_up=())


def fulfil(offer: OfferRecord, state: OfferState, now_ms: int, code: str = "") -> OfferRecord:
    """The offer after its work: what it took of the day stays taken."""
    return _answered(offer, state, closed_ms=now_ms, code=code)


def take(offer: OfferRecord, reference: str) -> OfferRecord:
    """The offer as a dispatch."""
    return _answered(offer, OfferState.ACCEPTED, reference=reference)


def _answered(offer: OfferRecord, state: OfferState, **changes: Any) -> OfferRecord:
    if state not in OFFER_STATES[offer.state]:
        raise WrongState(f"an offer that is {offer.state} cannot be {state}", state=offer.state.value)
    return replace(offer, state=state, **changes)


def with_newest(record: RequestRecord, offer: OfferRecord) -> tuple[OfferRecord, ...]:
    """The record's offers with the newest one replaced."""
    return (*record.offers[:-1], offer)


def offer_named(record: RequestRecord, name: str, vendor_id: str) -> OfferRecord:
    """The vendor's own offer of that id.

    Raises NotFound for an unknown offer and for another vendor's, in the same words.
    """
    for offer in record.offers:
        if offer.vendor_id == vendor_id and offer_id(record, offer) == name:
            return offer
    raise NotFound(f"there is no offer {name}\nMaybe the id is misspelt.")
