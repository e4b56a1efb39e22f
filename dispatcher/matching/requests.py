"""The requests of a market that wait for a vendor, as its matcher keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.requests import Request
from contracts.tuning import Number, Parameter
from dispatcher.domain.commands.make_offer import exhausted
from dispatcher.domain.requests import RequestRecord, priority_of
from dispatcher.domain.states import OPEN
from dispatcher.domain.windows import in_force, start_window
from dispatcher.matching.batch_size import BatchSize
from dispatcher.matching.fairness import with_floor
from dispatcher.matching.horizon import reach_ms
from dispatcher.matching.reading import Reading
from dispatcher.matching.refused import Refused
from dispatcher.matching.sequence import Bundled, beside, bundles_of, in_bundle, in_sequence
from dispatcher.matching.unplanned import Unplanned
from dispatcher.runtime.rounds import FEW, LetPass, beside_if_many, in_parts
from dispatcher.service.rides import leaves
from dispatcher.store.hints import Come
from dispatcher.store.requests import RequestPart
from solvers.screening import OpenRequest
from solvers.travel import DetourTravel, TravelTimes

BATCH_LIMIT = Parameter(
    name="batch_limit",
    default=6_000,
    minimum=10,
    maximum=50_000,
    unit="requests",
    summary="Most requests planned in one batch; what was tried waits behind what was not.",
    scope="matching.requests",
)
PARAMETERS = (BATCH_LIMIT,)
MOST_OPEN = 200_000  # ids read at a time; of requests out of reach nothing else is read again
Waiting = tuple[RequestRecord, OpenRequest]  #: a request that waits for a vendor, both ways


async def _nobody() -> int:
    """Nobody is in more of a hurry."""
    return FEW


@dataclass(eq=False)
class WaitingRequests:
    """Bodies are read once each time that they were written; what is out of reach, not before it is near."""

    stored: RequestPart
    bodies: dict[str, Request] = field(default_factory=dict)
    untried: bool = False  #: whether the last batch left something out that was in none before it
    bundles: dict[str, Bundled] = field(default_factory=dict)  #: as last read
    refused: Refused = field(default_factory=Refused)
    size: BatchSize = field(default_factory=BatchSize)
    unplanned: Unplanned = field(init=False)
    _revisions: dict[str, int] = field(default_factory=dict)  #: by id, of which record its body was read
    _amended: dict[str, int] = field(default_factory=dict)  #: as last listed
    _far: dict[str, int] = field(default_factory=dict)  #: requests out of reach, by when their window opens
    _tried: dict[str, int] = field(default_factory=dict)  #: by id, the number of the last batch with it
    _batches: int = 0
    _come: dict[str, Come] = field(default_factory=dict)  #: with a hint, until they are looked at
    _ended: frozenset[str] = frozenset()  #: bundles of which nothing was open when that was last looked at

    def __post_init__(self) -> None:
        """Nobody is set aside yet."""
        self.unplanned = Unplanned(self.stored.keys.market, self.stored.aside)

    async def open_ids(self) -> list[str]:
        """Requests that wait for a vendor, longest waiting first."""
        await self.look_for_amended()
        return await self.stored.open_ids(MOST_OPEN)

    def are_new(self, ids: Iterable[str], come: Mapping[str, Come] = MappingProxyType({})) -> None:
        """It was hinted that these wait anew, maybe for another time: they are looked at, near or not.

        `come`: those that the hint brought along; they are not read once more before they are looked at.
        """
        for each in ids:
            self._far.pop(each, None)
            self._come.pop(each, None)
            self.unplanned.free([each])
        self._come |= come

    async def look_for_amended(self) -> None:
        """Forget what was known of requests that are others now: when they are near, who was refused."""
        found = await self.stored.amended()
        for each in [name for name, revision in found.items() if self._amended.get(name) != revision]:
            self._far.pop(each, None)
            self._come.pop(each, None)
            self._tried.pop(each, None)
            self.refused.found.pop(each, None)
            self.unplanned.free([each])
        self._amended = found

    async def read(
        self,
        ids: Sequence[str],
        reading: Reading,
        travel: TravelTimes,
        now_ms: int,
        let_pass: LetPass = _nobody,
    ) -> list[Waiting]:
        """Those of these requests that may be offered now, as they came: open, within reach, not used up.

        Each knows how far its group lies behind. `let_pass` is asked now and then where they are many.
        """
        found, near = list[Waiting](), self._near(ids, reach_ms(now_ms, reading.values))
        async for some in in_parts(near, let_pass):
            found += await self._read(some, reading, travel, now_ms)
        found.sort(key=_as_received)
        return await beside_if_many(len(found), with_floor, found, reading.groups, now_ms, reading.values)

    async def _read(
        self, near: Sequence[str], reading: Reading, travel: TravelTimes, now_ms: int
    ) -> list[Waiting]:
        values, end_ms = reading.values, reach_ms(now_ms, reading.values)
        come = {each: self._come.pop(each) for each in near if each in self._come}
        fresh = [each for each in near if each not in self.bodies]
        records, raw = await self.stored.records_and_bodies(near, fresh, come)
        far = {each.id: each.earliest_ms for each in records.values() if each.earliest_ms > end_ms}
        self._far |= {each: at_ms for each, at_ms in far.items() if each not in come}  # it may be near by now
        bodies = await self.bodies_of([each for each in records.values() if each.id not in far], raw)
        found = list(records.values())
        others = await beside(found, self.stored)
        bundles = await bundles_of(
            found, self.stored, lambda each: may_be_offered(each, now_ms, values), now_ms
        )
        self.bundles |= bundles
        waiting = [each for each in found if each.id in bodies and may_be_offered(each, now_ms, values)]

        def asked(record: RequestRecord) -> OpenRequest:
            alone = self.as_asked(record, bodies[record.id], reading, travel, others, now_ms=now_ms)
            return in_bundle(alone, record, bundles, now_ms)

        made = [(each, self.unplanned.made(each.id, partial(asked, each))) for each in waiting]
        return [(record, each) for record, each in made if each is not None]

    def as_asked(
        self,
        record: RequestRecord,
        request: Request,
        reading: Reading,
        travel: TravelTimes,
        others: Mapping[str, RequestRecord] = {},
        *,
        now_ms: int = 0,
    ) -> OpenRequest:
        """A stored request beside who is not to be asked: who declined it, or whose match was refused.

        `others` are those that stand in sequence with it.
        """
        left_out = reading.changes.declined_by(record) | self.refused.of(record.id, reading).keys()
        asked = asked_of(request, reading.changes.tz, reading.values, left_out, travel=travel, record=record)
        return in_sequence(asked, record, others, reading.values, travel, now_ms=now_ms)

    def begin(self, ids: Sequence[str], values: Mapping[str, Number], now_ms: int) -> bool:
        """A batch of some of these begins; see `BatchSize.begin`."""
        limit, near = self.size.of(BATCH_LIMIT.whole(values)), self._near(ids, reach_ms(now_ms, values))
        return self.size.begin(min(limit, len(near)))

    async def next_batch(
        self,
        ids: Sequence[str],
        reading: Reading,
        travel: TravelTimes,
        now_ms: int,
        let_pass: LetPass = _nobody,
    ) -> list[Waiting]:
        """Of these, as many as a batch takes: first what was in none, then what was in one longest ago.

        In each turn the most pressing (as far as they were read before), then the longest waiting come first:
        who can have no vendor keeps nobody waiting for ever.
        """
        limit, found = self.size.of(BATCH_LIMIT.whole(reading.values)), list[Waiting]()
        near = self._near(ids, reach_ms(now_ms, reading.values))
        queue = await beside_if_many(len(near), self._in_turn, near)
        at, self._batches = 0, self._batches + 1
        while at < len(queue) and len(found) < limit:
            taken = queue[at : at + limit - len(found)]
            found += await self.read(taken, reading, travel, now_ms, let_pass)
            self._tried |= dict.fromkeys(taken, self._batches)
            at += len(taken)
        self.untried, self.size.took = any(each not in self._tried for each in queue[at:]), len(found)
        return sorted(found, key=_as_received)

    def take_fewer(self) -> bool:
        """The last batch did not fit into memory: it counts as none. False: it was as small as may be."""
        self.not_tried()
        self.untried = True
        return self.size.halve()

    def not_tried(self) -> None:
        """The last batch counts as none."""
        self._tried = {each: nth for each, nth in self._tried.items() if nth < self._batches}

    def _in_turn(self, ids: Sequence[str]) -> list[str]:
        return sorted(
            ids, key=lambda each: (self._tried.get(each, 0), -self._rank(each))
        )  # then as they came

    def _rank(self, request_id: str) -> int:
        known = self.bodies.get(request_id)
        return known.priority.rank if known else 0

    def _near(self, ids: Sequence[str], end_ms: int) -> list[str]:
        """Without those that are known to be out of reach, or are set aside."""
        aside = self.unplanned.since_s
        return [each for each in ids if self._far.get(each, 0) <= end_ms and each not in aside]

    async def bodies_of(
        self, records: Sequence[RequestRecord], raw: Mapping[str, bytes | None] = {}
    ) -> dict[str, Request]:
        """Their bodies, as far as they exist; read once for each revision of a record.

        What is forgotten meanwhile is in them still.

        `raw`: those that came with their records.

        One that is amended between the two reads has a later body than is noted: what is planned of it is
        stale by its record, and it is read again with that.
        """
        known = {each.id: each.revision for each in records}
        missing = [
            each for each in known if each not in self.bodies or self._revisions.get(each, 0) != known[each]
        ]
        if missing:
            come = {each: raw[each] for each in missing if each in raw}
            found = self.stored.bodies_in(come, expected=True)
            if rest := [each for each in missing if each not in raw]:
                found |= await self.stored.bodies(rest, expected=True)
            for each in missing:
                self.bodies.pop(each, None)
            self.bodies |= found
            self._revisions |= {
                each: known[each] for each in missing if known[each] or each in self._revisions
            }
        return {each: self.bodies[each] for each in known if each in self.bodies}

    def forget_all_but(self, open_ids: Iterable[str]) -> None:
        """Keep what is known of open requests only."""
        kept = frozenset(open_ids)
        for known in (self.bodies, self._revisions, self._far, self._tried, self._come):
            for each in known.keys() - kept:
                del known[each]
        self.refused.forget_all_but(kept)
        ended = {name for name, each in self.bundles.items() if not each.ids & kept}
        for name in ended & self._ended:  # not at once: who reads it now may need it
            del self.bundles[name]
        self._ended = frozenset(ended - self._ended)


def asked_of(
    request: Request,
    tz: ZoneInfo,
    values: Mapping[str, Number],
    declined_by: frozenset[str] = frozenset(),
    *,
    travel: TravelTimes | None = None,
    record: RequestRecord | None = None,
) -> OpenRequest:
    """A request with the window on its start; an appointment is reached by the ride as it is timed.

    `record`: of one that is stored, which may have become more pressing and have got another window since.
    `travel` defaults to `DetourTravel` as tuned.
    """
    leaving = leaves(request, tz, travel or DetourTravel.of(values))
    if record is None:
        window = start_window(request, values, leaving)
    else:
        window = in_force(record, request, values, leaving)
        payer = request.payer or record.charged_to or None  # whose authorization it is under
        request = replace(request, priority=priority_of(record, request), payer=payer, identifiers=())
    return OpenRequest(
        request=request, earliest_ms=window.earliest_ms, latest_ms=window.latest_ms, declined_by=declined_by
    )


def may_be_offered(record: RequestRecord, now_ms: int, values: Mapping[str, Number]) -> bool:
    """Open, before its deadline, with offers left, and its window starts within the horizon."""
    timely = now_ms < record.match_by_ms and record.earliest_ms <= reach_ms(now_ms, values)
    return timely and record.state in OPEN and not exhausted(record, values)


def pressing_first(waiting: Sequence[Waiting]) -> list[Waiting]:
    """The most pressing first; of one priority whose group lies farthest behind, else as they were."""
    return sorted(waiting, key=lambda each: (-each[0].priority.rank, -each[1].behind))


def _as_received(one: Waiting) -> tuple[int, str]:
    return one[0].received_ms, one[0].id
