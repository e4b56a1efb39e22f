"""Decisions as programs: record, body, indexes, timer, holds and messages, all in one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dispatcher.domain.decision import Decision
from dispatcher.domain.record import RequestRecord, offer_id
from dispatcher.domain.scorecards import Mark
from dispatcher.domain.states import LIVE_OFFERS, OPEN
from dispatcher.store import codec, events
from dispatcher.store.keys import BADLY, WELL, Keys
from dispatcher.store.program import Program

NAMED = 64  # of so many requests a hint gives the ids; for more, whoever hears it looks for itself
MARKS_KEPT_MS = 100 * 86_400_000  # the matcher reads this month's and last month's


def add_decisions(
    program: Program,
    keys: Keys,
    decisions: Sequence[Decision],
    bodies: Mapping[str, bytes],
) -> None:
    """Add all of them: they are committed together or not at all.

    `bodies` booking what is stored once, with a request's first record, by request id.
    Units are released before any are taken, so that work may move within a full pool.
    """
    _refuse_repeats(decisions)
    for decision in decisions:
        _add_record(program, keys, decision)
        _add_preconditions(program, keys, decision)
        for booking in decision.unbook:
            program.unbook(keys, booking)
    for decision in decisions:
        for booking in decision.book:
            program.book(keys, booking)
    for decision in decisions:
        if decision.before is None:
            program.write(keys.body(decision.after.id), "SET", bodies[decision.after.id])
        _add_places(program, keys, decision.before, None if decision.forget else decision.after)
        _add_messages(program, keys, decision)
        if decision.mark:
            _add_mark(program, keys.marks(decision.mark.month), decision.mark)
    new = [decision.after.id for decision in decisions if _is_new_work(decision)]
    if new:
        program.write(keys.wake, "PUBLISH", " ".join(new) if len(new) <= NAMED else b"")


def _add_mark(program: Program, key: str, mark: Mark) -> None:
    program.write(key, "HINCRBY", f"{mark.vendor_id}:{WELL if mark.well else BADLY}", 1)
    program.write(key, "PEXPIRE", MARKS_KEPT_MS)


def live_offers(record: RequestRecord | None) -> dict[str, tuple[str, int]]:
    """Offer id → (vendor, start) of the offers that are still a vendor's business."""
    offers = record.offers if record else ()
    return {
        offer_id(record, offer): (offer.vendor_id, offer.start_ms)
        for offer in offers
        if record and offer.state in LIVE_OFFERS
    }


def _refuse_repeats(decisions: Sequence[Decision]) -> None:
    ids = [decision.after.id for decision in decisions]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{len(ids)} decisions are on {len(set(ids))} requests; a commit takes one each")


def _add_record(program: Program, keys: Keys, decision: Decision) -> None:
    before, after = decision.before, decision.after
    key, version = keys.record(after.id), before.version if before else 0
    if decision.forget:
        program.remove(after.id, key, version)
        program.write(keys.body(after.id), "DEL")
    else:
        program.document(after.id, key, version, codec.pack(after.version, after))


def _add_preconditions(program: Program, keys: Keys, decision: Decision) -> None:
    """What it was decided on must still stand. After the record: that alone tells a repeat from a change."""
    for vendor_id, day, version in decision.preconditions:
        key = keys.capacity(vendor_id, day) if day else keys.vendor(vendor_id)
        program.unchanged(vendor_id, key, version)


def _add_places(
    program: Program, keys: Keys, before: RequestRecord | None, after: RequestRecord | None
) -> None:
    """Keep index, timers and the vendors' lists in step with the record (`after` is None: forgotten)."""
    if before and not (after and after.state is before.state):
        program.write(keys.index(before.state), "ZREM", before.id)
    if after and not (before and before.state is after.state):
        program.write(keys.index(after.state), "ZADD", after.received_ms, after.id)
    if before and not after:
        program.write(keys.timers, "ZREM", before.id)
    if after and not (before and before.timer_ms == after.timer_ms):
        program.write(keys.timers, "ZADD", after.timer_ms, after.id)
    _add_offers(program, keys, live_offers(before), live_offers(after))


def _add_offers(
    program: Program, keys: Keys, was: dict[str, tuple[str, int]], now: dict[str, tuple[str, int]]
) -> None:
    for offer, (vendor, _) in was.items():
        if offer not in now:
            program.write(keys.offers(vendor), "ZREM", offer)
    for offer, (vendor, start_ms) in now.items():
        if was.get(offer) != (vendor, start_ms):
            program.write(keys.offers(vendor), "ZADD", start_ms, offer)


def _add_messages(program: Program, keys: Keys, decision: Decision) -> None:
    after = decision.after
    at_ms = decision.at_ms or (after.history[-1].at_ms if after.history else after.received_ms)
    for number, message in enumerate(decision.messages):
        name = events.event_id(after.id, after.version, number)
        event = events.pack_event(keys.market, message, name, at_ms)
        program.write(events.stream_of(keys, message), "XADD", "*", events.FIELD, event)


def _is_new_work(decision: Decision) -> bool:
    before, after = decision.before, decision.after
    return after.state in OPEN and (before is None or before.state not in OPEN)
