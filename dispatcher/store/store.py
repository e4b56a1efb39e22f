"""The store, whole: its markets over one committer, one reader, one vault."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial
from types import TracebackType
from typing import Self

from dispatcher.domain.refusals import Unavailable
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.store import health
from dispatcher.store.agreement import Agreement
from dispatcher.store.aside import Aside
from dispatcher.store.committer import CONNECTIONS, QUEUE_LIMIT
from dispatcher.store.connection import TIMEOUT_S, named, unavailable
from dispatcher.store.format_numbers import FormatNumbers
from dispatcher.store.health import Health, Watch
from dispatcher.store.identity import Identity
from dispatcher.store.market import MarketStore
from dispatcher.store.node import Node
from dispatcher.store.once import Once
from dispatcher.store.servers import servers_of
from dispatcher.store.sign_ins import SignIns
from dispatcher.store.skew import Skew, all_ahead_s
from dispatcher.store.streams import Streams
from dispatcher.store.tail import Tail
from dispatcher.store.waits import Waits


class Store:
    """The system of record, for one process. Use as an async context manager, or call `aclose`.

    `store.market(name)` has the parts of one market: requests, tasks, vendors, capacity, tuning, scorecards,
    dead letters, lease, matchers, pulse, retention; and `commit`. `store.streams` reads any market's streams;
    `store.once` is what may happen once, `store.sign_ins` who signs in to a vendor's page, `store.aside` what
    could not be read, `store.agreement` which patient key is sealed under,
    `store.skew` how wrong this machine's clock is, by market, `store.waits` who waits while it is away.
    """

    def __init__(
        self,
        url: str,
        ring: PatientKeyFile,
        *,
        queue_limit: int = QUEUE_LIMIT,
        connections: int = CONNECTIONS,
        timeout_s: float = TIMEOUT_S,
        identity: str = "",
        trouble: Callable[[], str] = str,
        replicas: int = 0,
    ) -> None:
        """`identity`: which store it must be; "": whichever is found first. `replicas`: see `servers_of`.

        `trouble`: why the server is away, if whoever runs it knows; "" while it is there.
        """
        self.url = url
        self.servers = servers_of(
            url, queue_limit=queue_limit, connections=connections, timeout_s=timeout_s, replicas=replicas
        )
        self.reader, self.committer = self.servers.reader, self.servers.committer
        self.vault, self.aside = Vault(ring), Aside()
        self.skew, self.waits = Skew(self.reader), Waits()
        self.agreement = Agreement(self.vault, self.aside, self.skew.ahead_s)
        self._node = Node(self.servers, self.vault, self.aside)
        self.streams, self.formats = Streams(self.reader), FormatNumbers(self.reader)
        self.once, self.sign_ins = Once(self.reader), SignIns(self.reader)
        self._markets: dict[str, MarketStore] = {}
        self._identity, self._trouble = Identity(self.reader, identity), trouble
        self._watch = Watch(self._relied_on)
        self._watches = {"": self._watch}  # by server, where there are several: each market's is its own

    @property
    def silent(self) -> str:
        """Told to those who run it, while it gives no answer: which store, and why if that is known."""
        why = f" ({self.reader.failure})" if self.reader.failure else ""
        return f"{named(self.url)} gave no answer{why}"

    def market(self, name: str) -> MarketStore:
        """One market; its keys are made once."""
        found = self._markets.get(name)
        if found is None:
            found = self._markets[name] = MarketStore(self._node, name)
        return found

    @contextlib.asynccontextmanager
    async def tail(self, *, wait_s: float = 5.0) -> AsyncIterator[Tail]:
        """A reader that waits for new entries, on a connection of its own."""
        tail = Tail(self.servers, wait_s)
        try:
            yield tail
        finally:
            await tail.aclose()

    async def health(self) -> Health:
        """Whether the server keeps what it acknowledges, is the one that was in use, and lets us work."""
        trouble = self._trouble()
        if trouble:
            return Health("", (trouble,))
        found = await health.check_all(self.servers, self._identity, list(self._markets))
        served = [each for each in self._markets if not found.problems or await self._is_on(found.well, each)]
        if found.lacking or (found.problems and not served):
            return found
        try:
            newer = await self.formats.problems(served)
        except Unavailable as error:
            return Health("", (error.detail,))
        return found._replace(newer=newer, keyless=self.agreement.reasons(served), served=tuple(served))

    async def _is_on(self, well: Collection[str], market: str) -> bool:
        """Whether one of these servers has it."""
        try:
            return bool(well) and await self.servers.place_of(self.market(market).keys.events) in well
        except Unavailable:
            return False

    async def health_of(self, market: str) -> Health:
        """As it was a moment ago, and what of one market cannot be read; without what rights we lack."""
        found = await self._watch.health()
        if found.problems:
            return found
        newer = await self.formats.problems([market])
        return found._replace(newer=newer, keyless=self.agreement.reasons([market]))

    async def _relied_on(self) -> Health:
        """As `health`, without what grows with the markets: it is asked every second, beside all else."""
        trouble = self._trouble()
        return Health("", (trouble,)) if trouble else await health.check_all(self.servers, self._identity)

    async def refuse_unless_durable(self, market: str) -> None:
        """Raises Unavailable when the market's server, asked a moment ago, would not keep what it takes."""
        place = await self.servers.place_of(self.market(market).keys.events)
        watch = self._watches.get(place)
        if watch is None:
            watch = self._watches[place] = Watch(partial(self._server, place))
        found = await watch.health()
        if not found.durable:
            reason = found.problems[0].partition(chr(10))[0].rstrip(".")
            raise unavailable(f"the store is not durable: {reason}.")

    async def _server(self, place: str) -> Health:
        """One server of a cluster. What it had may be another's by now."""
        reader = dict(await self.servers.readers()).get(place)
        found = (
            Health("", (f"{place} has no market",))
            if reader is None
            else await health.check_in(reader, health.PATIENCE_S, replicas=self.servers.replicas)
        )
        if found.problems:
            await self.servers.look_again()
        return found

    def has_wrong_clock(self, market: str) -> bool:
        """Whether this machine's clock is wrong, and not the market's server's: others say that it is right.

        Then they should do what goes by the time: offers of ours would end too late or too soon.
        """
        all_wrong = all_ahead_s(self.agreement.clocks(market).values())
        return bool(self.skew.ahead_s(market)) and not all_wrong

    async def refuse_if_lost(self) -> None:
        """Raises Unavailable when what is not found may have been lost: "there is none" would be untrue."""
        found = await self._watch.health()
        if found.lost:
            raise unavailable(f"{found.problems[-1]}.")

    async def memory_bytes(self) -> int:
        """What the server's data takes in memory, all told."""
        each = [await reader.ask("INFO", "memory") for _, reader in await self.servers.readers()]
        return sum(int(info["used_memory"]) for info in each)

    async def aclose(self) -> None:
        """Finish what waits, then let all connections go."""
        await self.servers.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
