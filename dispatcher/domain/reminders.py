"""A report that is still missing is told again: of a bad day most timers, and nothing follows from them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from contracts.tasks import TaskKind
from contracts.tuning import Number
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import REQUEST_STATES
from dispatcher.domain.timers import OVERDUE_LIMIT


def only_reminds(record: RequestRecord, values: Mapping[str, Number]) -> bool:
    """Whether its timer tells that again, and no more: then nothing beside it is read."""
    dispatch = record.dispatch
    if dispatch is None or not 0 < dispatch.overdue < OVERDUE_LIMIT.whole(values):
        return False
    if record.pending or record.watch_ms or record.retime_ms or _is_linked(record):
        return False
    return REQUEST_STATES[record.state].timer == "overdue" and _has_task(record, dispatch)


def is_reminder(before: RequestRecord, after: RequestRecord) -> bool:
    """Whether that is all that a step did. Who hears of a missing report heard it the first time."""
    was, now = before.dispatch, after.dispatch
    if was is None or now is None or not 0 < was.overdue < now.overdue or _is_linked(after):
        return False
    same = {"version": before.version, "timer_ms": before.timer_ms, "offers": before.offers}
    is_all = replace(after, **same) == before and replace(now, overdue=was.overdue) == was
    return is_all and _has_task(after, now)


def _is_linked(record: RequestRecord) -> bool:
    """Its lateness is another request's, too."""
    return bool(record.after or record.before or record.apart)


def _has_task(record: RequestRecord, dispatch: OfferRecord) -> bool:
    """None where the first was missed before there were tasks."""
    task = f"{offer_id(record, dispatch)}.{TaskKind.OVERDUE.value}"
    return any(each.startswith(task) for each in record.tasks)
