"""New requests beside what goes before them: that is there and is told, and nothing goes in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NoReturn

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.instants import MINUTE_MS, to_instant
from dispatcher.domain.commands.table import with_follow_ups
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.links import Link, resolved
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord, noted
from dispatcher.domain.states import TERMINAL

MOST_BEFORE = 64  # requests that go after one; a record must not grow without end
Records = Mapping[str, RequestRecord]


def joined(decisions: Sequence[Decision], stored: Records, context: Context) -> list[Decision]:
    """The receipt of new requests with all that follows; `stored`: those that they name and that are there.

    Raises Invalid, with names, where one goes after a request that nobody knows or that has ended otherwise
    than completed, or that begins too late for it, where the new ones go after each other in a circle, or too
    many after one.
    """
    if not any(each.after.after for each in decisions):
        return [with_follow_ups(each, context) for each in decisions]
    new: dict[str, RequestRecord] = {each.after.id: each.after for each in decisions}
    known = {**stored, **new}
    for record in new.values():
        for link in record.after:
            refuse_out_of_time(record, link, known_before(record.id, link, known))
    refuse_circle({name: [link.request_id for link in each.after] for name, each in new.items()})
    new = _linked(new, known)
    told = [_with(each, new[each.after.id]) for each in decisions]
    told += [Decision(changes=(each,), at_ms=context.now_ms) for each in _told(new, stored, context)]
    related = replace(context, related={**stored, **new})
    return [with_follow_ups(each, related) for each in told]


def before_of(requests: Iterable[RequestRecord]) -> dict[str, list[str]]:
    """By request that has not ended, which of these go after it."""
    found = dict[str, list[str]]()
    for record in requests:
        for link in record.after:
            if link.waits:
                found.setdefault(link.request_id, []).append(record.id)
    return found


def with_before(record: RequestRecord, names: Sequence[str]) -> tuple[str, ...]:
    """Who goes after a request, with these. Raises Invalid where they are too many."""
    before = tuple(dict.fromkeys((*record.before, *names)))
    if len(before) > MOST_BEFORE:
        raise Invalid(
            f"{len(before)} requests would go after request {record.id}, at most {MOST_BEFORE} may\n"
            "Maybe let some of them go after one another.",
            request_ids=[record.id],
        )
    return before


def refuse_circle(after: Mapping[str, Sequence[str]]) -> None:
    """Raises Invalid where requests go after each other in a circle; `after`: by id, what goes before it."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        circle = error.args[1]
        raise Invalid(
            f"requests go after each other in a circle: {', '.join(circle)}\nMaybe leave one of them out.",
            request_ids=sorted(set(circle)),
        ) from None


def known_before(request_id: str, link: Link, known: Records) -> RequestRecord:
    """What is to go before a request. Raises Invalid where it is not there, or will never be done."""
    before = known.get(link.request_id)
    if before is None:
        _refuse(request_id, link.request_id, "is not there", "submit both in one call, or that one first")
    if before.state in TERMINAL and before.state is not RequestState.COMPLETED:
        advice = "leave it out, or name what is done in its place"
        _refuse(request_id, before.id, f"is {before.state}", advice)
    return before


def refuse_out_of_time(record: RequestRecord, link: Link, before: RequestRecord) -> None:
    """Raises Invalid where, whatever is planned, the later of two starts too soon: it would wait for ever."""
    if before.state in TERMINAL or before.earliest_ms + link.least_ms <= record.latest_ms:
        return
    lag = f", with {link.least_ms // MINUTE_MS} minutes between" if link.least_ms else ""
    raise Invalid(
        f"request {record.id} is to go after request {before.id}{lag}; it starts by "
        f"{to_instant(record.latest_ms).isoformat()}, and that one from "
        f"{to_instant(before.earliest_ms).isoformat()} on\n"
        "Maybe one of them has a wrong day, or they go the other way round.",
        request_ids=[record.id, before.id],
    )


def _refuse(named_by: str, name: str, reason: str, advice: str) -> NoReturn:
    raise Invalid(
        f"request {named_by} is to go after request {name}, which {reason}\nMaybe {advice}.",
        request_ids=[named_by, name],
    )


def _linked(new: Records, known: Records) -> dict[str, RequestRecord]:
    """The new ones, each with what goes before and after it."""
    links = {
        name: replace(each, after=tuple(resolved(link, known[link.request_id]) for link in each.after))
        for name, each in new.items()
    }
    before = before_of(links.values())
    return {
        name: replace(each, before=with_before(each, before.get(name, ()))) for name, each in links.items()
    }


def _told(new: Records, stored: Records, context: Context) -> list[Change]:
    """What is stored already, with those that go after it from now on."""
    before = before_of(new.values())
    return [
        Change(each, noted(each, context, before=with_before(each, before[name])))
        for name, each in stored.items()
        if name in before and name not in new
    ]


def _with(decision: Decision, after: RequestRecord) -> Decision:
    if decision.after is after:
        return decision
    return replace(decision, changes=(Change(None, after), *decision.changes[1:]))
