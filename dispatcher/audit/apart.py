"""Whether no patient is on two rides at once, as it is stored: by their index, whatever the rides say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from dispatcher.domain.apart import MOST
from dispatcher.domain.commands.release import RELEASED
from dispatcher.domain.patients import PATIENT_KIND, PatientRecord
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.risks import UNDER_WAY
from dispatcher.domain.states import TERMINAL
from dispatcher.store.survey import Survey, of_kind

Records = Mapping[str, RequestRecord]


def on_two_rides(found: Survey) -> Iterator[tuple[str, str]]:
    """Of two that might meet each names the other; no two accepted rides of a patient are at one time."""
    records = found.of_kind(REQUEST_KIND, RequestRecord)
    yield from _half_told(records)
    told = set[tuple[str, str]]()  # under each key of the ring there is an index
    for card in of_kind(found, PATIENT_KIND.name, PatientRecord):
        filed = [records[each.request_id] for each in card.requests if each.request_id in records]
        rides = [each for each in filed if each.kind == "trip" and each.state in UNDER_WAY]
        for one, other in combinations(sorted(rides, key=lambda each: each.id), 2):
            if (one.id, other.id) not in told and _meet(one, other) and not _meant(one, other):
                told.add((one.id, other.id))
                yield other.id, f"is at the same time as {one.id}, of the same patient"


def _half_told(records: Records) -> Iterator[tuple[str, str]]:
    for record in records.values():
        for name in record.apart:
            other = records.get(name)
            both = other is not None and not {record.state, other.state} & TERMINAL
            if both and other is not None and record.id not in other.apart:
                yield record.id, f"is kept apart from {name}, which does not say so"


def _meet(one: RequestRecord, other: RequestRecord) -> bool:
    """As they were agreed: who is late is another matter."""
    first, second = one.dispatch, other.dispatch
    if first is None or second is None:
        return False
    return first.start_ms < second.end_ms and second.start_ms < first.end_ms


def _meant(one: RequestRecord, other: RequestRecord) -> bool:
    """Whether it is known why: a sequence of their own, a person's word, more than are kept apart."""
    for this, that in ((one, other), (other, one)):
        if len(this.apart) >= MOST or any(link.request_id == that.id for link in this.after):
            return True
        if any(step.code == RELEASED for step in this.history):
            return True
        if any("patient" in each.fields for each in this.amendments):
            return True
    return False
