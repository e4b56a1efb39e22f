"""Whether two requests of one patient may be one that was asked for twice: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from contracts.codes import RequestState
from contracts.instants import DAY_MS, MINUTE_MS
from contracts.tuning import Number, Parameter
from dispatcher.domain.apart import linked
from dispatcher.domain.patients import Filed
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL

APART = Parameter(
    name="duplicate_minutes",
    default=30,
    minimum=0,
    maximum=1_440,
    unit="minutes",
    summary="Rides of one patient whose start windows are less than this apart may be one, asked for twice.",
    scope="domain.duplicates",
)
RENTAL = Parameter(
    name="rental_days",
    default=30,
    minimum=0,
    maximum=365,
    unit="days",
    summary="Equipment of one HCPCS code that a patient rents again within this may be asked for twice.",
    scope="domain.duplicates",
)
PARAMETERS = (APART, RENTAL)


class Asked(NamedTuple):
    """A request of the patient: what stands about it, and what it asks for."""

    record: RequestRecord
    filed: Filed


class Found(NamedTuple):
    """One that is asked for now, and one that it may be again."""

    asked: str
    other: str


def counts(record: RequestRecord) -> bool:
    """Whether it is to be served, or equipment that was delivered; what ended otherwise is asked anew."""
    done = record.state is RequestState.COMPLETED and record.kind != "trip"
    return record.state not in TERMINAL or done


def found(
    asked: Sequence[Asked],
    standing: Sequence[Asked],
    distinct: Mapping[str, Collection[str]],
    values: Mapping[str, Number],
) -> list[Found]:
    """What of `asked` may be one of `standing`, or of `asked` before it.

    `distinct`: which others each of them says that it is not.
    """
    twice = []
    for place, one in enumerate(asked):
        for other in (*standing, *asked[:place]):
            if not _told_apart(one.record.id, other.record.id, distinct) and alike(one, other, values):
                twice.append(Found(one.record.id, other.record.id))
    return twice


def alike(one: Asked, other: Asked, values: Mapping[str, Number]) -> bool:
    """Whether they are of one kind, at one time: nobody is on two rides at once, whichever way they go."""
    if (one.record.kind == "trip") is not (other.record.kind == "trip"):
        return False
    if one.record.standing_order and one.record.standing_order == other.record.standing_order:
        return False  # what comes again by order is meant
    if one.record.id == other.record.return_of or other.record.id == one.record.return_of:
        return False  # there and back
    if linked(one.record, other.record):
        return False  # who asks for both, one after the other, means both
    if one.record.waits_for_call is not other.record.waits_for_call:
        return False  # one of them has no time yet
    apart_ms = _apart_ms(one.record, other.record)
    if one.record.waits_for_call:
        return apart_ms < 0  # their windows are whole days: tomorrow's begins where today's ends
    if one.record.kind == "trip":
        return apart_ms <= 0 or apart_ms < APART.whole(values) * MINUTE_MS
    rented = set(one.filed.rented) & set(other.filed.rented)
    if rented and apart_ms < RENTAL.whole(values) * DAY_MS:
        return True
    codes = {*one.filed.rented, *one.filed.bought} & {*other.filed.rented, *other.filed.bought}
    return bool(codes) and apart_ms <= 0


def _apart_ms(one: RequestRecord, other: RequestRecord) -> int:
    """From the end of one window to the beginning of the other; 0 or less: they overlap."""
    return max(one.earliest_ms - other.latest_ms, other.earliest_ms - one.latest_ms)


def _told_apart(one: str, other: str, distinct: Mapping[str, Collection[str]]) -> bool:
    return other in distinct.get(one, ()) or one in distinct.get(other, ())
