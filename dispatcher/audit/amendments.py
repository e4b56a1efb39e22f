"""Amendments that wait: for the vendor of a dispatch, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.survey import Survey, of_kind


def without_end(found: Survey) -> Iterator[tuple[str, str]]:
    """An amendment that waits, waits for the vendor of a dispatch, and not for ever; none lost its bodies."""
    for each in of_kind(found, REQUEST_KIND.name, RequestRecord):
        for number, amendment in enumerate(each.amendments, start=1):
            has_both = bool(amendment.before and amendment.proposed)
            if not amendment.retimes and amendment.pending != has_both:
                yield each.id, f"amendment {number} is {amendment.outcome.value} without its bodies"
        pending = each.pending
        if pending is None:
            continue
        if pending.attempt not in {offer.attempt for offer in each.live_offers if not offer.unanswered}:
            yield each.id, f"amendment {len(each.amendments)} waits for a vendor that has not the work"
        if each.timer_ms > pending.expires_ms:
            yield each.id, f"amendment {len(each.amendments)} has no timer"
        if any(one.pending for one in each.amendments[:-1]):
            yield each.id, "has several amendments that wait"
