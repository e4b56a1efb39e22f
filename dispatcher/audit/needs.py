"""What needs a person, read off the tables, and whether a task is about it (P11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from contracts.codes import RequestState, Requirement
from contracts.tasks import BY_ITSELF, TaskKind, TaskState
from dispatcher.domain.bundles import bundle_task, is_given_back
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import REQUEST_STATES, REQUIREMENT_TASKS
from dispatcher.domain.tasks import TaskRecord


class Need(NamedTuple):
    """Why a request needs a person; `about`: which of its dispatches, and after which report."""

    request_id: str
    kind: TaskKind
    about: tuple[str, str] = ("", "")
    any_code: bool = False  # what is lacking becomes less; its task says how it stood last

    def is_met_by(self, task: TaskRecord) -> bool:
        """Whether the task is about this."""
        if (task.request_id, task.kind) != (self.request_id, self.kind):
            return False
        code = self.about[1] if self.any_code else task.code
        return not self.about[0] or (task.offer_id, code) == self.about


def needs(record: RequestRecord) -> Iterator[Need]:
    """All of a request's, as it is now."""
    if (
        bundle_task(record.id) in record.tasks
    ):  # in place of that of its own end, and of all given back with it
        yield Need(record.id, TaskKind.BUNDLE_FAILED)
    elif (kind := REQUEST_STATES[record.state].task) is not None and not is_given_back(record):
        yield Need(record.id, kind)
    if record.has_nobody_left:
        yield Need(record.id, TaskKind.UNMATCHED)
    if record.waits_for_call and not record.call_by_ms:
        yield Need(record.id, TaskKind.WILL_CALL)
    if record.risk and record.state is not RequestState.ON_HOLD:  # there the predecessor is what is missing
        yield Need(record.id, TaskKind.SEQUENCE_AT_RISK)
    goes_by_itself = not record.risk and any(link.waits for link in record.after)
    for requirement in set(record.requirements) & set(REQUIREMENT_TASKS):
        if requirement is not Requirement.PREDECESSOR or not goes_by_itself:
            yield Need(record.id, REQUIREMENT_TASKS[requirement])
    yield from _of_its_offers(record)


def _of_its_offers(record: RequestRecord) -> Iterator[Need]:
    for offer in record.offers:
        name = offer_id(record, offer)
        if offer.live and offer.overdue:
            yield Need(record.id, TaskKind.OVERDUE, (name, str(offer.status or "")))
        if offer.lacking:
            yield Need(record.id, TaskKind.PROOF_MISSING, (name, ""), any_code=True)
        for said in offer.disputes:
            if said.open:
                yield Need(record.id, TaskKind.PRICE_DISPUTE, (name, said.kind.value))


def is_open(task: TaskRecord) -> bool:
    """Whether somebody still has to do it."""
    return task.state is not TaskState.DONE


def by_a_person(task: TaskRecord) -> bool:
    """Whether a person ended it: that the need is there still is known to them."""
    return task.outcome is not None and task.outcome not in BY_ITSELF
