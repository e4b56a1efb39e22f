"""A Redis or Valkey Cluster: each market lies whole in one slot, whose primary may be another in a moment.

Who is sent elsewhere (MOVED) has done nothing, and asks again there; who gets no answer asks who has the slot
now. A program is sent again as it is: it cannot have its effect twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected

from dispatcher.domain.refusals import Unavailable
from dispatcher.store import asking
from dispatcher.store.committer import Committer
from dispatcher.store.connection import (
    CONNECTION_ERRORS,
    LEADERLESS,
    PAUSE_S,
    REDIRECTED,
    SPLIT,
    Elsewhere,
    Reader,
    unavailable,
)
from dispatcher.store.lineage import Lineage
from dispatcher.store.outcome import NOT_SENT, UNKNOWN, Outcome
from dispatcher.store.program import Program
from dispatcher.store.servers import Line
from dispatcher.store.topology import Address, Topology

KEYLESS = frozenset({"INFO", "CONFIG", "PING", "ACL", "CLUSTER", "COMMAND", "SCRIPT", "TIME", "DRYRUN"})
OF_A_MARKET = "dispatch:{"  # what keys and patterns with a hash tag begin with
SCRIPTS = frozenset({"EVAL", "EVALSHA"})
NAMED_SECOND = frozenset({"XINFO", "XGROUP", "OBJECT", "MEMORY"})
ELSEWHERE = (*REDIRECTED, LEADERLESS)  # there, or there in a moment
SILENCE_S = 1.0  # without an answer for so long, it is asked who has the slot now


class Cluster:
    """See `Servers`."""

    def __init__(
        self, url: str, *, queue_limit: int, connections: int, timeout_s: float, replicas: int
    ) -> None:
        self.url, self.topology, self.replicas = url, Topology(url), replicas
        self.reader = RoutedReader(self.topology, timeout_s)
        self.committer = RoutedCommitter(
            self.topology,
            lambda client, lineage: Committer(
                client,
                lineage=lineage,
                queue_limit=queue_limit,
                connections=connections,
                timeout_s=min(timeout_s, SILENCE_S),
                replicas=replicas,
            ),
            timeout_s,
            replicas,
        )

    def line(self, timeout_s: float) -> Line:
        """See `Servers`."""
        return _RoutedLine(self.topology, timeout_s)

    async def readers(self) -> Sequence[tuple[str, Reader]]:
        """See `Servers`."""
        wait_s = min(self.reader.timeout_s, SILENCE_S)
        return [(str(each), Reader(self.reader.of(each), wait_s)) for each in await self.topology.primaries()]

    async def place_of(self, key: str) -> str:
        """See `Servers`."""
        return str(await self.topology.address(key))

    async def look_again(self) -> None:
        """See `Servers`."""
        with contextlib.suppress(Unavailable):  # none answers: whoever asks for a key hears so
            await self.topology.refresh(self.topology.age)

    async def is_whole(self) -> bool:
        """See `Servers`."""
        return await self.topology.is_whole()

    async def aclose(self) -> None:
        """See `Servers`."""
        await self.committer.aclose()
        await self.reader.aclose()


class RoutedReader(Reader):
    """Sends each command to the server that has its key, those of one server together."""

    def __init__(self, topology: Topology, timeout_s: float) -> None:
        super().__init__(topology.client(topology.seeds[0]), timeout_s)
        self.topology = topology
        self._clients: dict[Address, Redis] = {}

    def of(self, address: Address) -> Redis:
        """The client of one server, made once."""
        found = self._clients.get(address)
        if found is None:
            found = self._clients[address] = self.topology.client(address)
        return found

    async def client_of(self, key: str) -> Redis:
        """See `Reader`."""
        return self.of(await self.topology.address(key))

    async def aclose(self) -> None:
        """Let all connections go."""
        await asyncio.gather(self.client.aclose(), *(each.aclose() for each in self._clients.values()))

    async def _send(self, commands: Sequence[Sequence[Any]], *, raise_on_error: bool) -> list[Any]:
        age, places = self.topology.age, defaultdict[Address, list[int]](list)
        for number, words in enumerate(commands):
            places[await self._address(words)].append(number)
        answers: list[Any] = [None] * len(commands)
        try:
            for address, numbers in places.items():
                some = [commands[each] for each in numbers]
                told = await self._followed(address, some, raise_on_error=raise_on_error)
                if moved := [each for each in told if isinstance(each, ELSEWHERE)]:
                    raise moved[0]
                for number, answer in zip(numbers, told, strict=True):
                    answers[number] = answer
        except SPLIT as error:
            raise Elsewhere(str(error).rstrip(".")) from error
        except ELSEWHERE as error:
            await self.topology.refresh(age)
            raise Elsewhere(str(error).rstrip(".")) from error
        except CONNECTION_ERRORS:
            await self.topology.refresh(age)
            raise
        return answers

    async def _followed(
        self, address: Address, commands: Sequence[Sequence[Any]], *, raise_on_error: bool
    ) -> list[Any]:
        """As `_answered`; what went from there already, while its slot moves key by key, is asked after."""
        try:
            told = await self._answered(address, commands, raise_on_error=raise_on_error)
        except (*REDIRECTED, SPLIT) as error:
            if isinstance(error, REDIRECTED) and asking.goes_to(error) is None:
                raise
            told = await self._answered(address, commands, raise_on_error=False)
        if any(isinstance(each, (*REDIRECTED, SPLIT)) for each in told):
            await self._ask_there(address, commands, told)
        for each in told:
            if isinstance(each, SPLIT) or (raise_on_error and isinstance(each, Exception)):
                raise each
        return told

    async def _ask_there(self, address: Address, commands: Sequence[Sequence[Any]], told: list[Any]) -> None:
        """Put right what was told of keys that went from `address`, or are half there."""
        gone = defaultdict[Address, list[int]](list)
        for at, each in enumerate(told):
            if (there := asking.goes_to(each)) is not None:
                gone[there].append(at)
            elif isinstance(each, SPLIT) and (parts := asking.apart(commands[at])):
                told[at] = asking.joined(await self._followed(address, parts, raise_on_error=False))
        for there, places in gone.items():
            answers = await asking.answers_of(self.of(there), [commands[at] for at in places])
            for at, answer in zip(places, answers, strict=True):
                told[at] = answer

    async def _answered(
        self, address: Address, commands: Sequence[Sequence[Any]], *, raise_on_error: bool
    ) -> list[Any]:
        """One server's answers; while it is silent, it is asked whether another has its slots by now."""
        sending = asyncio.create_task(
            self._send_to(self.of(address), commands, raise_on_error=raise_on_error)
        )
        try:
            while not (await asyncio.wait({sending}, timeout=SILENCE_S))[0]:
                await self.topology.refresh(self.topology.age)
                if address not in await self.topology.primaries():
                    raise Disconnected("it is silent, and another has what it had")
            return sending.result()
        finally:
            sending.cancel()

    async def _address(self, words: Sequence[Any]) -> Address:
        key = key_of(words)
        return (await self.topology.primaries())[0] if key is None else await self.topology.address(key)


