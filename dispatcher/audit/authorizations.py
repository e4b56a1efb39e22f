"""Whether the balance of every authorization is what requests draw on it, as it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dispatcher.domain.amended_authorization import DRAWS
from dispatcher.domain.authorizations import AUTHORIZATION_KIND, AuthorizationRecord, amount, record_id
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.survey import Survey, of_kind


def out_of_balance(found: Survey) -> Iterator[tuple[str, str]]:
    """Used is what stands booked and completed, with what those drew that are forgotten; never too much.

    Each draws what it is now, however it was amended.
    """
    drawn, issued = Counter[str](), of_kind(found, AUTHORIZATION_KIND.name, AuthorizationRecord)
    known = {each.id: each for each in issued}
    hidden = found.damaged.get(AUTHORIZATION_KIND.name, set())
    for request in of_kind(found, REQUEST_KIND.name, RequestRecord):
        asked = request.authorization
        if asked is None:
            continue
        if asked.drawn and request.state not in DRAWS:
            yield request.id, f"is {request.state.value}, and draws on authorization {asked.authorization}"
        if request.state in DRAWS and not asked.drawn and not asked.waived:
            yield request.id, f"is {request.state.value}, draws on no authorization, and was not let go"
        drawn[record_id(asked.authorization)] += asked.drawn
        one = known.get(record_id(asked.authorization))
        if one is None and asked.drawn and record_id(asked.authorization) not in hidden:
            yield request.id, f"draws on authorization {asked.authorization}, which is not there"
        if one is not None and asked.drawn and asked.drawn != amount(one, asked):
            yield request.id, f"draws {asked.drawn} on authorization {one.name}, and is {amount(one, asked)}"
    is_whole = not found.damaged.get(REQUEST_KIND.name)
    for each in issued:
        if not 0 <= each.spent <= each.used <= each.granted:
            yield each.name, f"has {each.used} used ({each.spent} of it long ago) of {each.granted}"
        if is_whole and drawn[each.id] != each.used - each.spent:
            yield each.name, f"has {each.used - each.spent} in use, and requests draw {drawn[each.id]}"
