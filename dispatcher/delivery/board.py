"""The board of a market, kept up to date for all who look at it: read once, then by what the events tell.

Whoever looks gets the same bytes: a row is encoded when it changes, a change once for all. What no event
tells is found by reading every row again, a few at a time. When nobody has looked for a while, it goes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
import structlog

from contracts.board import BoardChange, BoardRows
from dispatcher.delivery.board_listener import Listener
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.joint import JointFeed
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.logs import outline
from dispatcher.runtime.pace import Pace
from dispatcher.service.board import COLUMNS, Places, Row, places_of, row_of
from dispatcher.store.events import Entry
from dispatcher.store.market import MarketStore

MOST_OPEN = 50_000  # rows of requests that have not ended
MOST_ENDED = 5_000  # and of those that ended, the latest received
PAGE = 200  # records read at a time: between two pages others have their turn
BEAT_S = 0.2  # what changes within it is told together (real seconds)
LOOK_AGAIN = 50  # rows read again each second, whether or not an event told of them
IDLE_S = 600.0  # a board that nobody looks at is kept so long
PAUSE_S = 1.0
TOLD = 50  # subjects named of one type of event; who needs all reads again
log = structlog.get_logger()

_COLUMNS = msgspec.json.encode(COLUMNS)


class _Data(msgspec.Struct, frozen=True):
    """Of an event's data, what it is about."""

    request_id: str = ""


class _Told(msgspec.Struct, frozen=True):
    """Of an event, what a board needs to know: the rest is not looked at."""

    type: str
    subject: str = ""
    data: _Data | None = None


_TOLD = msgspec.msgpack.Decoder(_Told)


