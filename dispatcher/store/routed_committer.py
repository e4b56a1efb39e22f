"""Commits of a cluster: each program goes to the server that has its market, or to that one's successor."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from redis.asyncio import Redis

from dispatcher.domain.refusals import Unavailable
from dispatcher.store import asking
from dispatcher.store.committer import Committer
from dispatcher.store.connection import PAUSE_S, REDIRECTED, unavailable
from dispatcher.store.lineage import Lineage
from dispatcher.store.outcome import NOT_SENT, UNKNOWN, Outcome
from dispatcher.store.program import Program
from dispatcher.store.routed_reader import SILENCE_S
from dispatcher.store.topology import Address, Topology


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
