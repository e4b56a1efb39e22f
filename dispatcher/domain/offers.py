"""One offer of a request: what is stored of it, and the only ways to change it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState, Requirement, TrackingStatus
from contracts.counters import CounterState
from contracts.matches import CostTerm, RunnerUp
from contracts.offer_modes import OfferMode
from dispatcher.domain.booking import Booking
from dispatcher.domain.compact import Compact
from dispatcher.domain.prices import Dispute, Line, OfferRates, Wait, ended
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import LIVE_OFFERS, OFFER_STATES

WITHDRAWN = "withdrawn"  # the code of an offer that was taken back unanswered to move its request
AMENDED = "amended"  # of one that was taken back unanswered because its request changed
TAKEN = "taken"  # of one whose request another vendor has
NO_CAPACITY = "no_capacity"  # of one of a broadcast that its vendor took, and had no room for any more
AMENDMENT = "amendment_"  # how codes begin that say what became of an amendment of a dispatch
NOT_AGREED = frozenset({f"{AMENDMENT}refused", f"{AMENDMENT}expired"})
UNAUTHORIZED = (  # a hint
    "Maybe do not begin: no payer has agreed to it (any more); once one has, it is offered anew."
)
DECLINED = frozenset({OfferState.REJECTED, OfferState.EXPIRED, OfferState.TURNED_BACK})


class Terms(Compact, frozen=True):
    """A counter-offer, beside what was offered when it was made. `level` "": as asked for."""

    number: int
    state: CounterState
    start_ms: int
    price_cents: int
    level: str
    made_ms: int
    offered_start_ms: int
    offered_cents: int
    outside_ms: int  # the window that stood then


class OfferRecord(Compact, frozen=True):
    """One offer. Its id is `<request id>.<attempt>`; the same id names the dispatch.

    A booking stands in `bookings` exactly as long as it is taken in the ledger: who unbooks it empties them.
    One that has `wants` instead has taken nothing.
    What its vendor reported stands here: another vendor's work on the same request has its own.
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
    status: TrackingStatus | None = None  # what its vendor reported last
    arrived_ms: int = 0  # when its vendor first said that it is at the door
    overdue: int = 0  # how often its report was missed
    chosen_by: str = ""  # who chose this vendor by hand; "": the matcher
    agreed: int = 0  # how often its vendor agreed to another start
    mode: str = ""  # the `OfferMode` that it was made in; "": as its vendor has agreed to answer
    wants: tuple[Booking, ...] = ()  # of a broadcast, while it is out: what is booked once it is accepted
    willing_ms: int = 0  # of a broadcast that collects: when its vendor said yes
    counter: Terms | None = None  # what its vendor would do instead
    level: str = ""  # of the vehicle that comes, where another was agreed than was asked for
    price_lines: tuple[Line, ...] = ()  # they add up to the price; none: from before there were lines
    rates: OfferRates | None = None  # of what might happen after, as the rate card was
    waits: tuple[Wait, ...] = ()  # its vendor's, at the door
    disputes: tuple[Dispute, ...] = ()  # of its lines
    proved: int = 0  # what there is of its proof (`proof_required.Proved`)
    lacking: str = ""  # of the proof that its market wants, once it is completed; by comma

    @property
    def live(self) -> bool:
        """Whether its vendor still has to answer or to work."""
        return self.state in LIVE_OFFERS

    @property
    def unanswered(self) -> bool:
        """Whether its vendor still has to answer."""
        return self.state is OfferState.REQUESTED

    @property
    def told_state(self) -> str:
        """Its state, and why, in words for who asks for what it is too late for."""
        return f"{self.state} ({self.code})" if self.code else self.state.value

    @property
    def broadcast(self) -> bool:
        """Whether others were asked at the same time, and nothing was booked for it meanwhile."""
        return self.mode == OfferMode.BROADCAST

    @property
    def is_countered(self) -> bool:
        """Whether its vendor would do it otherwise, and nobody has said yet whether it is to."""
        return self.unanswered and self.counter is not None and self.counter.state is CounterState.PENDING

    @property
    def is_done(self) -> bool:
        """Whether the work was done, and not in vain: its passenger came along."""
        return self.state is OfferState.COMPLETED and self.status is TrackingStatus.COMPLETED

    @property
    def withdrawn(self) -> bool:
        """Whether it was taken back unanswered, because its request was moved to another place."""
        return self.state is OfferState.CANCELLED and self.code == WITHDRAWN

    @property
    def lost(self) -> bool:
        """Whether it was one of a broadcast that another vendor took, or for which there was no room left."""
        return self.broadcast and self.state is OfferState.CANCELLED and self.code in (TAKEN, NO_CAPACITY)

    @property
    def counts(self) -> bool:
        """Whether it is an attempt of its request, alone or with its broadcast: not taken back unanswered."""
        return self.state is not OfferState.CANCELLED or self.code not in (WITHDRAWN, AMENDED)

    @property
    def is_unauthorized(self) -> bool:
        """Whether it was closed when its vendor took it: what it was to draw on was not there."""
        return self.state is OfferState.CANCELLED and self.code.startswith(Requirement.AUTHORIZATION.value)

    @property
    def declined(self) -> bool:
        """Whether its vendor does not do the work as it is asked."""
        not_agreed = self.state is OfferState.CANCELLED and self.code in NOT_AGREED
        return self.state in DECLINED or not_agreed


def close(offer: OfferRecord, state: OfferState, now_ms: int, code: str = "") -> OfferRecord:
    """The offer in a state in which its vendor no longer works on it, its capacity given back.

    What explained the choice goes too: the `matches` stream has it, and the record stays small.
    """
    had_it = offer.state is OfferState.ACCEPTED
    price = ended(offer, state, now_ms, let_go=code in NOT_AGREED) if had_it else {}
    kept_no_more: dict[str, Any] = {"bookings": (), "wants": (), "terms": (), "runners_up": ()}
    return _in_state(offer, state, closed_ms=now_ms, code=code, **kept_no_more, **price)


def fulfil(
    offer: OfferRecord, state: OfferState, now_ms: int, code: str, status: TrackingStatus
) -> OfferRecord:
    """The offer after its work: what it took of the day stays taken."""
    price = ended(offer, state, now_ms, status)
    return _in_state(offer, state, closed_ms=now_ms, code=code, status=status, **price)


def take_on(offer: OfferRecord, reference: str) -> OfferRecord:
    """The offer as a dispatch: its vendor has the work, and what that takes."""
    return _in_state(
        offer,
        OfferState.ACCEPTED,
        reference=reference or offer.reference,
        bookings=offer.bookings or offer.wants,
        wants=(),
    )


def attempts(offers: Iterable[OfferRecord]) -> int:
    """How often its request was offered. A broadcast is one, to however many, and whatever came of each."""
    counted = [each for each in offers if each.counts]
    together = {each.made_ms for each in counted if each.broadcast}  # all of one are made in one commit
    return sum(not each.broadcast for each in counted) + len(together)


def bookings_of(offers: Iterable[OfferRecord]) -> tuple[Booking, ...]:
    """All that these offers take of capacity."""
    return tuple(booking for offer in offers for booking in offer.bookings)


def _in_state(offer: OfferRecord, state: OfferState, **changes: Any) -> OfferRecord:
    if state not in OFFER_STATES[offer.state]:
        raise WrongState(f"an offer that is {offer.state} cannot be {state}", state=offer.state.value)
    return replace(offer, state=state, **changes)
