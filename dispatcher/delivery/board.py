"""The board of a market, kept up to date for all who look at it: read once, then by what the events tell.

Whoever looks gets the same bytes: a row is encoded when it changes, a change once for all. What no event
tells is found by reading every row again, a few at a time. While nobody looks it stands still, and whoever
looks then waits until it has caught up; when nobody has looked for long, it goes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec
import structlog

from contracts.board import BoardChange, BoardRows
from dispatcher.delivery.board_events import BoardEvents
from dispatcher.delivery.board_listener import Listener
from dispatcher.delivery.board_pending import Pending
from dispatcher.delivery.board_rows import places_made, row_made
from dispatcher.delivery.board_turns import Turns
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.logs import outline
from dispatcher.runtime.pace import Pace, wanted_s
from dispatcher.service.board import COLUMNS, NOWHERE, Places, Row
from dispatcher.store.market import MarketStore
from dispatcher.store.streams import Streams

MOST_OPEN = 50_000  # rows of requests that have not ended
MOST_ENDED = 5_000  # and of those that ended, the latest received
PAGE, FEW = 200, 20  # records read at a time, others have their turn between; few where the thread is busy
LEAST_SHARE = 0.005  # of the thread's time, however much is asked
CREDIT_S = 0.01  # a hundred rows: so much is told without a rest, unless it was as much before
BEAT_S = 0.2  # so often it is asked what happened (real seconds); what changes within it is told together
LOOK_AGAIN = 50  # rows read again each time, whether or not an event told of them …
AGAIN_S = 1.0  # … and so often (real seconds)
LOOKED_S = 5.0  # after the last look it goes on for so long: who reads a page again finds it as it is
IDLE_S, PAUSE_S = 600.0, 1.0  # a board that nobody looks at is kept so long; one that failed rests so long
TOLD = 50  # subjects named of one type of event; who needs all reads again
log = structlog.get_logger()
_COLUMNS = msgspec.json.encode(COLUMNS)


class Board:
    """The rows of one market. `start` it; `ready` is set once all are there."""

    def __init__(self, stored: MarketStore, clock: Clock) -> None:
        self.stored, self.clock = stored, clock
        self.rows: dict[str, Row] = {}
        self.encoded: dict[str, bytes] = {}
        self.places: dict[str, tuple[int, Places]] = {}  # with the revision of the body that said so
        self.listeners: set[Listener] = set()
        self.ready = asyncio.Event()
        self._looked, self._looked_at = asyncio.Event(), 0.0
        self._events = BoardEvents(Streams(stored.node.reader), stored.keys)
        self._changed = Pending()
        self._kinds: dict[str, dict[str, None]] = {}
        self._unplaced: Iterator[str] = iter(())  # rows that were read without their places
        self._around, self._told_late_s = 0, 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read all, then follow, until `aclose`."""
        self._task = asyncio.create_task(self._run())

    @property
    def has_ended(self) -> bool:
        """Whether it has gone: nobody looked for so long, or it was closed."""
        return self._task is not None and self._task.done()

    def look(self) -> None:
        """Somebody looks now, once it is `ready`."""
        self._looked_at = asyncio.get_running_loop().time()
        self._looked.set()

    def page(self) -> bytes:
        """All of it, as JSON."""
        partial = sum(not each.start_at for each in self.rows.values())
        return b'{"columns":%b,"rows":[%b],"gone":[],"now":%d,"partial":%d}' % (
            _COLUMNS,
            b",".join(self.encoded.values()),
            self.clock.now_ms(),
            partial,
        )

    @contextlib.contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener, for as long as it listens."""
        listener = Listener()
        self.listeners.add(listener)
        self.look()  # it may have stood still again by now
        try:
            yield listener
        finally:
            self.listeners.discard(listener)
            self.look()

    async def aclose(self) -> None:
        """Stop; who listens is woken."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while self._is_looked_at(IDLE_S):
                try:
                    await self._follow()
                    continue
                except Unavailable:  # the store is away, as /readyz says: all is read again once it is back
                    pass
                except Exception as error:
                    log.error("board_failed", market=self.stored.name, **outline(error))
                finally:
                    self.ready.clear()
                await asyncio.sleep(PAUSE_S)
            self.rows, self.encoded, self.places = {}, {}, {}
        finally:  # whatever ended it: who listens comes to another
            for each in self.listeners:
                each.end()

    async def _follow(self) -> None:
        """All that is there, then what happens; returns when something was missed, or it has to go."""
        await self._events.begin()
        self._changed, self._kinds = Pending(), {}
        await self._read_all()
        self.ready.set()
        self._tell(BoardChange(now=self.clock.now_ms(), again=True))
        while await self._beat() and await self._is_looked_at_again() and await self._catch_up():
            pass

    def _is_looked_at(self, lately_s: float) -> bool:
        return bool(self.listeners) or asyncio.get_running_loop().time() - self._looked_at < lately_s

    async def _beat(self) -> bool:
        """For as long as somebody looks; false: something was missed."""
        loop, pace = asyncio.get_running_loop(), Pace(used=wanted_s, least=LEAST_SHARE, credit_s=CREDIT_S)
        again_at, turns = loop.time() + AGAIN_S, Turns()
        while self._is_looked_at(LOOKED_S):
            gone, nothing_waits = list[str](), not (self._changed or self._kinds)
            room = len(self._changed) < MOST_OPEN  # beyond, what happened waits in the streams
            if room and turns.may_hear(loop.time()):
                turns.heard(loop.time(), await self._hear(), nothing_waits=nothing_waits)
            if wait_s := turns.wait_s(loop.time()):
                await asyncio.sleep(wait_s)
                continue
            most = min(PAGE, max(FEW, int(pace.begin() * PAGE)))
            if loop.time() >= again_at:
                again_at = loop.time() + AGAIN_S
                if await self._events.has_missed():
                    return False
                if len(self._changed) < most:  # else it has enough to do
                    self._look_again()
                gone = self._trim()
            more = max(0, most - len(self._changed))  # what happened comes first
            self._changed.add(islice(self._unplaced, more), loop.time())
            await self._tell_changes(gone, most)
            at_once = self._changed and most > PAGE // 2  # a small step costs as much as its rows
            await asyncio.sleep(max(pace.rest_s(), 0 if at_once else BEAT_S))
        return True

    async def _is_looked_at_again(self) -> bool:
        """Wait until it is; whether it was before it goes."""
        self.ready.clear()
        self._looked.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self._looked.wait()
        return self._looked.is_set()

    async def _catch_up(self) -> bool:
        """With what happened while nobody looked; false: to read all again is surer, or takes less."""
        if await self._events.has_missed():
            return False
        await self._hear()
        while self._events.is_behind and len(self._changed) <= len(self.rows) + PAGE:
            await self._hear()
        if len(self._changed) > len(self.rows) + PAGE:
            return False
        while self._changed:
            await self._tell_changes([])
        self.ready.set()
        return True

    def _trim(self) -> list[str]:
        """Ids of the oldest that ended, once there are too many; they are forgotten here."""
        ended = [each for each in self.rows.values() if each.ended]
        if len(ended) <= MOST_ENDED + PAGE:
            return []
        ended.sort(key=lambda each: each.received)
        gone = [each.id for each in ended[: len(ended) - MOST_ENDED]]
        self._forget(gone)
        return gone

    async def _hear(self) -> int:
        """How many events there were."""
        found, now_s = await self._events.read(), asyncio.get_running_loop().time()
        for told in found:
            subjects = self._kinds.setdefault(told.type, {})
            if len(subjects) < TOLD:
                subjects[told.subject] = None
            if request_id := told.request_id:
                self._changed.add([request_id], now_s)
        return len(found)

    def _look_again(self) -> None:
        """The next few rows, round and round."""
        ids = list(self.rows)
        if ids:
            at = self._around % len(ids)
            self._changed.add(ids[at : at + LOOK_AGAIN], asyncio.get_running_loop().time())
            self._around = at + LOOK_AGAIN

    async def _tell_changes(self, gone: list[str], most: int = PAGE) -> None:
        """So much of what changed; the rest in the next beat."""
        ids, kinds, self._kinds = self._changed.take(most), self._kinds, {}
        fresh, missing = await self._read(ids) if ids else ([], [])
        gone += missing
        late_s = self._changed.late_s(asyncio.get_running_loop().time())
        if fresh or gone or kinds or (self._told_late_s and not late_s):  # else it would look late ever after
            named = {name: tuple(each) for name, each in kinds.items()}
            rows = BoardRows(columns=COLUMNS, rows=tuple(fresh), gone=tuple(gone))
            self._told_late_s = late_s
            self._tell(BoardChange(now=self.clock.now_ms(), rows=rows, kinds=named, late_s=late_s))

    def _tell(self, change: BoardChange) -> None:
        if self.listeners:
            told = b"data: %b\n\n" % msgspec.json.encode(change)
            for each in self.listeners:
                each.tell(told)

    async def _read_all(self) -> None:
        ids = await self.stored.requests.board_ids(MOST_OPEN, MOST_ENDED)
        self._forget(self.rows.keys() - set(ids))
        for at in range(0, len(ids), PAGE):
            await self._read(ids[at : at + PAGE], places=False)
            await asyncio.sleep(0)
        self._unplaced = iter([each for each in ids if each not in self.places])

    async def _read(self, ids: Sequence[str], *, places: bool = True) -> tuple[list[Row], list[str]]:
        """Rows that are others than they were, and ids of those that are there no more."""
        new = [each for each in ids if each not in self.places] if places else []
        records, bodies = await self.stored.requests.records_and_bodies(ids, new)
        self._place(records, bodies)
        if places:
            await self._place_amended(records)
        made = [row_made(self.stored, each, self._places(each)) for each in records.values()]
        fresh = [each for each in made if each is not None and self.rows.get(each.id) != each]
        for row in fresh:
            self.rows[row.id], self.encoded[row.id] = row, msgspec.json.encode(row)
        gone = [each for each in ids if each not in records and each in self.rows]
        self._forget(gone)
        return fresh, gone

    def _places(self, record: RequestRecord) -> Places:
        return self.places.get(record.id, (0, NOWHERE))[1]

    def _place(self, records: Mapping[str, RequestRecord], bodies: Mapping[str, bytes | None]) -> None:
        """Note where those are whose bodies were read with or after their records."""
        found = {name: body for name, body in bodies.items() if name in records}
        for name, body in self.stored.requests.bodies_in(found).items():
            self.places[name] = records[name].revision, places_made(self.stored, name, body)

    async def _place_amended(self, records: Mapping[str, RequestRecord]) -> None:
        """Read again where those are that are others than they were."""
        placed = ((each, self.places.get(each.id)) for each in records.values())
        amended = [each.id for each, place in placed if place is not None and place[0] != each.revision]
        if amended:
            _, bodies = await self.stored.requests.records_and_bodies([], amended)
            self._place(records, bodies)

    def _forget(self, ids: Iterable[str]) -> None:
        for each in ids:
            self.rows.pop(each, None)
            self.encoded.pop(each, None)
            self.places.pop(each, None)


class Boards:
    """The boards of one process, each made when somebody looks."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._boards = clock, dict[str, Board]()

    def of(self, stored: MarketStore) -> Board:
        """The board of a market, which is looked at now."""
        found = self._boards.get(stored.name)
        if found is None or found.has_ended:
            found = self._boards[stored.name] = Board(stored, self._clock)
            found.start()
        found.look()
        return found

    async def aclose(self) -> None:
        """End them all."""
        await asyncio.gather(*(each.aclose() for each in self._boards.values()))
