"""What follows from an amendment that is made for the index of its patient: filed as it is now.

And kept apart from those rides of the patient that it might meet now (`apart`).

Each index is written, even as it was: of two that are amended to one time at the same moment one is stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from dispatcher.domain.amendments import Filing
from dispatcher.domain.apart import anew, nearest
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.patients import Filed, PatientRecord, refiled
from dispatcher.domain.requests import RequestRecord


def of_patient(filing: Filing, related: Mapping[str, Any]) -> list[RequestRecord]:
    """What the patient has under whom it is to be filed, as far as that was read."""
    cards = [related[each] for each in filing.new if isinstance(related.get(each), PatientRecord)]
    names = dict.fromkeys(each.request_id for card in cards for each in card.requests)
    return [each for name in names if isinstance(each := related.get(name), RequestRecord)]


def with_refiled(decision: Decision, context: Context) -> Decision:
    """The patient's index in the same commit; as it is where nothing of that is amended."""
    for change in decision.changes:
        after = change.after
        if isinstance(after, RequestRecord) and after.amendments:
            last = after.amendments[-1]
            if last.made and last.filing is not None:
                decision = _filed(decision, change, after, last.filing, context)
    return decision


def _filed(
    decision: Decision, change: Change, after: RequestRecord, filing: Filing, context: Context
) -> Decision:
    last = replace(after.amendments[-1], filing=None)
    filed = replace(after, amendments=(*after.amendments[:-1], last))
    done = Change(change.before, filed)
    changes = [done if each is change else each for each in decision.changes]
    meets = [each.id for each in nearest(filed, of_patient(filing, context.related))]
    one = Filed(after.id, filing.rented, filing.bought)
    for token in filing.tokens:
        found = context.related.get(token)
        known = found if isinstance(found, PatientRecord) else None
        entry = one if token in filing.new else None
        if known is not None or entry is not None:
            changes.append(refiled(known, token, after, entry, context))
    return anew(replace(decision, changes=tuple(changes)), filed, meets, context)
