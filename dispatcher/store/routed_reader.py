"""Reads of a cluster: each goes to the server that has its key, and follows it where that moves meanwhile."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected

from dispatcher.store import asking
from dispatcher.store.connection import CONNECTION_ERRORS, LEADERLESS, REDIRECTED, SPLIT, Elsewhere, Reader
from dispatcher.store.topology import Address, Topology

KEYLESS = frozenset({"INFO", "CONFIG", "PING", "ACL", "CLUSTER", "COMMAND", "SCRIPT", "TIME", "DRYRUN"})
OF_A_MARKET = "dispatch:{"  # what keys and patterns with a hash tag begin with
SCRIPTS = frozenset({"EVAL", "EVALSHA"})
NAMED_SECOND = frozenset({"XINFO", "XGROUP", "OBJECT", "MEMORY"})
ELSEWHERE = (*REDIRECTED, LEADERLESS)  # there, or there in a moment
SILENCE_S = 1.0  # without an answer for so long, it is asked who has the slot now


class RoutedReader(Reader):
    """Sends each command to the server that has its key, those of one server together.

    What names no key is asked where the others go that are asked with it.
    """

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

    async def _send(
        self, commands: Sequence[Sequence[Any]], *, raise_on_error: bool, near: str | None
    ) -> list[Any]:
        age, places = self.topology.age, defaultdict[Address, list[int]](list)
        keys = [key_of(words) for words in commands]
        near = near or next(filter(None, keys), None)
        for number, key in enumerate(keys):
            places[await self._address(key or near)].append(number)
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

    async def _address(self, key: str | None) -> Address:
        return (await self.topology.primaries())[0] if key is None else await self.topology.address(key)


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
