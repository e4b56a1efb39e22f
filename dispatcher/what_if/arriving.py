"""Requests that come to a played day, in the sequence and the bundle that they stand in on it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from msgspec.structs import replace

from contracts.episodes import Bundle
from contracts.requests import Request
from dispatcher.domain.apart import kept_apart, linked, near
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.episodes import EPISODE_KIND, Episode
from dispatcher.domain.joining import joined, known_before, refuse_out_of_time
from dispatcher.domain.links import Link
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord
from dispatcher.what_if.care import Care, Together, links_of

Records = Mapping[str, RequestRecord]
Others = MutableMapping[tuple[str, str], Record]


def stands_with_others(request: Request, care: Care) -> bool:
    """Whether anything beside it matters to it as it comes."""
    in_bundle = any(request.id in each.requests for each in care.bundles)
    return bool(links_of(request)) or in_bundle or request.id in care.apart


def arrived(
    new: Mapping[str, Decision], known: Records, others: Others, care: Care, context: Context
) -> list[Decision]:
    """The receipts with all that follows. A link that could not be kept any more is left out.

    The service would refuse that request; it came to the day all the same.
    """
    records = {**known, **{name: each.after for name, each in new.items()}}
    placed = dict[str, Decision]()
    for name, decision in new.items():
        record = decision.after
        after = tuple(link for link in record.after if _holds(record, link, records))
        bundle = care.bundle_of(name, context.now_ms)
        record = replace(record, after=after, **_bundled(bundle))
        placed[name] = replace(decision, changes=(Change(None, record), *decision.changes[1:]))
        if bundle is not None:
            others.setdefault((EPISODE_KIND.name, bundle.name), _episode(bundle, context))
    named = {link.request_id for each in placed.values() for link in each.after.after}
    stored = {name: known[name] for name in sorted(named - new.keys()) if name in known}
    try:
        decided = joined(list(placed.values()), stored, context)
    except Invalid:  # more go after one than may: they come by themselves
        alone = [_alone(each) for each in placed.values()]
        decided = joined(alone, {}, context)
    return kept_apart(decided, _pairs(decided, known, care), context)


def _alone(decision: Decision) -> Decision:
    return replace(decision, changes=(Change(None, replace(decision.after, after=())), *decision.changes[1:]))


def _holds(record: RequestRecord, link: Link, records: Records) -> bool:
    if link.request_id not in records:
        return False
    try:
        refuse_out_of_time(record, link, known_before(record.id, link, records))
    except Invalid:
        return False
    return True


def _bundled(bundle: Together | None) -> dict[str, object]:
    return {} if bundle is None else {"episode": bundle.name, "bundle_until_ms": bundle.until_ms}


def _episode(bundle: Together, context: Context) -> Episode:
    return Episode(
        bundle.name,
        1,
        context.now_ms,
        0,
        requests=bundle.requests,
        bundle=Bundle.ALL_OR_NONE,
        decide_by_ms=bundle.until_ms,
    )


def _pairs(decided: list[Decision], known: Records, care: Care) -> list[tuple[RequestRecord, RequestRecord]]:
    """Rides of one patient that might meet, of which one comes now."""
    now: dict[str, RequestRecord] = {
        each.record.id: each.after
        for one in decided
        for each in one.changes
        if isinstance(each.after, RequestRecord)
    }
    new = [each.after.id for each in decided if each.changes[0].before is None]
    records = {**known, **now}
    found = [
        (now[name], records[other])
        for name in new
        for other in care.apart.get(name, ())
        if other in records and (other not in new or name < other)
    ]
    return [(one, other) for one, other in found if near(one, other) and not linked(one, other)]