class RoutedCommitter:
    """One committer a server. Raises what `Committer` raises."""

    def __init__(
        self,
        topology: Topology,
        committer_of: Callable[[Redis, Lineage], Committer],
        timeout_s: float,
        replicas: int = 0,
    ) -> None:
        self.topology, self._timeout_s, self._replicas = topology, timeout_s, replicas
        self._committer_of = committer_of
        self._lineage = Lineage()
        self._committers: dict[Address, tuple[Committer, Redis]] = {}

    @property
    def waiting(self) -> int:
        """How many programs have no answer yet."""
        return sum(each.waiting for each, _ in self._committers.values())

    @property
    def repeated(self) -> int:
        """Programs asked for again because their answer was lost."""
        return sum(each.repeated for each, _ in self._committers.values())

    @property
    def lineage(self) -> int:
        """See `Committer.lineage`; of all servers."""
        return self._lineage.number

    async def commit(self, program: Program, *, since: int | None = None) -> Outcome:
        """See `Committer.commit`. Where a server went away, its successor is asked the same."""
        read_at = self.lineage if since is None else since
        deadline, asked_again = time.monotonic() + self._timeout_s, False
        while True:
            age, last = self.topology.age, None
            try:
                return await self._sent(program, read_at, asked_again=asked_again)
            except REDIRECTED:  # nothing was done
                pass
            except Unavailable as refusal:
                if "outcome" not in refusal.facts:  # it is too busy, or takes no writes
                    raise
                last, asked_again = refusal, asked_again or refusal.facts["outcome"] == UNKNOWN
            if time.monotonic() > deadline:
                raise _refusal(last, asked_again=asked_again)
            with contextlib.suppress(Unavailable):  # none answers: until the deadline one may
                await self.topology.refresh(age)
            await asyncio.sleep(PAUSE_S)

    async def _sent(self, program: Program, since: int, *, asked_again: bool) -> Outcome:
        committer = self._of(await self.topology.address(program.key))
        try:
            return await committer.commit(program, since=since, asked_again=asked_again)
        except REDIRECTED as error:
            if (address := asking.goes_to(error)) is None:
                raise
        self._of(address)
        return await asking.commit(
            self._committers[address][1],
            self._lineage,
            program,
            since=since,
            asked_again=asked_again,
            replicas=self._replicas,
        )

    def _of(self, address: Address) -> Committer:
        found = self._committers.get(address)
        if found is None:
            client = self.topology.client(address, timeout_s=2 * SILENCE_S)
            found = self._committers[address] = self._committer_of(client, self._lineage), client
        return found[0]

    async def aclose(self) -> None:
        """Take nothing more, finish what waits, let the connections go."""
        await asyncio.gather(*(each.aclose() for each, _ in self._committers.values()))
        await asyncio.gather(*(client.aclose() for _, client in self._committers.values()))


