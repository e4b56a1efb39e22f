"""Whether will-calls are called once, and no way back is made alone, as it is stored."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.codes import TrackingStatus
from dispatcher.domain.legs import NOT_MADE, OUTBOUND
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.store.survey import Survey, of_kind


def will_calls(found: Survey) -> Iterator[tuple[str, str]]:
    """One that nobody has called has no time yet."""
    for each in of_kind(found, REQUEST_KIND.name, RequestRecord):
        if each.waits_for_call and each.activated_ms:
            yield each.id, "was called, and waits for its call"


def made_alone(found: Survey) -> Iterator[tuple[str, str]]:
    """Where a leg there was not made, its way back was given up or held, unless a person let it go."""
    records = found.of_kind(REQUEST_KIND, RequestRecord)
    for back in records.values():
        there = records.get(back.return_of)
        if there is None or there.state not in NOT_MADE or back.state in TERMINAL:
            continue
        waits = any(link.request_id == there.id for link in back.after)
        on_board = any(each.status is TrackingStatus.ON_BOARD for each in back.live_offers)
        followed = any(step.code.startswith(OUTBOUND) for step in back.history)
        if waits and not on_board and not followed:
            yield back.id, f"is {back.state.value}, and its leg there, {there.id}, is {there.state.value}"
