"""What is stored of a request: the record that changes, apart from its body and patient block."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.amendments import AmendmentOutcome
from contracts.codes import Priority, RequestState, Requirement, TrackingStatus
from contracts.instants import to_instant
from contracts.requests import Request
from contracts.unmatched import Asked, Unmatched
from dispatcher.domain.amendments import LOST, Amendment
from dispatcher.domain.barriers import Barrier
from dispatcher.domain.cascade import ChainLink
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.links import Link
from dispatcher.domain.needed import Needed
from dispatcher.domain.offers import DECLINED, OfferRecord
from dispatcher.domain.refusals import WrongState, no_such
from dispatcher.domain.states import OPEN, WORKED_ON, may_stay_or_go
from dispatcher.domain.timers import timer_ms

SAYS = LOST | {AmendmentOutcome.PENDING}  # what a person hears of asking a vendor for another start
HISTORY_LIMIT = 64  # the newest steps are kept; a record must not grow with every vendor that is asked


class Transition(Compact, frozen=True):
    """One step: to which state, when, by whom (`platform`, `matcher`, `vendor:<id>` …).

    `subject`: which of them, as their token says; two dispatchers have one role.
    """

    state: RequestState
    at_ms: int
    by: str = ""
    code: str = ""
    subject: str = ""


def step(state: RequestState, context: Context, code: str = "", *, at_ms: int | None = None) -> Transition:
    """A step of whoever acts; `at_ms`: when it happened, if not now."""
    happened_ms = context.now_ms if at_ms is None else at_ms
    return Transition(state, happened_ms, context.by, code, context.subject)


class RequestRecord(Record, frozen=True, tag=4):
    """A request with its offers, oldest first."""

    state: RequestState
    kind: str
    received_ms: int
    match_by_ms: int
    earliest_ms: int
    latest_ms: int
    timer_ms: int
    offers: tuple[OfferRecord, ...] = ()
    history: tuple[Transition, ...] = ()
    requirements: tuple[Requirement, ...] = ()  # what it waits for, on hold
    unmatched: Unmatched | None = None
    tasks: tuple[str, ...] = ()  # ids of tasks that it made necessary: they go when it goes
    service_class: str = ""  # what a unit has to serve, as its body says; "": taken in before this was kept
    priority: Priority = Priority.ROUTINE
    episode: str = ""
    after: tuple[Link, ...] = ()  # what goes before it
    before: tuple[str, ...] = ()  # ids of requests that go after it
    risk: str = ""  # why it is out of sequence, or may be; a person has a task about it
    watch_ms: int = 0  # when a dispatch is looked at whether all that goes before it stands; 0: no more
    amendments: tuple[Amendment, ...] = ()  # oldest first
    standing_order: str = ""  # by which it was made
    bundle_until_ms: int = 0  # until when its episode is all or none; 0: it is for itself
    call_by_ms: int = 0  # of a will-call: when a person is asked whether it will be called; 0: not any more
    activated_ms: int = 0  # when a will-call was called
    return_of: str = ""  # the leg there, of which it is the way back
    facility: str = ""  # whose patient it is, as its body says
    barrier: Barrier | None = None  # why it ended without its service
    authorization: Needed | None = None  # what it needs one for; None: it needs none
    retime_ms: int = 0  # when its vendor is to be asked for another start; 0: it is not
    retimed_ms: int = 0  # the bound on its start for which that was done last
    apart: tuple[str, ...] = ()  # rides of its patient that it might meet: they are not at once
    trace: bytes = b""  # the span that it came in, for all that becomes of it; b"": it is not traced
    callable_ms: tuple[int, ...] = ()  # of a will-call that was called: from when until when it may be
    chain: tuple[ChainLink, ...] = ()  # of a cascade: who is asked next while an offer is out, in order
    collect_ms: int = 0  # of a broadcast: until when yeses are only noted; 0: the first one has it
    area: str = ""  # the zone of its pick-up when it was offered last (`coarse_position.area_of`)
    payer: str = ""  # who pays, as its body says

    @property
    def waits_for_call(self) -> bool:
        """Whether it is a will-call that nobody has called yet."""
        return Requirement.ACTIVATION in self.requirements

    @property
    def live_offers(self) -> tuple[OfferRecord, ...]:
        """Those whose vendor still has to answer or to work."""
        return tuple(offer for offer in self.offers if offer.live)

    @property
    def dispatch(self) -> OfferRecord | None:
        """The offer whose vendor has the work, or has done it."""
        return next((offer for offer in reversed(self.offers) if offer.state in WORKED_ON), None)

    @property
    def status(self) -> TrackingStatus | None:
        """What the vendor that has the work reported last."""
        return self.dispatch.status if self.dispatch else None

    @property
    def declined_by(self) -> frozenset[str]:
        """Vendors that refused, let expire or turned back this request."""
        return frozenset(offer.vendor_id for offer in self.offers if offer.declined)

    @property
    def pending(self) -> Amendment | None:
        """The amendment that its vendor has not answered yet."""
        return self.amendments[-1] if self.amendments and self.amendments[-1].pending else None

    @property
    def retiming(self) -> str:
        """What became of asking the vendor that has the work for another start; "": nothing to tell."""
        asked = self.retimings
        return asked[-1].outcome.value if asked and asked[-1].outcome in SAYS else ""

    @property
    def retimings(self) -> tuple[Amendment, ...]:
        """Each time that the vendor that has the work was to be asked for another start."""
        attempt = self.dispatch.attempt if self.dispatch else 0
        return tuple(each for each in self.amendments if each.retimes and each.attempt == attempt)

    @property
    def revision(self) -> int:
        """How often its body was written anew: whoever keeps a body keeps this with it."""
        return sum(each.made for each in self.amendments)

    @property
    def changed_ms(self) -> int:
        """When it became other work; 0: never. What was refused before, was not this."""
        return max(
            (each.closed_ms for each in self.amendments if each.made and each.changes_terms), default=0
        )

    @property
    def has_nobody_left(self) -> bool:
        """Whether it waits for a vendor and there is none to ask: it is a person's, before its deadline."""
        return self.state in OPEN and self.unmatched is not None and self.unmatched.nobody_left

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Vendors that were asked and did not take it, each as it answered last, the latest last."""
        over = sorted(
            (each for each in self.offers if each.state in DECLINED), key=lambda each: each.closed_ms
        )
        last = {each.vendor_id: each for each in over}
        return tuple(
            Asked(vendor_id=each.vendor_id, state=each.state, at=to_instant(each.closed_ms), code=each.code)
            for each in over
            if last[each.vendor_id] is each
        )

    def is_with(self, vendor_id: str) -> bool:
        """Whether the vendor is asked for it, has the work, or has done it."""
        done = self.dispatch
        return any(
            each.vendor_id == vendor_id
            for each in (*self.live_offers, *((done,) if done is not None else ()))
        )

    @property
    def charged_to(self) -> str:
        """Whose caps its work counts against: who it says pays, else whose authorization it is under."""
        return self.payer or (self.authorization.payer if self.authorization is not None else "")

    def was_declined_by(self, vendor_id: str, since_ms: int) -> bool:
        """Whether the vendor did so since it, and the request, last changed: it is not offered that again."""
        since_ms = max(since_ms, self.changed_ms)
        return any(
            offer.vendor_id == vendor_id and offer.declined and offer.closed_ms >= since_ms
            for offer in self.offers
        )

    def accepted_by_silence(self, now_ms: int) -> OfferRecord | None:
        """The offer whose vendor's silence has accepted, whether or not the timer has fired."""
        silent = [
            each for each in self.offers if each.unanswered and each.assumed and each.expires_ms <= now_ms
        ]
        return min(silent, key=lambda offer: (offer.expires_ms, offer.attempt), default=None)

    def offers_with(self, *changed: OfferRecord) -> tuple[OfferRecord, ...]:
        """All offers, these in place of those they were."""
        by_attempt = {offer.attempt: offer for offer in changed}
        return tuple(by_attempt.get(offer.attempt, offer) for offer in self.offers)

    def offer_named(self, name: str, vendor_id: str = "") -> OfferRecord:
        """The offer of that id, of that vendor unless none is named.

        Raises NotFound for an unknown offer and for another vendor's, in the same words.
        """
        for offer in self.offers:
            if vendor_id in ("", offer.vendor_id) and offer_id(self, offer) == name:
                return offer
        raise no_such(f"offer {name}")


