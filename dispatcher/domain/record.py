"""What is stored of a request: the record that changes, apart from its fixed body and patient block."""

from __future__ import annotations

import msgspec

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.matches import CostTerm, RunnerUp
from contracts.unmatched import Unmatched

DECLINED = frozenset({OfferState.REJECTED, OfferState.EXPIRED, OfferState.TURNED_BACK})


class Compact(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Stored as a MessagePack array: field names would cost more than the values."""


class Booking(Compact, frozen=True):
    """Units of one pool on one day: `count` ledger buckets from `first`, and one of the daily cap.

    `day` is ISO yyyy-mm-dd in the market's zone; buckets are LEDGER_BUCKET_MINUTES since local midnight.
    """

    vendor_id: str
    pool_id: str
    day: str
    first: int
    count: int
    units: int
    daily: int = 1  # what it takes of the daily cap: 1, or 0 for the tail of work that crosses midnight


class OfferRecord(Compact, frozen=True):
    """One offer of a request. Its id is `<request id>.<attempt>`; the same id names the dispatch.

    A booking stands in `holds` exactly as long as it is taken in the ledger: who releases it empties `holds`.
    """

    attempt: int
    vendor_id: str
    pool_id: str
    state: OfferState
    made_ms: int
    expires_ms: int
    start_ms: int
    end_ms: int
    price_cents: int
    assumed: bool
    bookings: tuple[Booking, ...]
    tuning_version: int = 0
    snapshot: str = ""
    terms: tuple[CostTerm, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    closed_ms: int = 0
    code: str = ""
    reference: str = ""
    distance_m: int = 0


class Step(Compact, frozen=True):
    """One transition: to which state, when, by whom (`platform`, `matcher`, `vendor:<id>` …)."""

    state: RequestState
    at_ms: int
    by: str = ""
    code: str = ""


class RequestRecord(Compact, frozen=True):
    """The aggregate. `version` counts commits; the store refuses a write whose predecessor is not current."""

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
    history: tuple[Step, ...] = ()
    status: TrackingStatus | None = None
    unmatched: Unmatched | None = None
    overdue: int = 0  # how often its overdue timer has fired

    @property
    def offer(self) -> OfferRecord | None:
        """The newest offer, if any was made."""
        return self.offers[-1] if self.offers else None

    @property
    def declined_by(self) -> frozenset[str]:
        """Vendors that refused, let expire or turned back this request."""
        return frozenset(offer.vendor_id for offer in self.offers if offer.state in DECLINED)

    def was_declined_by(self, vendor_id: str, since_ms: int) -> bool:
        """Whether the vendor did so since it last changed: then it is not offered the request again."""
        return any(
            offer.vendor_id == vendor_id and offer.state in DECLINED and offer.closed_ms >= since_ms
            for offer in self.offers
        )


def offer_id(record: RequestRecord, offer: OfferRecord) -> str:
    """`<request id>.<attempt>`."""
    return f"{record.id}.{offer.attempt}"


def request_id_of(offer_id: str) -> str:
    """The request id inside an offer id."""
    return offer_id.rpartition(".")[0]
