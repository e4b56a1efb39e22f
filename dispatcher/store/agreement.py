"""Which patient key this process seals under: one that every running process of the market can read.

What is sealed under a key that some process cannot read would be committed here and refused there. So each
says what it can read, and takes the current key of its ring only once all others have it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import structlog

from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import RingFile
from dispatcher.security.rings import KeyPrint, Ring, agreed, missing, prints_of
from dispatcher.security.vault import Vault
from dispatcher.store.aside import Aside
from dispatcher.store.connection import StoreError
from dispatcher.store.rings import RingPart

LIVES_MS = 20_000  # real time; announced four times as often
log = structlog.get_logger()


class Agreement:
    """Of one process. Until it takes part, it seals under the current key of its ring."""

    def __init__(self, vault: Vault, aside: Aside, ahead_s: Callable[[str], int]) -> None:
        """`ahead_s`: of a market, by how much our clock is ahead of its store's: said beside the keys."""
        self.vault, self.aside, self._ahead_s = vault, aside, ahead_s
        self.process = ""
        self._file: RingFile | None = None
        self._printed, self._prints = vault.ring, prints_of(vault.ring)
        self._said: dict[str, Ring] = {}  # by market
        self._elsewhere: dict[str, frozenset[str]] = {}
        self._running: dict[str, tuple[Ring, ...]] = {}  # processes, this one among them
        self._missing: dict[str, tuple[str, ...]] = {}
        self._failing = set[str]()  # markets that cannot be asked: theirs alone

    def take_part(self, process: str, file: RingFile) -> None:
        """From now on nothing is sealed for a market before `reach`. `process` is told to people."""
        self.process, self._file = process, file
        self.vault.wait_for_agreement()
        self._take()

    async def reach(self, market: str, part: RingPart) -> None:
        """Read the key file if it changed, hear what others can read, choose.

        Raises Unavailable; StoreError for a key that is not as the service made it.
        """
        self._look()
        try:
            await self._reach(market, part)
            self._failing.discard(market)
        except StoreError:
            self._failing.add(market)
            raise

    async def _reach(self, market: str, part: RingPart) -> None:
        others = await self._announced(market, part)
        ring, prints = self.vault.ring, self._own_prints()
        key_id, used = agreed(ring, prints, others), await part.used()
        lacking = missing(prints, used)
        if (
            key_id in lacking and KeyPrint(key_id, prints[key_id]) not in used
        ):  # another of that name is in use
            self.vault.seal_nothing(market)
        elif key_id != self.vault.sealing(market):
            await part.use(KeyPrint(key_id, prints[key_id]))
            if self.vault.ring is not ring:  # the file was changed meanwhile, as another market saw
                return
            self.vault.seal_with(market, key_id)
            log.info("patient_key_in_use", market=market, key=key_id, current=self.vault.ring.current)
            await self._announced(market, part)
        self._running[market] = (*others, self._said[market])
        self._elsewhere[market] = frozenset(key for each in others for key in each.keys)
        self._judge(market, lacking)

    async def leave(self, market: str, part: RingPart) -> None:
        """This process ends. Raises Unavailable."""
        if market in self._said:
            await part.leave(self._said.pop(market))

    def missing(self, market: str) -> tuple[str, ...]:
        """Keys that something of the market is sealed under, and that this process has not."""
        return self._missing.get(market, ())

    def has_another(self, market: str, key_id: str) -> bool:
        """Whether another running process has that key: then this one alone lacks it."""
        return key_id in self._elsewhere.get(market, ())

    def roles(self, market: str) -> frozenset[str]:
        """What the running processes that serve a market are for, as they said a moment ago."""
        return frozenset(each.process.partition(" ")[0] for each in self._running.get(market, ()))

    def clocks(self, market: str) -> Mapping[str, int]:
        """By running process that serves a market how far its clock is ahead of the store's, in seconds."""
        return {each.process: each.ahead_s for each in self._running.get(market, ())}

    def reasons(self, served: Collection[str]) -> tuple[str, ...]:
        """Why this process should not be given work: of each missing key, in words."""
        asked = [each for each in served if each not in self._failing]
        if not any(self._missing.values()) and not all(map(self.vault.sealing, asked or served)):
            return ("which patient key every process can read is not known yet",)
        markets: dict[str, list[str]] = {}
        for market, keys in self._missing.items():
            for key in keys:
                markets.setdefault(key, []).append(market)
        return tuple(
            f"the patient key {key!r}, under which data of {', '.join(found)} is sealed, is not in the key "
            "ring of this process, or another has its name there; see the command `keys status`"
            for key, found in markets.items()
        )

    def _look(self) -> None:
        """A file that cannot be used changes nothing: what was read last stays."""
        try:
            ring = self._file.changed() if self._file else None
        except UserError as error:
            log.error("patient_keys_not_read", reason=str(error).partition("\n")[0])
            return
        if ring is not None:
            self._take()
            log.info("patient_keys_read", keys=list(ring.keys), current=ring.current)

    def _take(self) -> None:
        if self._file is not None:
            self.vault.take(self._file.ring)
            self.aside.forget_keyless()

    def _own_prints(self) -> dict[str, str]:
        if self._printed is not self.vault.ring:
            self._printed, self._prints = self.vault.ring, prints_of(self.vault.ring)
        return self._prints

    async def _announced(self, market: str, part: RingPart) -> list[Ring]:
        """What the others say, after this process has said its own.

        What it said before goes only then: at no moment does nobody wait for its keys.
        """
        prints, ahead_s = self._own_prints(), self._ahead_s(market)
        said = Ring(self.process, self.vault.sealing(market), prints, ahead_s)
        before, self._said[market] = self._said.get(market), said
        living = await part.announce(said, LIVES_MS)
        if before not in (None, said):
            living = await part.leave(before)
        return [each for each in living if each.process != self.process]

    def _judge(self, market: str, keys: list[str]) -> None:
        if (found := tuple(keys)) != self._missing.get(market, ()):
            for key in set(found) - set(self.missing(market)):
                log.error("patient_key_missing", market=market, key=key)
            self._missing[market] = found
