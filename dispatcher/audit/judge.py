"""Whether what is stored keeps the promises: a pure judgement over a survey of one market.

Each rule is a function from the survey to findings; a finding names ids, states and figures, never a patient.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from contracts.codes import RequestState
from dispatcher.audit.amendments import without_end
from dispatcher.audit.apart import on_two_rides
from dispatcher.audit.authorizations import out_of_balance
from dispatcher.audit.caps import miscounted
from dispatcher.audit.credentials import untold
from dispatcher.audit.episodes import in_halves, out_of_episode
from dispatcher.audit.legs import made_alone, will_calls
from dispatcher.audit.modes import asked_otherwise
from dispatcher.audit.notifications import told_twice
from dispatcher.audit.prices import out_of_sum
from dispatcher.audit.proofs import unknown_to_requests
from dispatcher.audit.scorecards import uncounted
from dispatcher.audit.sequence import out_of_sequence
from dispatcher.audit.standing_orders import out_of_order
from dispatcher.audit.statements import unbilled
from dispatcher.audit.tasks import unseen
from dispatcher.audit.threads import outlived
from dispatcher.domain.compact import Record
from dispatcher.domain.kinds import Entry, kind_named, kinds
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import TERMINAL, may_stay_or_go
from dispatcher.store.format_numbers import unknown
from dispatcher.store.formats import known
from dispatcher.store.heard import Heard
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey, excesses, fits, unpack
from dispatcher.store.survey import Survey, of_kind

LISTS = "lists"


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
    before = set(map(_lasts_as, earlier))
    return [finding for finding in later if _lasts_as(finding) in before]


def _lasts_as(finding: Finding) -> tuple[str, ...]:
    """What stays as long as it is broken. A record writes its places anew whenever it is written: where they
    are others than a moment ago, it was at work, and is read between two writes once more."""
    return finding if finding.rule == LISTS else finding[:2]


def _terminal(found: Survey) -> Iterator[tuple[str, str]]:
    """A request ends once, and nothing follows its end."""
    for each in _requests(found):
        ends = [step.state.value for step in each.history if step.state in TERMINAL]
        if len(ends) > 1:
            yield each.id, f"has ended as {' and '.join(ends)}"
        elif bool(ends) != (each.state in TERMINAL):
            yield each.id, f"is {each.state.value}, its history says {ends or 'not ended'}"


def _steps(found: Survey) -> Iterator[tuple[str, str]]:
    """Every step of a history is one of the table, and the last leads to the state."""
    for each in _requests(found):
        states = [step.state for step in each.history]
        for before, after in pairwise(states):
            if not may_stay_or_go(before, after):
                yield each.id, f"went from {before.value} to {after.value}"
        if states and states[-1] is not each.state:
            yield each.id, f"is {each.state.value}, its history ends with {states[-1].value}"


def _whole(found: Survey) -> Iterator[tuple[str, str]]:
    """Record, version and body belong together; nothing is left of what was forgotten."""
    for kind, records in found.records.items():
        damaged = found.damaged.get(kind, set())
        newer = found.newer.get(kind, {})
        for each in damaged:
            yield each, f"its record {newer.get(each, 'cannot be decoded')}"
        for each, (version, record, _) in records.items():
            if (record.id, record.version) != (each, version):
                yield each, f"holds version {record.version} of {record.id} under version {version}"
            if each not in found.bodies.get(kind, {each}):
                yield each, "has a record and no body"
        for each in found.bodies.get(kind, set()) - records.keys() - damaged:
            yield each, "has a body and no record"


def _readable(found: Survey) -> Iterator[tuple[str, str]]:
    """What is stored can be read: else its vendor is asked for nothing, its request offered to nobody."""
    yield from found.unreadable.items()
    yield from ((found.market, each) for each in unknown(found.formats, known()))
    yield from found.strange.items()
    for stream, heard in found.heard.items():
        for entry_id in heard.odd:
            yield f"{_short(found, stream)} {entry_id}", "is no event"
    for kind, records in found.records.items():
        for each, (_, record, _) in records.items():
            if (wrong := _odd_values(kind, record)) is not None:
                yield each, wrong
    for key, raw in (*found.limits.items(), *found.used.items()):
        if not fits(raw):
            yield f"ledger {_name(key)}", "has more cells than a day"


def _lists(found: Survey) -> Iterator[tuple[str, str]]:
    """Every record stands in the lists that its kind says, its timer among them, and in no other."""
    hidden, left = set[str]().union(*found.damaged.values()), _members(found)
    for entry, score in _wanted(found):
        place = found.lists.get(entry.list, {}).get(entry.member)
        left.get(entry.list, set()).discard(entry.member)
        if place != score:
            where = f"at {place}" if place is not None else "missing"
            yield entry.member, f"its place in {entry.list} is {where}, its record says {score}"
    for name, members in left.items():
        for member in (each for each in members if each.partition("/")[0] not in hidden):
            yield member, f"stands in {name}, and its record does not say so"


def _members(found: Survey) -> dict[str, set[str]]:
    return {name: set(each) for name, each in found.lists.items()}


def _wanted(found: Survey) -> Iterator[tuple[Entry, int]]:
    for kind in kinds():
        for each in (versioned.value for versioned in found.records.get(kind.name, {}).values()):
            if _odd_values(kind.name, each) is None:  # else it is told of as such
                yield from kind.lists(each).items()
                yield Entry(kind.timers, each.id), kind.timer_ms(each)


def _keys(found: Survey) -> Iterator[tuple[str, str]]:
    """Whoever runs has every patient key that something is sealed under, and the same by that name."""
    used = {key.id: key.print for key in found.patient_keys}
    for ring in found.rings:
        for key_id, sealed in found.sealed.items():
            if key_id not in ring.keys:
                yield f"patient key {key_id}", f"seals {sealed.blocks} blocks, and {ring.process} lacks it"
            elif ring.keys[key_id] != used.get(key_id, ring.keys[key_id]):
                yield f"patient key {key_id}", f"of {ring.process} is another one than that which is in use"


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
    for stream, heard in found.heard.items():
        for name, times in heard.ids.items():
            if times > 1:
                yield f"{_short(found, stream)} {name}", f"is there {times} times"


def _told(found: Survey) -> Iterator[tuple[str, str]]:
    """What happened was told: of each request its last step, to each vendor the offers that it has.

    What a stream has trimmed away is not asked for. Without a look at the streams there is nothing to judge.
    """
    keys = Keys(found.market)
    for record in _requests(found):
        events = found.heard.get(keys.events)
        if events is not None and record.history and events.lacks(record.id, record.history[-1].at_ms):
            yield record.id, f"is {record.state.value}, and no message says so"
        for offer in record.live_offers:
            name, stream = offer_id(record, offer), keys.stream(offer.vendor_id)
            heard = found.heard.get(stream, Heard()) if events is not None else None
            if heard and _short(found, stream) not in found.strange and heard.lacks(name, offer.made_ms):
                yield name, f"was made, and no message tells {offer.vendor_id}"


def _unlisted(found: Survey) -> Iterator[tuple[str, str]]:
    """A vendor that is stored is known to be there: else it is never asked."""
    for vendor_id in sorted(found.vendors - found.listed):
        yield f"vendor {vendor_id}", "is stored, and the list of vendors does not name it"


def _lost(found: Survey, acknowledged: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What was acknowledged is there."""
    known = found.records.get(REQUEST_KIND.name, {}).keys() | found.damaged.get(REQUEST_KIND.name, set())
    for request_id in acknowledged:
        if request_id not in known:
            yield request_id, "was acknowledged and is not stored"


