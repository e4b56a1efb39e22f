"""Plans of a played day: the service's own snapshots, solves and last looks, over a desk in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from contracts.tuning import Tuning
from contracts.vendors import Vendor
from dispatcher.domain.acceptance_sums import expected_of, summed, tallied
from dispatcher.domain.bundles import is_bundled
from dispatcher.domain.commands.move_offer import movable_offer
from dispatcher.domain.damping import damped, works_of
from dispatcher.domain.decision import Decision
from dispatcher.domain.episodes import EPISODE_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.apart import one_after_another
from dispatcher.matching.changes import Changes
from dispatcher.matching.imminent import AT_ONCE, is_imminent
from dispatcher.matching.matches import Match, checked
from dispatcher.matching.modes import in_its_mode, several_last
from dispatcher.matching.reading import Reading
from dispatcher.matching.refused import Refused
from dispatcher.matching.requests import BATCH_LIMIT, Waiting, asked_of, may_be_offered, pressing_first
from dispatcher.matching.room import AGAIN_MS, NEIGHBOURS, REQUESTS, cramped
from dispatcher.matching.sequence import Bundled, Bundles, bundled, in_bundle, in_sequence, waves
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.standing import MOST, StandingRequest, nearest
from dispatcher.matching.will_calls import Waiting as WaitingCalls
from dispatcher.matching.will_calls import take_room
from dispatcher.service.shares import offers_of
from dispatcher.store.acceptance import EVERY_MS
from dispatcher.store.codec import Versioned
from dispatcher.what_if.desk import Desk
from dispatcher.what_if.solving import Solved, Solver
from solvers.encoding import VendorBook
from solvers.planning import BatchPlan, plan
from solvers.room import make_room
from solvers.rules import acceptance, scorecard, shares
from solvers.screening import OpenRequest, VendorKnowledge
from solvers.travel import DetourTravel

BY = "matcher"
_TODAY: Final = date.min  # whichever: it is one day


@dataclass(eq=False)
class Planner:
    """Matches what waits at the desk, as the matcher would."""

    desk: Desk
    vendors: Sequence[Vendor]
    solver: Solver
    refused: Refused = field(default_factory=Refused)
    solved: list[Solved] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)  #: of who was left without a vendor, the last reason

    def __post_init__(self) -> None:
        """Vendors are encoded once."""
        values, tz = self.desk.values, self.desk.tz
        self.travel = DetourTravel.of(values)
        documents = {each.id: Versioned(1, each) for each in self.vendors}
        self.reading = Reading(
            Tuning(values=dict(values)), documents, VendorBook.of(self.vendors), self.desk.capacity,
            versions={}, changes=Changes(tz),
        )  # fmt: skip
        self._asked: dict[str, tuple[int, OpenRequest]] = {}
        self._looked_for_room: dict[str, int] = {}
        self._open_of: dict[str, Bundled] = {}  # bundles as last looked at
        self._expected_ms: int | None = None
        self._expectations: Mapping[str, bytes] = {}

    def learn(self, now_ms: int) -> None:
        """Know the scorecards as they have become, all of it on this day, and how vendors answer."""
        works = {_TODAY: works_of(self.desk.scorecards)}
        known: VendorKnowledge = {
            scorecard.RULE.reads: damped(works, _TODAY, self.desk.values),
            shares.RULE.reads: offers_of([self.desk.scorecards]),
            acceptance.RULE.reads: self._expected(now_ms),
        }
        book = self.reading.book.knowing(known)
        if book is not self.reading.book:
            old = self.reading
            self.reading = Reading(old.tuning, old.documents, book, old.capacity, old.versions, old.changes)

    def _expected(self, now_ms: int) -> Mapping[str, bytes]:
        """How likely each vendor is to accept, as old as it is in the service."""
        if self._expected_ms is None or now_ms - self._expected_ms >= EVERY_MS:
            self._expected_ms = now_ms
            told = {week: tallied(counts) for week, counts in self.desk.counted().items()}
            sums = summed(told, now_ms, self.desk.values)
            self._expectations = expected_of(sums, self.desk.values)
        return self._expectations

    def waiting(self, ids: Iterable[str], now_ms: int) -> list[Waiting]:
        """Those of these that may be offered now."""
        records = [self.desk.requests[each] for each in ids]
        ready = [each for each in records if may_be_offered(each, now_ms, self.desk.values)]
        bundles = self._bundles(ready, now_ms)
        return [(each, in_bundle(self._as_asked(each, now_ms), each, bundles, now_ms)) for each in ready]

    def _bundles(self, records: Sequence[RequestRecord], now_ms: int) -> Bundles:
        """What is open of the bundles that these belong to."""
        found = dict[str, Bundled]()
        for name in {each.episode for each in records if is_bundled(each, now_ms)}:
            episode: Any = self.desk.others[EPISODE_KIND.name, name]
            found[name] = bundled(
                episode, self.desk.requests, lambda each: may_be_offered(each, now_ms, self.desk.values)
            )
        self._open_of |= found
        return found

    def batch(self, ids: Iterable[str], now_ms: int) -> list[Decision]:
        """Plan all of these together; unanswered offers may move."""
        waiting = self.waiting(ids, now_ms)[: BATCH_LIMIT.whole(self.desk.values)]
        if not waiting:
            return []
        self.learn(now_ms)
        snapshot = self._snapshot(
            waiting, self._standing(waiting, now_ms, MOST.whole(self.desk.values)), now_ms
        )
        self._keep_room(snapshot)
        found, proof = self.solver.plan(snapshot.screening())
        self.solved.append(proof)
        snapshot.keep_unmoved(found)
        return self._commit(snapshot, found, now_ms)

    def _keep_room(self, snapshot: Snapshot) -> None:
        """For will-calls that nobody has called yet, as calls fell before."""
        calls = self.desk.care.before
        names = [each for each in self.desk.care.calls if each in self.desk.requests] if calls else []
        waiting = [self.desk.requests[each] for each in names]
        waiting = [each for each in waiting if each.waits_for_call]
        if waiting:
            bodies = {each.id: self.desk.bodies[each.id] for each in waiting}
            take_room(snapshot, self.travel, WaitingCalls(waiting, bodies, calls, self.desk.tz))

    def imminent(self, ids: Iterable[str], now_ms: int) -> tuple[list[Decision], int]:
        """Match those that cannot wait, one after the other; and how many of the others can."""
        waiting, decided = self.waiting(ids, now_ms), list[Decision]()
        now = pressing_first([each for each in waiting if is_imminent(each, now_ms, self.desk.values)])
        for first in range(0, len(now), AT_ONCE):
            snapshot = self._snapshot(now[first : first + AT_ONCE], [], now_ms)
            found = plan(snapshot.screening())
            decided += self._commit(snapshot, found, now_ms)
            decided += self._room(cramped(snapshot, found), now_ms)
        return decided, len(waiting) - len(now)

    def _room(self, crowded: Sequence[Waiting], now_ms: int) -> list[Decision]:
        due = [each for each in crowded if now_ms - self._looked_for_room.get(each[0].id, 0) >= AGAIN_MS][
            :REQUESTS
        ]
        self._looked_for_room |= {record.id: now_ms for record, _ in due}
        standing, decided = self._standing(due, now_ms, NEIGHBOURS), list[Decision]()
        if not standing:
            return decided
        snapshot = self._snapshot(due, standing, now_ms)
        plans = list(make_room(snapshot.screening()))
        snapshot.keep_unmoved(*plans)
        for each in plans:
            decided += self._commit(snapshot, each, now_ms, whole=True)
        return decided

    def _standing(self, waiting: Sequence[Waiting], now_ms: int, most: int) -> list[StandingRequest]:
        values = self.desk.values
        movable = [each for each in self.desk.offered.values() if movable_offer(each, now_ms, values)]
        if not movable or not waiting:
            return []
        chosen = nearest(movable, waiting, most)
        return [StandingRequest(each, self._as_asked(each, now_ms), each.live_offers[0]) for each in chosen]

    def _snapshot(
        self, waiting: Sequence[Waiting], standing: Sequence[StandingRequest], now_ms: int
    ) -> Snapshot:
        capacity = self.desk.capacity.copy()
        for each in standing:
            capacity.give_back(each.offer.bookings)
        return Snapshot(
            [record for record, _ in waiting] + [each.record for each in standing],
            [asked for _, asked in one_after_another(waiting)] + [each.asked for each in standing],
            self.reading, capacity, now_ms, self.travel,
            {row: each.offer for row, each in enumerate(standing, start=len(waiting))},
        )  # fmt: skip

    def _commit(
        self, snapshot: Snapshot, found: BatchPlan, now_ms: int, *, whole: bool = False
    ) -> list[Decision]:
        """Make the offers and moves of a plan; with `whole` all or none."""
        self._note_why(snapshot, found)
        rows = {at: row for row, at in enumerate(found.chosen.request.tolist())}
        made = {at: checked(snapshot, found, rows[at], now_ms, self.refused) for at in rows}
        single = [at for at in rows if not snapshot.asked[at].bundle]
        matches = [self._in_mode(snapshot, at, made[at]) for at in _in_turn(snapshot, single)]
        if whole and None in (*matches, *made.values()):
            return []
        kept = [each for each in matches if each is not None]
        decisions = [self.desk.act(each.command, now_ms, by=BY) for each in kept]
        return [
            *(each for each in decisions if each is not None),
            *self._together(snapshot, made, now_ms),
        ]

    def _together(self, snapshot: Snapshot, made: Mapping[int, Match | None], now_ms: int) -> list[Decision]:
        """All that is open of each bundle, each after all that it follows; or nothing of it."""
        bundles, decided = dict[str, list[int]](), list[Decision]()
        for at in made:
            if name := snapshot.asked[at].bundle:
                bundles.setdefault(name, []).append(at)
        for name, some in bundles.items():
            in_turn = [at for turn in waves(snapshot.asked, some) for at in turn]
            matches = [self._in_mode(snapshot, at, made[at]) for at in in_turn]
            kept = [each for each in matches if each is not None]
            if len(kept) == len(matches) and self._open_of[name].ids <= {each.record.id for each in kept}:
                decided += self.desk.act_all([each.command for each in kept], now_ms, by=BY)
        return decided

    def _in_mode(self, snapshot: Snapshot, at: int, match: Match | None) -> Match | None:
        return None if match is None else in_its_mode(snapshot, at, match, self.refused)

    def _note_why(self, snapshot: Snapshot, found: BatchPlan) -> None:
        matched = set(found.chosen.request.tolist())
        for row in snapshot.waiting:
            if row not in matched:
                last = [code for code, by in zip(found.codes, found.removed[row].tolist(), strict=True) if by]
                self.why[snapshot.records[row].id] = (
                    "competition" if found.candidate_counts[row] else last[-1] if last else "nobody"
                )

    def _as_asked(self, record: RequestRecord, now_ms: int) -> OpenRequest:
        version, asked = self._asked.get(record.id, (0, None))
        if asked is None or version != record.version:
            asked = asked_of(
                self.desk.bodies[record.id], self.desk.tz, self.desk.values,
                self.reading.changes.declined_by(record) | self.refused.of(record.id, self.reading).keys(),
                travel=self.travel, record=record,
            )  # fmt: skip
            self._asked[record.id] = record.version, asked
        return in_sequence(asked, record, self.desk.requests, self.desk.values, self.travel, now_ms=now_ms)


def _in_turn(snapshot: Snapshot, rows: Sequence[int]) -> list[int]:
    """Moves first: they make room; then each after all that it follows; who asks several, last in turn."""
    moves = [at for at in rows if at in snapshot.standing]
    others = [at for at in rows if at not in snapshot.standing]
    turns = [moves, *waves(snapshot.asked, others)]
    return [at for turn in turns for at in several_last(snapshot, turn)]
