"""Our states as FHIR's: one table for requests, one for offers; the page and the tests read them.

`requested`, `received`, `rejected` in FHIR's sense: action is sought; somebody has it and considers; who
considered it (the service, for all vendors) will not do it. `revoked`: nothing more will be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from contracts.codes import OfferState, RequestState

R, O = RequestState, OfferState  # noqa: E741  (as in the table of states)


class Row(NamedTuple):
    """A request's state as `Task.status`, and as the status of ServiceRequest and DeviceRequest."""

    task: str
    request: str


REQUESTS: Mapping[RequestState, Row] = {
    R.RECEIVED: Row("requested", "active"),
    R.ON_HOLD: Row("on-hold", "on-hold"),
    R.MATCHING: Row("requested", "active"),
    R.OFFERED: Row("received", "active"),
    R.ACCEPTED: Row("accepted", "active"),
    R.IN_PROGRESS: Row("in-progress", "active"),
    R.COMPLETED: Row("completed", "completed"),
    R.NO_SHOW: Row("failed", "revoked"),
    R.CANCELLED: Row("cancelled", "revoked"),
    R.FAILED: Row("failed", "revoked"),
    R.UNMATCHED: Row("rejected", "revoked"),
}
OFFERS: Mapping[OfferState, str] = {
    O.REQUESTED: "received",
    O.ACCEPTED: "accepted",
    O.REJECTED: "rejected",
    O.EXPIRED: "rejected",
    O.CANCELLED: "cancelled",
    O.COMPLETED: "completed",
    O.TURNED_BACK: "failed",
    O.FAILED: "failed",
}
TASK_STATUSES = (  # those that FHIR has
    "draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold",
    "failed", "completed", "entered-in-error",
)  # fmt: skip


def states_of(status: str) -> frozenset[RequestState]:
    """The states of requests whose Task has this status."""
    return frozenset(state for state, row in REQUESTS.items() if row.task == status)
