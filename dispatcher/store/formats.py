"""What earlier versions of the service stored, read as what it is now; `docs/upgrading.md` says since when.

A record's first element is its format number. Format 1 of requests had none: its first element is the id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

import msgspec
from msgspec.structs import replace

from contracts.codes import RequestState, Requirement, TrackingStatus
from contracts.unmatched import Unmatched
from contracts.vendors import Vendor
from dispatcher.domain.compact import Compact
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, Transition
from dispatcher.domain.states import WORKED_ON

_WAITING = b"wait_half_hour_cents"
_FIRST_TEXT, _LAST_TEXT, _LONG_TEXT = 0xA0, 0xBF, 0xD9  # how MessagePack begins a short text


class Request1(Compact, frozen=True):
    """A request of format 1: one status and one count of missed reports, whatever offer they were about."""

    id: str
    version: int
    state: RequestState
    kind: str
    received_ms: int
    match_by_ms: int
    earliest_ms: int
    latest_ms: int
    timer_ms: int
    offers: tuple[OfferRecord, ...] = ()
    history: tuple[Transition, ...] = ()
    status: TrackingStatus | None = None
    unmatched: Unmatched | None = None
    overdue: int = 0


_request_1 = msgspec.msgpack.Decoder(Request1)


def request_of_old(content: bytes | memoryview) -> RequestRecord | None:
    """A request of format 1; None if it is none."""
    header = 1 if content[:1] and content[0] & 0xF0 == 0x90 else 3  # bytes of the array's own
    first = content[header] if len(content) > header else 0
    if not (_FIRST_TEXT <= first <= _LAST_TEXT or first == _LONG_TEXT):
        return None
    old = _request_1.decode(content)
    return RequestRecord(
        id=old.id,
        version=old.version,
        state=old.state,
        kind=old.kind,
        received_ms=old.received_ms,
        match_by_ms=old.match_by_ms,
        earliest_ms=old.earliest_ms,
        latest_ms=old.latest_ms,
        timer_ms=old.timer_ms,
        offers=tuple(_offer(old, offer) for offer in old.offers),
        history=old.history,
        requirements=_requirements(old),
        unmatched=old.unmatched,
    )


def vendor_of_old(content: bytes | memoryview) -> Vendor | None:
    """A vendor whose rate card still names a price of waiting, which nothing ever read; None: it does not."""
    raw = bytes(content)
    if _WAITING not in raw:
        return None
    old = msgspec.msgpack.decode(raw)
    old["rate_card"].pop(_WAITING.decode(), None)
    return msgspec.convert(old, Vendor)


def _offer(old: Request1, offer: OfferRecord) -> OfferRecord:
    """The vendor that has the work has what was noted of the request."""
    if offer.state not in WORKED_ON:
        return offer
    arrived_ms = next(
        (each.at_ms for each in old.history if each.code in _ARRIVED and each.at_ms >= offer.made_ms), 0
    )
    return replace(offer, status=old.status, overdue=old.overdue, arrived_ms=arrived_ms)


def _requirements(old: Request1) -> tuple[Requirement, ...]:
    """Why it was on hold stood in its history only: each reason since it came there, for none was met."""
    held = takewhile(lambda step: step.state is RequestState.ON_HOLD, reversed(old.history))
    codes = [step.code if step.code in set(Requirement) else Requirement.AUTHORIZATION for step in held]
    return tuple(dict.fromkeys(map(Requirement, reversed(codes))))


_ARRIVED = frozenset({TrackingStatus.AT_PICKUP, TrackingStatus.ON_BOARD})
OLDER: Mapping[str, Callable[[bytes | memoryview], Any]] = {"request": request_of_old}
