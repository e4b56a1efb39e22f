"""The routing server of one process: what is known of it, and what is fetched from it in the background.

Nobody waits for the server. What is not known yet is answered by `DetourTravel`, noted, and asked for in
tiles; the next plan finds it. No point is in any log line, metric or error.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import structlog

from contracts.tuning import Number
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.travel.breaker import Breaker
from dispatcher.travel.cache import Cache
from dispatcher.travel.osrm import Osrm
from dispatcher.travel.source import Hours, RoadTravel
from dispatcher.travel.tiles import Refused, Server, StrangeAnswer, Tile, TooLarge, first_tile
from dispatcher.travel.url import OSRM, TravelUrl
from dispatcher.travel.valhalla import Valhalla
from solvers.known_travel import Answers, Pair
from solvers.travel import DetourTravel

TIMEOUT_S = 5.0  # real seconds a tile may take
AT_ONCE = 2  # tiles that are asked for at the same time
MOST_WANTED = 50_000  # pairs and hours; what is beyond is noted again by the next plan
MOST_BYTES = 16_000_000  # of an answer
ROAD, ESTIMATE = "road", "estimate"
OK, REFUSED, FAILED = "ok", "refused", "failed"
log = structlog.get_logger()


@dataclass(eq=False)
class Engine:
    """`travel_of` is for whoever plans; `run` fetches, as long as the process lives."""

    url: TravelUrl
    tile: int = 0  #: largest side; 0: what the server takes unless it is configured
    by_get: bool = False
    timeout_s: float = TIMEOUT_S
    now: Callable[[], float] = time.monotonic
    breaker: Breaker = field(default_factory=Breaker)
    cache: Cache = field(default_factory=Cache)
    pairs: Counter[str] = field(default_factory=Counter)  #: looked at, by what answered
    calls: Counter[str] = field(default_factory=Counter)  #: by what became of them
    changed: asyncio.Event = field(default_factory=asyncio.Event)  #: set when it fails or answers again

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.server: Server = Osrm(self.by_get) if self.url.kind == OSRM else Valhalla()
        self._wanted: dict[int, dict[Pair, None]] = {}  # by hour, in order
        self._again: deque[Tile] = deque()  # parts of tiles that were refused
        self._lock = threading.Lock()  # a batch is encoded in a thread
        self._work = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def travel_of(self, values: Mapping[str, Number]) -> RoadTravel:
        """What is known by now, for one plan or one call; see `TravelOf`."""
        return RoadTravel(self.look, DetourTravel.of(values))

    def look(self, asked: Mapping[Pair, Hours]) -> Mapping[Pair, Answers]:
        """Of each pair what is known by hour; what is not is noted to be asked for. Never waits."""
        found, now_s = dict[Pair, Answers](), self.now()
        with self._lock:
            for pair, hours in asked.items():
                found[pair], missing = self.cache.look(pair, sorted(hours), now_s)
                self.pairs[ROAD if found[pair] else ESTIMATE] += 1
                self._want(pair, missing)
            is_wanted = bool(self.waiting)
        if self._loop is not None and is_wanted:
            self._loop.call_soon_threadsafe(self._work.set)
        return found

    @property
    def waiting(self) -> int:
        """Pairs and hours that are to be asked for; in a thread, under the lock."""
        return sum(map(len, self._wanted.values())) + sum(len(each.pairs) for each in self._again)

    async def run(self) -> None:
        """Ask for what is wanted, a few tiles at a time, until cancelled. Whatever fails, this goes on."""
        self._loop = asyncio.get_running_loop()
        self._work.set()
        timeout, jar = aiohttp.ClientTimeout(self.timeout_s), aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar) as session:
            while not cancel_requested():
                await self._work.wait()
                await asyncio.sleep(self.breaker.wait_s(self.now()))
                self._work.clear()
                tiles = self._next_tiles(AT_ONCE if self.breaker.answers else 1)
                await asyncio.gather(*(self._fetch(session, each) for each in tiles))
                if tiles:
                    self._work.set()

    def _want(self, pair: Pair, hours: list[int]) -> None:
        for hour in hours if self.server.by_hour or not hours else (0,):
            if self.waiting < MOST_WANTED:
                self._wanted.setdefault(hour, {})[pair] = None

    def _next_tiles(self, most: int) -> list[Tile]:
        with self._lock:
            found = [self._again.popleft() for _ in range(min(most, len(self._again)))]
            while self._wanted and len(found) < most:
                hour, pairs = next(iter(self._wanted.items()))
                now_s = self.now()
                some = [each for each in pairs if self.cache.lacks(each, hour, now_s)]
                tile = first_tile(some, hour, self._fits)
                self._wanted[hour] = dict.fromkeys(some[len(tile.pairs) :])
                if not self._wanted[hour]:
                    del self._wanted[hour]
                found += [tile] if tile.pairs else []
        return found

    def _fits(self, origins: int, destinations: int) -> bool:
        return self.server.fits(origins, destinations, self.tile)

    async def _fetch(self, session: aiohttp.ClientSession, tile: Tile) -> None:
        """Keep the answers of a tile. What a failure leaves out is asked for when a plan misses it again."""
        try:
            status, body = await self._answer(session, tile)
            answers = self.server.read(tile, status, body)
        except Refused as refusal:
            self._refused(tile, isinstance(refusal, TooLarge))
        except Exception as error:  # a server may fail in any way
            self._failed(str(error) if isinstance(error, StrangeAnswer) else type(error).__name__)
        else:
            self.calls[OK] += 1
            self._worked()
            with self._lock:
                for pair, answer in zip(tile.pairs, answers, strict=True):
                    self.cache.keep(pair, tile.hour, answer, self.now())

    async def _answer(self, session: aiohttp.ClientSession, tile: Tile) -> tuple[int, bytes]:
        call = self.server.call(tile)
        method = "GET" if call.body is None else "POST"
        url = self.url.base + call.path
        async with session.request(method, url, json=call.body, allow_redirects=False) as answer:
            body = bytearray()
            async for part in answer.content.iter_any():
                body += part
                if len(body) > MOST_BYTES:
                    raise StrangeAnswer(f"an answer of more than {MOST_BYTES} bytes")
            return answer.status, bytes(body)

    def _refused(self, tile: Tile, too_large: bool) -> None:
        """Ask for its halves; of a pair by itself there is no road."""
        self.calls[REFUSED] += 1
        self._worked()
        with self._lock:
            if len(tile.pairs) > 1:
                self._again += tile.halves()
            else:
                self.cache.keep(tile.pairs[0], tile.hour, None, self.now())
        if too_large:
            self.tile = max(2, (self.tile or self.server.largest) // 2)
            log.warning("travel_tile_too_large", server=self.server.kind, tile_from_now_on=self.tile)

    def _worked(self) -> None:
        if self.breaker.worked():
            log.info("travel_server_answers", server=self.server.kind)
            self.changed.set()

    def _failed(self, why: str) -> None:
        self.calls[FAILED] += 1
        if self.breaker.failed(why, self.now()):
            log.warning("travel_server_fails", server=self.server.kind, why=why, instead="estimates")
            self.changed.set()
