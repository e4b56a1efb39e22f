"""The life of a request and of an offer, each one table. Code, docs and tests read these tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from contracts.codes import OfferState, RequestState

R = RequestState
O = OfferState  # noqa: E741  (the table reads better with one letter a state family)


class Stage(NamedTuple):
    """One request state: where it may go, who owns the work meanwhile, what its timer waits for."""

    next: frozenset[RequestState]
    owner: str
    timer: str

    @property
    def terminal(self) -> bool:
        """Whether the request's work has ended."""
        return not self.next


def _stage(*following: RequestState, owner: str, timer: str) -> Stage:
    return Stage(frozenset(following), owner, timer)


REQUEST_STATES: Mapping[RequestState, Stage] = {
    R.RECEIVED: _stage(
        R.MATCHING, R.OFFERED, R.ON_HOLD, R.CANCELLED, R.UNMATCHED, owner="service", timer="match_by"
    ),
    R.ON_HOLD: _stage(R.RECEIVED, R.CANCELLED, R.UNMATCHED, owner="case_manager", timer="match_by"),
    R.MATCHING: _stage(R.OFFERED, R.ON_HOLD, R.CANCELLED, R.UNMATCHED, owner="service", timer="match_by"),
    R.OFFERED: _stage(R.ACCEPTED, R.MATCHING, R.CANCELLED, owner="vendor", timer="offer_expires"),
    R.ACCEPTED: _stage(
        R.IN_PROGRESS,
        R.COMPLETED,
        R.NO_SHOW,
        R.MATCHING,
        R.CANCELLED,
        R.FAILED,
        owner="vendor",
        timer="overdue",
    ),
    R.IN_PROGRESS: _stage(
        R.COMPLETED, R.NO_SHOW, R.MATCHING, R.CANCELLED, R.FAILED, owner="vendor", timer="overdue"
    ),
    R.COMPLETED: _stage(owner="none", timer="forget"),
    R.NO_SHOW: _stage(owner="care_coordinator", timer="forget"),
    R.CANCELLED: _stage(owner="none", timer="forget"),
    R.FAILED: _stage(owner="care_coordinator", timer="forget"),
    R.UNMATCHED: _stage(owner="care_coordinator", timer="forget"),
}

OFFER_STATES: Mapping[OfferState, frozenset[OfferState]] = {
    O.REQUESTED: frozenset({O.ACCEPTED, O.REJECTED, O.EXPIRED, O.CANCELLED}),
    O.ACCEPTED: frozenset({O.COMPLETED, O.CANCELLED, O.TURNED_BACK, O.FAILED}),
    O.REJECTED: frozenset(),
    O.EXPIRED: frozenset(),
    O.CANCELLED: frozenset(),
    O.COMPLETED: frozenset(),
    O.TURNED_BACK: frozenset(),
    O.FAILED: frozenset(),
}

ENTRY = frozenset({R.RECEIVED, R.ON_HOLD})  # how a request may come in
OPEN = frozenset({R.RECEIVED, R.MATCHING})  # waiting for a vendor
LIVE_OFFERS = frozenset({O.REQUESTED, O.ACCEPTED})  # the vendor still has to answer or to work
SHOWS_PATIENT = frozenset({O.ACCEPTED, O.COMPLETED, O.FAILED})  # the vendor has the work or has done it
TERMINAL = frozenset(state for state, stage in REQUEST_STATES.items() if stage.terminal)


def may_go(before: RequestState, after: RequestState) -> bool:
    """Whether the table has this step."""
    return after in REQUEST_STATES[before].next


def may_stay_or_go(before: RequestState, after: RequestState) -> bool:
    """Whether a commit may leave the request in `after`: a step of the table, or news without a step."""
    return after in REQUEST_STATES[before].next or (before is after and before not in TERMINAL)