class Board:
    """The rows of one market. `start` it; `ready` is set once all are there."""

    def __init__(self, stored: MarketStore, hub: Hub, clock: Clock) -> None:
        self.stored, self.hub, self.clock = stored, hub, clock
        self.rows: dict[str, Row] = {}
        self.encoded: dict[str, bytes] = {}
        self.places: dict[str, tuple[int, Places]] = {}  # with the revision of the body that said so
        self.listeners: set[Listener] = set()
        self.ready = asyncio.Event()
        self.looked_at = asyncio.get_running_loop().time()
        self._changed: dict[str, None] = {}
        self._kinds: dict[str, dict[str, None]] = {}
        self._around = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read all, then follow, until `aclose`."""
        self._task = asyncio.create_task(self._run())

    @property
    def idle(self) -> bool:
        """Whether nobody has looked for so long that it may go."""
        now = asyncio.get_running_loop().time()
        if self.listeners:
            self.looked_at = now
        return now - self.looked_at > IDLE_S

    def page(self) -> bytes:
        """All of it, as JSON."""
        self.looked_at = asyncio.get_running_loop().time()
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
        try:
            yield listener
        finally:
            self.listeners.discard(listener)

    async def aclose(self) -> None:
        """Stop; who listens is woken."""
        for each in self.listeners:
            each.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self.idle:
            try:
                await self._follow()
            except Unavailable:  # the store is away, as /readyz says: all is read again once it is back
                pass
            except Exception as error:
                log.error("board_failed", market=self.stored.name, **outline(error))
            self.ready.clear()
            await asyncio.sleep(PAUSE_S)

    async def _follow(self) -> None:
        """All that is there, then what happens; begins again when something was missed."""
        keys = self.stored.keys
        async with self.hub.follow_all((keys.events, keys.matches)) as feed:
            self._changed.clear()
            await self._read_all()
            self.ready.set()
            self._tell(BoardChange(now=self.clock.now_ms(), again=True))
            places = asyncio.create_task(self._find_places())
            try:
                await self._beat(feed)
            finally:
                places.cancel()

    async def _beat(self, feed: JointFeed) -> None:
        loop = asyncio.get_running_loop()
        again_at, pace = loop.time() + 1.0, Pace()
        while not feed.closed and not self.idle:
            gone = list[str]()
            heard = await feed.next(0 if self._changed else 1.0)
            if heard:
                await asyncio.sleep(BEAT_S)  # more may come: it is told together
                heard += await feed.next(0)
            pace.begin()
            for each in heard:
                self._hear(each.entry)
            if loop.time() >= again_at:
                again_at = loop.time() + 1.0
                self._look_again()
                gone = self._trim()
            await self._tell_changes(gone)
            await asyncio.sleep(pace.rest_s())

    def _trim(self) -> list[str]:
        """Ids of the oldest that ended, once there are too many; they are forgotten here."""
        ended = [each for each in self.rows.values() if each.ended]
        if len(ended) <= MOST_ENDED + PAGE:
            return []
        ended.sort(key=lambda each: each.received)
        gone = [each.id for each in ended[: len(ended) - MOST_ENDED]]
        for each in gone:
            self._forget(each)
        return gone

    def _hear(self, entry: Entry) -> None:
        try:
            told = _TOLD.decode(entry.event)
        except msgspec.MsgspecError:
            return
        self._kinds.setdefault(told.type, {})[told.subject] = None
        request_id = told.data.request_id if told.data else ""
        request_id = request_id or (told.subject if told.type.startswith("dispatch.request.") else "")
        if request_id:
            self._changed[request_id] = None

    def _look_again(self) -> None:
        """The next few rows, round and round."""
        ids = list(self.rows)
        if ids:
            at = self._around % len(ids)
            self._changed |= dict.fromkeys(ids[at : at + LOOK_AGAIN])
            self._around = at + LOOK_AGAIN

    async def _tell_changes(self, gone: list[str]) -> None:
        """A page of what changed; the rest in the next beat."""
        ids, kinds = list(islice(self._changed, PAGE)), self._kinds
        self._kinds = {}
        for each in ids:
            del self._changed[each]
        fresh, missing = await self._read(ids) if ids else ([], [])
        gone += missing
        if fresh or gone or kinds:
            named = {name: tuple(each)[:TOLD] for name, each in kinds.items()}
            rows = BoardRows(columns=COLUMNS, rows=tuple(fresh), gone=tuple(gone))
            self._tell(BoardChange(now=self.clock.now_ms(), rows=rows, kinds=named))

    def _tell(self, change: BoardChange) -> None:
        if self.listeners:
            told = b"data: %b\n\n" % msgspec.json.encode(change)
            for each in self.listeners:
                each.tell(told)

    async def _read_all(self) -> None:
        ids = await self.stored.requests.board_ids(MOST_OPEN, MOST_ENDED)
        for gone in self.rows.keys() - set(ids):
            self._forget(gone)
        for at in range(0, len(ids), PAGE):
            await self._read(ids[at : at + PAGE], places=False)
            await asyncio.sleep(0)

    async def _read(self, ids: Sequence[str], *, places: bool = True) -> tuple[list[Row], list[str]]:
        """Rows that are others than they were, and ids of those that are there no more."""
        records = await self.stored.requests.records.get_all(ids)
        if places:
            await self._place(records.values())
        made = [row_of(each, self._places(each)) for each in records.values()]
        fresh = [each for each in made if self.rows.get(each.id) != each]
        for row in fresh:
            self.rows[row.id], self.encoded[row.id] = row, msgspec.json.encode(row)
        gone = [each for each in ids if each not in records and each in self.rows]
        for each in gone:
            self._forget(each)
        return fresh, gone

    def _places(self, record: RequestRecord) -> Places:
        return self.places.get(record.id, (0, Places()))[1]

    async def _place(self, records: Iterable[RequestRecord]) -> None:
        """Read where those are that are new, or others than they were."""
        wanted = {
            each.id: each.revision
            for each in records
            if self.places.get(each.id, (-1, None))[0] != each.revision
        }
        if wanted:
            bodies = await self.stored.requests.bodies(list(wanted))
            for name, body in bodies.items():
                self.places[name] = wanted[name], places_of(body)

    async def _find_places(self) -> None:
        """Of all that were read without; the board is looked at meanwhile."""
        with contextlib.suppress(Unavailable):
            ids = [each for each in self.rows if each not in self.places]
            for at in range(0, len(ids), PAGE):
                self._changed |= dict.fromkeys(ids[at : at + PAGE])
                await asyncio.sleep(BEAT_S)

    def _forget(self, request_id: str) -> None:
        self.rows.pop(request_id, None)
        self.encoded.pop(request_id, None)
        self.places.pop(request_id, None)


class Boards:
    """The boards of one process, each made when somebody looks."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub, self._clock = hub, clock
        self._boards: dict[str, Board] = {}

    def of(self, stored: MarketStore) -> Board:
        """The board of a market."""
        found = self._boards.get(stored.name)
        if found is None or found.idle:
            if found is not None:
                self._closing = asyncio.ensure_future(found.aclose())
            found = self._boards[stored.name] = Board(stored, self._hub, self._clock)
            found.start()
        return found

    async def aclose(self) -> None:
        """End them all."""
        await asyncio.gather(*(each.aclose() for each in self._boards.values()))
