"""What earlier versions of the service stored, read as what it is now; `docs/upgrading.md` says since when.

A record's first element is its format number. Format 1 of requests had none: its first element is the id.
Vendors, postings and tuning have it in one byte before their content, 0x40 + number, which no content begins
with; their format 1 has none. A body has it in the first bits of its length (`dispatcher.store.bodies`).

Whoever changes what is stored gives it the next number here (or as its record's tag) and a reader for the one
before. `known` is also told in the store itself, so that a version that does not know a number says so at its
start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

import msgspec
from msgspec.structs import replace

from contracts.capacity import Capacity
from contracts.codes import RequestState, Requirement, TrackingStatus
from contracts.tuning import Tuning
from contracts.tuning_canary import CanaryHeld
from contracts.tuning_parameters import Effects, Measuring
from contracts.tuning_profiles import Profiles, ProfileStanding
from contracts.tuning_sets import SavedSets
from contracts.tuning_shadow import ShadowFound, ShadowHeld
from contracts.unmatched import Unmatched
from contracts.vendors import Vendor
from dispatcher.domain.compact import Compact
from dispatcher.domain.kinds import kinds
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, Transition
from dispatcher.domain.states import WORKED_ON

DOCUMENTS: Mapping[type, tuple[str, int]] = {
    Vendor: ("vendor", 3),
    Capacity: ("posting", 2),
    Tuning: ("tuning", 3),
    SavedSets: ("tuning-sets", 1),
    Profiles: ("tuning-profiles", 1),
    ProfileStanding: ("tuning-standing", 1),
    CanaryHeld: ("tuning-canary", 1),
    Effects: ("tuning-effects", 1),
    Measuring: ("tuning-measuring", 1),
    ShadowHeld: ("tuning-shadow", 1),
    ShadowFound: ("tuning-shadow-found", 1),
}
BODY, LAYOUT = 2, 1  # of bodies; of all that has no number of its own: ledgers, lists, messages, counts
COMPRESSION = 2  # of any document: by which dictionary (`dispatcher.store.compression`)
_FIRST, _LAST = 0x40, 0x7F  # of the byte that tells a document's format
_WAITING = b"wait_half_hour_cents"
_FIRST_TEXT, _LAST_TEXT, _LONG_TEXT = 0xA0, 0xBF, 0xD9  # how MessagePack begins a short text


class NewerFormat(ValueError):
    """It was stored by a version of the service that is newer than this one."""

    def __init__(self, number: int, known: int) -> None:
        super().__init__(told(number, known))
        self.number = number


def told(number: int, known: int) -> str:
    """That a format is not known, in words."""
    return f"is of format {number}, this version of the service knows {known or 'none'}"


def known() -> dict[str, int]:
    """The newest format of everything that this version reads and writes."""
    tags = {kind.name: kind.form.__struct_config__.tag for kind in kinds()}
    records = {name: tag if isinstance(tag, int) else 1 for name, tag in tags.items()}
    return records | dict(DOCUMENTS.values()) | {"body": BODY, "layout": LAYOUT, "compression": COMPRESSION}


def before_content(form: type) -> bytes:
    """What stands before a document's content: its format, if it has none within."""
    return bytes([_FIRST + DOCUMENTS[form][1]]) if form in DOCUMENTS else b""


def content_of(stored: memoryview, form: type) -> memoryview:
    """A document's content, without its format. Raises NewerFormat."""
    if not stored or not _FIRST < stored[0] <= _LAST:
        return stored
    number, most = stored[0] - _FIRST, DOCUMENTS.get(form, ("", 1))[1]
    if number > most:
        raise NewerFormat(number, most)
    return stored[1:]


def refuse_newer_record(content: bytes | memoryview, form: type[msgspec.Struct]) -> None:
    """Raises NewerFormat if that is why a record could not be decoded."""
    tag = form.__struct_config__.tag
    try:
        first = msgspec.msgpack.decode(content)[0]
    except (msgspec.MsgspecError, LookupError, TypeError):
        return
    if isinstance(tag, int) and isinstance(first, int) and first > tag:
        raise NewerFormat(first, tag)


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


_request_1, _request = msgspec.msgpack.Decoder(Request1), msgspec.msgpack.Decoder(RequestRecord)
_SECOND, _FOURTH = 2, 4


def request_of_old(content: bytes | memoryview) -> RequestRecord | None:
    """A request of format 1 to 3; None if it is none. 2 has no sequence, 3 no lines of a price."""
    header = 1 if content[:1] and content[0] & 0xF0 == 0x90 else 3  # bytes of the array's own
    first = content[header] if len(content) > header else 0
    if _SECOND <= first < _FOURTH:
        return _request.decode(bytes(content[:header]) + bytes([_FOURTH]) + bytes(content[header + 1 :]))
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
