"""The life of a request and of an offer, each one table. Code, docs and tests read these tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from contracts.codes import OfferState, RequestState, Requirement
from contracts.tasks import OwnerRole, TaskKind

R = RequestState
O = OfferState  # noqa: E741  (the table reads better with one letter a state family)


class StateRow(NamedTuple):
    """One request state: where it may go, who owns the work meanwhile, what its timer waits for."""

    next: frozenset[RequestState]
    owner: str
    timer: str
    task: TaskKind | None = None  # what it asks of a person when it is reached

    @property
    def terminal(self) -> bool:
        """Whether the request's work has ended."""
        return not self.next


def _row(*following: RequestState, owner: str, timer: str, task: TaskKind | None = None) -> StateRow:
    return StateRow(frozenset(following), owner, timer, task)


REQUEST_STATES: Mapping[RequestState, StateRow] = {
    R.RECEIVED: _row(
        R.MATCHING, R.OFFERED, R.ON_HOLD, R.CANCELLED, R.UNMATCHED, owner="service", timer="match_by"
    ),
    R.ON_HOLD: _row(R.RECEIVED, R.CANCELLED, R.UNMATCHED, owner="case_manager", timer="match_by"),
    R.MATCHING: _row(R.OFFERED, R.ON_HOLD, R.CANCELLED, R.UNMATCHED, owner="service", timer="match_by"),
    R.OFFERED: _row(
        R.ACCEPTED,
        R.MATCHING,
        R.ON_HOLD,
        R.CANCELLED,
        R.UNMATCHED,  # another of its bundle has failed
        owner="vendor",
        timer="offer_expires",
    ),
    R.ACCEPTED: _row(
        R.IN_PROGRESS,
        R.COMPLETED,
        R.NO_SHOW,
        R.MATCHING,
        R.ON_HOLD,  # turned back, and what goes before it will not be done
        R.CANCELLED,
        R.FAILED,
        R.UNMATCHED,  # another of its bundle has failed
        owner="vendor",
        timer="overdue",
    ),
    R.IN_PROGRESS: _row(
        R.COMPLETED,
        R.NO_SHOW,
        R.MATCHING,
        R.ON_HOLD,
        R.CANCELLED,
        R.FAILED,
        R.UNMATCHED,  # another of its bundle has failed, and nobody is at the door yet
        owner="vendor",
        timer="overdue",
    ),
    R.COMPLETED: _row(owner="none", timer="forget"),
    R.NO_SHOW: _row(owner="care_coordinator", timer="forget", task=TaskKind.NO_SHOW),
    R.CANCELLED: _row(owner="none", timer="forget"),
    R.FAILED: _row(owner="care_coordinator", timer="forget", task=TaskKind.FAILED),
    R.UNMATCHED: _row(owner="care_coordinator", timer="forget", task=TaskKind.UNMATCHED),
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

REQUIREMENT_OWNERS: Mapping[Requirement, OwnerRole] = {  # whose it is to provide what a request waits for
    Requirement.AUTHORIZATION: OwnerRole.CASE_MANAGER,
    Requirement.PREDECESSOR: OwnerRole.CARE_COORDINATOR,
    Requirement.ACTIVATION: OwnerRole.CARE_COORDINATOR,
}

REQUIREMENT_TASKS: Mapping[Requirement, TaskKind] = {  # what it asks of that owner meanwhile
    Requirement.AUTHORIZATION: TaskKind.AUTHORIZATION_MISSING,
    Requirement.PREDECESSOR: TaskKind.PREDECESSOR_MISSING,
}

ENTRY = frozenset({R.RECEIVED, R.ON_HOLD})  # how a request may come in
OPEN = frozenset({R.RECEIVED, R.MATCHING})  # waiting for a vendor
LIVE_OFFERS = frozenset({O.REQUESTED, O.ACCEPTED})  # the vendor still has to answer or to work
WORKED_ON = frozenset({O.ACCEPTED, O.COMPLETED, O.FAILED})  # the vendor has the work or has done it
SHOWS_PATIENT = WORKED_ON
TERMINAL = frozenset(state for state, row in REQUEST_STATES.items() if row.terminal)
ASKS_BARRIER = TERMINAL - {R.COMPLETED}  # somebody says why its service did not come


def may_stay_or_go(before: RequestState, after: RequestState) -> bool:
    """Whether a commit may leave the request in `after`: a step of the table, or news without a step."""
    return after in REQUEST_STATES[before].next or (before is after and before not in TERMINAL)
