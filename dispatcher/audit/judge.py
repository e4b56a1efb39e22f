"""Whether what is stored keeps the promises: a pure judgement over a survey of one market.

Each rule is a function from the survey to findings; a finding names ids, states and figures, never a patient.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from contracts.codes import RequestState
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.states import TERMINAL, may_stay_or_go
from dispatcher.store.decisions import live_offers
from dispatcher.store.ledger import LedgerKey, excesses, unpack
from dispatcher.store.survey import Survey


class Finding(NamedTuple):
    """One promise that is broken: which rule, on what, how."""

    rule: str
    subject: str
    detail: str


def judge(found: Survey, acknowledged: Iterable[str] = ()) -> list[Finding]:
    """Everything that is wrong; `acknowledged`: request ids answered 202 and not yet forgotten."""
    findings = [Finding(rule, *each) for rule, check in RULES.items() for each in check(found)]
    return findings + [Finding("lost", *each) for each in _lost(found, acknowledged)]


def lasting(earlier: Iterable[Finding], later: Iterable[Finding]) -> list[Finding]:
    """Findings of both: what a market at work only seemed to break, between two reads, has gone."""
    before = {(finding.rule, finding.subject) for finding in earlier}
    return [finding for finding in later if (finding.rule, finding.subject) in before]


def _terminal(found: Survey) -> Iterator[tuple[str, str]]:
    """A request ends once, and nothing follows its end."""
    for each in _records(found):
        ends = [step.state.value for step in each.history if step.state in TERMINAL]
        if len(ends) > 1:
            yield each.id, f"has ended as {' and '.join(ends)}"
        elif bool(ends) != (each.state in TERMINAL):
            yield each.id, f"is {each.state.value}, its history says {ends or 'not ended'}"


def _steps(found: Survey) -> Iterator[tuple[str, str]]:
    """Every step of a history is one of the table, and the last leads to the state."""
    for each in _records(found):
        states = [step.state for step in each.history]
        for before, after in pairwise(states):
            if not may_stay_or_go(before, after):
                yield each.id, f"went from {before.value} to {after.value}"
        if states and states[-1] is not each.state:
            yield each.id, f"is {each.state.value}, its history ends with {states[-1].value}"


def _records_whole(found: Survey) -> Iterator[tuple[str, str]]:
    """Record, version and body belong together; nothing is left of what was forgotten."""
    for request_id in found.damaged:
        yield request_id, "its record cannot be decoded"
    for request_id, (version, record, _) in found.records.items():
        if (record.id, record.version) != (request_id, version):
            yield request_id, f"holds version {record.version} of {record.id} under version {version}"
        if request_id not in found.bodies:
            yield request_id, "has a record and no body"
    known = found.records.keys() | set(found.damaged)
    for request_id in found.bodies - known:
        yield request_id, "has a body and no record"


def _timers(found: Survey) -> Iterator[tuple[str, str]]:
    """Every request has the timer its record names."""
    for each in _records(found):
        due = found.timers.get(each.id)
        if due is None:
            yield each.id, f"is {each.state.value} and has no timer"
        elif due != each.timer_ms:
            yield each.id, f"its timer is at {due} ms, its record says {each.timer_ms} ms"
    for request_id in found.timers.keys() - found.records.keys() - set(found.damaged):
        yield request_id, "has a timer and no record"


def _index(found: Survey) -> Iterator[tuple[str, str]]:
    """Every request is listed under its state and no other."""
    listed: dict[str, set[str]] = {}
    for state, ids in found.index.items():
        for request_id in ids:
            listed.setdefault(request_id, set()).add(state)
    for request_id in (listed.keys() | found.records.keys()) - set(found.damaged):
        record = found.records.get(request_id)
        states = {record.value.state.value} if record else set()
        if listed.get(request_id, set()) != states:
            yield request_id, f"is {_list(states)} and listed under {_list(listed.get(request_id, ()))}"


def _offers(found: Survey) -> Iterator[tuple[str, str]]:
    """A vendor's list has its open offers and dispatches, and no other."""
    wanted = {(vendor, offer) for each in _records(found) for offer, (vendor, _) in live_offers(each).items()}
    listed = {(vendor, offer) for vendor, offers in found.offers.items() for offer in offers}
    for vendor, offer in wanted - listed:
        yield offer, f"is open and not in the list of {vendor}"
    for vendor, offer in listed - wanted:
        yield offer, f"is in the list of {vendor} and not open"


def _ledger(found: Survey) -> Iterator[tuple[str, str]]:
    """What is booked is what the offers hold. A ledger that changed meanwhile is left for the next look."""
    held = _held(found)
    for key in (held.keys() | found.used.keys()) - found.moving:
        booked, holds = Counter(dict(enumerate(unpack(found.used.get(key, b""))))), held.get(key, Counter())
        for cell in sorted(booked.keys() | holds.keys()):
            if booked[cell] != holds[cell]:
                yield f"{_name(key)} cell {cell}", f"{booked[cell]} booked, {holds[cell]} held by offers"


def _overbooked(found: Survey) -> Iterator[tuple[str, str]]:
    """No more is booked than is posted."""
    for key, used in found.used.items():
        for excess in excesses(found.limits.get(key, b""), used):
            where = "the day" if excess.bucket is None else f"bucket {excess.bucket}"
            yield f"{_name(key)} {where}", f"{excess.booked} booked, {excess.limit} posted"


def _replayed(found: Survey) -> Iterator[tuple[str, str]]:
    """No message is in its stream twice."""
    for name, times in found.events.items():
        if times > 1:
            yield name, f"is there {times} times"


def _lost(found: Survey, acknowledged: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What was acknowledged is there."""
    for request_id in acknowledged:
        if request_id not in found.records and request_id not in found.damaged:
            yield request_id, "was acknowledged and is not stored"


RULES: dict[str, Callable[[Survey], Iterator[tuple[str, str]]]] = {
    "one end": _terminal,
    "table": _steps,
    "whole": _records_whole,
    "timer": _timers,
    "index": _index,
    "offers": _offers,
    "ledger": _ledger,
    "overbooked": _overbooked,
    "replayed": _replayed,
}


def summary(found: Survey) -> dict[str, object]:
    """What was looked at."""
    states = Counter(each.state for each in _records(found))
    return {
        "market": found.market,
        "requests": len(found.records),
        "states": {state.value: states[state] for state in RequestState if states[state]},
        "ledgers": len(found.used.keys() | found.limits.keys()),
        "unsettled": len(found.moving),
        "messages": found.events.total(),
    }


def _records(found: Survey) -> list[RequestRecord]:
    return [each.value for each in found.records.values()]


def _held(found: Survey) -> dict[LedgerKey, Counter[int]]:
    """Units by ledger and cell that the records' offers hold."""
    held: dict[LedgerKey, Counter[int]] = {}
    bookings = (each for record in _records(found) for offer in record.offers for each in offer.bookings)
    for booking in bookings:
        cells = held.setdefault(LedgerKey(booking.vendor_id, booking.pool_id, booking.day), Counter())
        cells[0] += booking.daily
        for cell in range(1 + booking.first, 1 + booking.first + booking.count):
            cells[cell] += booking.units
    return held


def _name(key: LedgerKey) -> str:
    return f"{key.vendor_id} {key.pool_id} {key.day}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nowhere"
