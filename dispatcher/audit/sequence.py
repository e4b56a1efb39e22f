"""Whether work in sequence stays in sequence (P10), as it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dispatcher.domain.links import Link, bounds_of, has_begun, links_to, place_of
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.store.survey import Survey

Records = Mapping[str, RequestRecord]


def out_of_sequence(found: Survey) -> Iterator[tuple[str, str]]:
    """Two that follow each other both say so; what stands out of sequence says so, too: it has a task."""
    records = found.of_kind(REQUEST_KIND, RequestRecord)
    hidden = found.damaged.get(REQUEST_KIND.name, set())
    for record in records.values():
        if record.state in TERMINAL:
            continue
        for link in (each for each in record.after if each.waits and each.request_id not in hidden):
            yield from _odd_link(record, link, records.get(link.request_id))
        for name in record.before:
            other = records.get(name)
            if other is not None and other.state not in TERMINAL and not links_to(other, record.id):
                yield record.id, f"names {name} as what goes after it, which does not say so"


def _odd_link(record: RequestRecord, link: Link, before: RequestRecord | None) -> Iterator[tuple[str, str]]:
    name = link.request_id
    if before is None:
        yield record.id, f"waits for {name}, which is not there"
        return
    if before.state in TERMINAL:
        yield record.id, f"waits for {name}, which is {before.state.value}"
        return
    if record.id not in before.before:
        yield record.id, f"goes after {name}, which does not say so"
    place = None if any(each.overdue for each in before.live_offers) else place_of(before, {})
    if place is None or record.risk or has_begun(record):
        return
    for offer in record.live_offers:
        if not bounds_of(link, place).hold(offer.start_ms):
            yield record.id, f"starts out of sequence with {name}, and nobody knows"