def offer_id(record: RequestRecord, offer: OfferRecord) -> str:
    """`<request id>.<attempt>`."""
    return f"{record.id}.{offer.attempt}"


def waited_ms(record: RequestRecord, now_ms: int, ahead_ms: int) -> int:
    """For how long it could have been offered: since it came in, was freed or lost its vendor last.

    `ahead_ms`: how far the matcher looks ahead; what starts later waits for the time, and for nobody.
    """
    since_ms = record.received_ms
    for step in reversed(record.history):
        if step.state not in OPEN:
            break
        since_ms = step.at_ms
    return max(0, now_ms - max(since_ms, record.earliest_ms - ahead_ms))


def priority_of(record: RequestRecord, request: Request) -> Priority:
    """How pressing a request is now: as it was submitted, or as it has become since."""
    own, asked = record.priority, request.priority
    return asked if own is asked or own.rank < asked.rank else own


def request_id_of(offer_id: str) -> str:
    """The request id inside an offer id."""
    return offer_id.rpartition(".")[0]


def moved(
    record: RequestRecord,
    state: RequestState,
    context: Context,
    code: str = "",
    *,
    at_ms: int | None = None,
    **changes: Any,
) -> RequestRecord:
    """The record one version on, in `state`, with the step in its history and the timer that follows from it.

    `at_ms`: when it happened, if not now. Raises WrongState when the table has no such step.
    """
    if not may_stay_or_go(record.state, state):
        raise WrongState(
            f"request {record.id} is {record.state}; it cannot go to {state}\n"
            "Maybe read the request again: its work has moved on.",
            state=record.state.value,
        )
    history = (*record.history, step(state, context, code, at_ms=at_ms))[-HISTORY_LIMIT:]
    return noted(record, context, state=state, history=history, **changes)


def with_task(record: RequestRecord, task_id: str) -> RequestRecord:
    """The record one version on, with a task about it; its timer stays as it is."""
    return replace(record, version=record.version + 1, tasks=(*record.tasks, task_id))


def noted(record: RequestRecord, context: Context, **changes: Any) -> RequestRecord:
    """The record one version on, with news that is no step; its timer follows all the same.

    What was planned of who is asked next goes with the state in which somebody is asked.
    """
    after = replace(record, version=record.version + 1, **changes)
    if after.state is not RequestState.OFFERED and (after.chain or after.collect_ms):
        after = replace(after, chain=(), collect_ms=0)
    return replace(after, timer_ms=timer_ms(after, context.now_ms, context.values))
