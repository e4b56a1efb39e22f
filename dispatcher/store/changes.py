"""Decisions as programs: records, bodies, lists, timers, bookings and messages, all in one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from contracts.instants import HOUR_MS
from dispatcher.domain.compact import Record
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import Entry, Kind, kind_named, kind_of
from dispatcher.domain.requests import RequestRecord, request_id_of
from dispatcher.store import codec, events
from dispatcher.store.acceptance import add_answer
from dispatcher.store.calls import add_call
from dispatcher.store.caps import add_charges, add_limits
from dispatcher.store.fairness import add_group
from dispatcher.store.hints import come_of
from dispatcher.store.keys import Keys
from dispatcher.store.patterns import add_count
from dispatcher.store.program import Program
from dispatcher.store.scorecards import add_outcome
from dispatcher.store.statements import add_billed

SOON_MS = 2 * HOUR_MS  # more than requests are imminent for, unless tuned: what is later waits for a batch
NAMED = 64  # of so many requests a hint gives the ids; for more, whoever hears it looks for itself


class Filed(NamedTuple):
    """A change, with what every step below asks of it: it is found once."""

    change: Change
    kind: Kind[Any]
    id: str


def add_decisions(
    program: Program, keys: Keys, decisions: Sequence[Decision], bodies: Mapping[str, bytes]
) -> None:
    """Add all of them: they are committed together or not at all.

    `bodies` hold what is stored once, with a record's first version, by record id; a decision may write it
    anew.
    Units are given back before any are taken, so that work may move within a full pool.
    """
    changes = [_filed(change) for decision in decisions for change in decision.changes]
    _refuse_repeats(changes)
    written = [_add_record(program, keys, filed) for filed in changes]
    for decision in decisions:
        _add_preconditions(program, keys, decision)
    _add_reliances(program, keys, decisions, changes)
    for booking in (each for decision in decisions for each in decision.unbook):
        program.unbook(keys, booking)
    for booking in (each for decision in decisions for each in decision.book):
        program.book(keys, booking)
    every = [filed.change for filed in changes]
    add_charges(program, keys, every)
    add_limits(program, keys, every)
    anew = {body.record_id: body.content for decision in decisions for body in decision.bodies}
    for filed in changes:
        if filed.kind.body:
            _add_body(program, keys, filed, bodies, anew)
        _add_lists(program, keys, filed)
    for decision in decisions:
        _add_messages(program, keys, decision)
        _add_counts(program, keys, decision)
    new = [(each, raw) for each, raw in zip(changes, written, strict=True) if _is_new_work(each)]
    if new:
        program.write(keys.wake, "PUBLISH", _hint(new, bodies, decisions[0].at_ms))


def _filed(change: Change) -> Filed:
    record = change.record
    return Filed(change, kind_of(record), record.id)


def _add_counts(program: Program, keys: Keys, decision: Decision) -> None:
    """What is counted of it, in the commit that it comes with: once."""
    for outcome in decision.outcomes:
        add_outcome(program, keys, outcome)
    for billed in decision.billed:
        add_billed(program, keys, billed)
    for answer in decision.answers:
        add_answer(program, keys, answer)
    for count in decision.counts:
        add_count(program, keys, count)
    for group in decision.groups:
        add_group(program, keys, group)
    if decision.called is not None:
        add_call(program, keys, decision.called)


def _refuse_repeats(changes: Sequence[Filed]) -> None:
    names = {(kind.name, name) for _, kind, name in changes}
    if len(names) != len(changes):
        raise ValueError(f"{len(changes)} changes are of {len(names)} records; a commit takes one each")


def _add_record(program: Program, keys: Keys, filed: Filed) -> bytes:
    """As it is stored then; b"" where it goes."""
    (before, after), kind, name = (filed.change.before, filed.change.after), filed.kind, filed.id
    key, version = keys.record(kind, name), before.version if before else 0
    if after is None:
        program.remove(name, key, version)
        return b""
    packed = codec.pack(after.version, after)
    program.document(name, key, version, packed)
    return packed


def _add_preconditions(program: Program, keys: Keys, decision: Decision) -> None:
    """What it was decided on must still stand. After the record: that alone tells a repeat from a change."""
    for vendor_id, day, version in decision.preconditions:
        key = keys.capacity(vendor_id, day) if day else keys.vendor(vendor_id)
        program.unchanged(vendor_id, key, version)


def _add_reliances(
    program: Program, keys: Keys, decisions: Sequence[Decision], changes: Sequence[Filed]
) -> None:
    """Records that are only relied on; those that this commit changes are held to their version anyway."""
    relied_on = dict.fromkeys(each for decision in decisions for each in decision.relies)
    if not relied_on:
        return
    written = {(each.kind.name, each.id) for each in changes}
    for kind, name, version in relied_on:
        if (kind, name) not in written:
            program.unchanged(name, keys.record(kind_named(kind), name), version)


def _add_body(
    program: Program, keys: Keys, filed: Filed, bodies: Mapping[str, bytes], anew: Mapping[str, bytes]
) -> None:
    """What is stored once comes with the first version and goes with the last."""
    change, name = filed.change, filed.id
    key = keys.body(filed.kind, name)
    if change.before is None:
        program.write(key, "SET", bodies[name])
    elif change.after is None:
        program.write(key, "DEL")
    elif name in anew:
        program.write(key, "SET", anew[name])


def _add_lists(program: Program, keys: Keys, filed: Filed) -> None:
    """Keep the lists in step with the record: who leaves, who comes, who moves."""
    was, now = _entries(filed.kind, filed.change.before), _entries(filed.kind, filed.change.after)
    for entry in was:
        if entry not in now:
            program.write(keys.list(entry.list), "ZREM", entry.member)
    for entry, score in now.items():
        if not was or was.get(entry) != score:
            program.write(keys.list(entry.list), "ZADD", score, entry.member)
    if filed.kind.sealed and not was:  # by this it is found, whatever time it bears
        written_ms = now[Entry(filed.kind.sealed, filed.id)]
        program.write(keys.unsealed, "ZADD", written_ms, f"{filed.kind.name}:{filed.id}")


def _entries(kind: Kind[Any], record: Record | None) -> dict[Entry, int]:
    """Where a record stands, its timer among them."""
    if record is None:
        return {}
    entries = dict(kind.lists(record))
    entries[Entry(kind.timers, record.id)] = kind.timer_ms(record)
    return entries


def _add_messages(program: Program, keys: Keys, decision: Decision) -> None:
    """An event's id names the record's version and its place in the commit: a replay is so recognised.

    The record is the one that it is about, if that changes: a vendor learns no id of what is another's.
    """
    for number, message in enumerate(decision.messages):
        change = _about(decision, message)
        record = change.record
        about = change.kind.named_in_events(record.id)
        name = events.event_id(about, record.version + (change.after is None), number)
        traced = getattr(record, "trace", b"")
        event = events.pack_event(keys.market, message, name, decision.at_ms, traced)
        program.write(events.stream_of(keys, message), "XADD", "*", events.FIELD, event)


def _about(decision: Decision, message: Message) -> Change:
    """The change of the request that a message is about, or of its offer; else the first."""
    first, subject = decision.changes[0], message.subject
    name = first.record.id
    if name == subject or request_id_of(subject) == name or subject.startswith(f"{name}."):
        return first
    names = subject, request_id_of(subject)
    return next((each for each in decision.changes if each.record.id in names), first)


def _is_new_work(filed: Filed) -> bool:
    return filed.kind.is_new_work(filed.change.before, filed.change.after)


def _hint(new: Sequence[tuple[Filed, bytes]], bodies: Mapping[str, bytes], now_ms: int) -> bytes:
    """Who waits anew; one that comes by itself, and soon, is in it: who hears it has nothing to read."""
    ids = [filed.id for filed, _ in new]
    if len(ids) == 1 and _comes_soon(new[0][0].change, now_ms):
        return come_of(ids[0], new[0][1], bodies[ids[0]])
    return " ".join(ids).encode() if len(ids) <= NAMED else b""


def _comes_soon(change: Change, now_ms: int) -> bool:
    came = change.after if change.before is None else None
    return isinstance(came, RequestRecord) and came.earliest_ms - now_ms <= SOON_MS