def _refusal(last: Unavailable | None, *, asked_again: bool) -> Unavailable:
    """What was said last, or that nothing was."""
    refusal = last or unavailable("the server that has this market does not answer.")
    refusal.facts["outcome"] = UNKNOWN if asked_again else NOT_SENT
    return refusal


class _RoutedLine:
    """A client of the server that has the key, kept until it breaks."""

    def __init__(self, topology: Topology, timeout_s: float) -> None:
        self._topology, self._timeout_s = topology, timeout_s
        self._address: Address | None = None
        self._client: Redis | None = None
        self._age = 0

    async def to(self, key: str) -> Redis:
        try:
            address = await self._topology.address(key)
        except Unavailable as error:
            raise Disconnected(str(error)) from error
        self._age = self._topology.age
        if self._client is None or address != self._address:
            await self.aclose()
            self._address, self._client = address, self._topology.client(address, timeout_s=self._timeout_s)
        return self._client

    async def broke(self) -> None:
        await self.aclose()
        try:
            await self._topology.refresh(self._age)
        except Unavailable:  # all of them are away: `to` will say so
            return

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def key_of(words: Sequence[Any]) -> str | None:
    """The first key of a command; None if it has none. A market's keys and patterns hold its hash tag."""
    name = _text(words[0]).upper()
    if name in SCRIPTS:
        return _text(words[3])
    tagged = next((each for each in map(_text, words[1:]) if each.startswith(OF_A_MARKET)), None)
    if tagged is not None:
        return tagged
    if name.partition(" ")[0] in KEYLESS:
        return None
    return _text(words[2 if name in NAMED_SECOND else 1])


def _text(word: Any) -> str:
    return word.decode(errors="replace") if isinstance(word, bytes) else str(word)