RULES: dict[str, Callable[[Survey], Iterator[tuple[str, str]]]] = {
    "one end": _terminal,
    "table": _steps,
    "whole": _whole,
    "readable": _readable,
    LISTS: _lists,
    "tasks": unseen,
    "proofs": unknown_to_requests,
    "threads": outlived,
    "episodes": out_of_episode,
    "sequence": out_of_sequence,
    "bundles": in_halves,
    "will-calls": will_calls,
    "legs": made_alone,
    "patients": on_two_rides,
    "amendments": without_end,
    "prices": out_of_sum,
    "statements": unbilled,
    "modes": asked_otherwise,
    "authorizations": out_of_balance,
    "standing orders": out_of_order,
    "notifications": told_twice,
    "keys": _keys,
    "ledger": _ledger,
    "overbooked": _overbooked,
    "caps": miscounted,
    "replayed": _replayed,
    "told": _told,
    "credentials": untold,
    "scorecards": uncounted,
    "vendors": _unlisted,
}


def summary(found: Survey) -> dict[str, object]:
    """What was looked at."""
    states = Counter(each.state for each in _requests(found))
    return {
        "market": found.market,
        "requests": len(_requests(found)),
        "states": {state.value: states[state] for state in RequestState if states[state]},
        "documents": found.documents,
        "ledgers": len(found.used.keys() | found.limits.keys()),
        "unsettled": len(found.moving),
        "messages": sum(each.ids.total() for each in found.heard.values()),
        "streams_set_aside": found.exhausted,
    }


def _requests(found: Survey) -> Collection[RequestRecord]:
    return of_kind(found, REQUEST_KIND.name, RequestRecord)


def _held(found: Survey) -> dict[LedgerKey, Counter[int]]:
    """Units by ledger and cell that the records' offers hold."""
    held: dict[LedgerKey, Counter[int]] = {}
    bookings = (each for record in _requests(found) for offer in record.offers for each in offer.bookings)
    for booking in bookings:
        cells = held.setdefault(LedgerKey(booking.vendor_id, booking.pool_id, booking.day), Counter())
        cells[0] += booking.daily
        for cell in range(1 + booking.first, 1 + booking.first + booking.count):
            cells[cell] += booking.units
    return held


def _odd_values(kind: str, record: Record) -> str | None:
    """Why a record that decodes cannot be worked with, if that is so."""
    try:
        kind_named(kind).lists(record)
        kind_named(kind).timer_ms(record)
    except Exception as error:  # whatever it is, the service would meet it too
        return f"holds what cannot be worked with ({type(error).__name__})"
    return None


def _short(found: Survey, key: str) -> str:
    return key.removeprefix(Keys(found.market).prefix)


def _name(key: LedgerKey) -> str:
    return f"{key.vendor_id} {key.pool_id} {key.day}"
