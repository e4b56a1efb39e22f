"""Which patient keys are in use in a market, and which process can read which: as all of them say it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import msgspec
import structlog

from contracts.instants import DAY_MS
from dispatcher.security.rings import KeyPrint, Ring
from dispatcher.store import script
from dispatcher.store.connection import Reader
from dispatcher.store.keys import Keys
from dispatcher.store.resp import text_of

FOR_EVER_MS = 100 * 365 * DAY_MS
log = structlog.get_logger()
_decoder = msgspec.json.Decoder(Ring)


class RingPart:
    """The key rings of one market. Repeating any of these is harmless. They raise Unavailable."""

    def __init__(self, reader: Reader, keys: Keys) -> None:
        self.reader, self.keys = reader, keys

    async def announce(self, ring: Ring, ttl_ms: int) -> list[Ring]:
        """Say what this process can read, for `ttl_ms`; what all that live say, by their names."""
        return _read(await self._living("here", _text(ring), ttl_ms))

    async def leave(self, ring: Ring) -> list[Ring]:
        """What was announced holds no more; what all others say."""
        return _read(await self._living("gone", _text(ring)))

    async def living(self) -> list[Ring]:
        """What all that live say."""
        return _read(await self._living("gone", ""))

    async def used(self) -> frozenset[KeyPrint]:
        """All keys that something may be sealed under."""
        found = map(text_of, await self._known("gone", ""))
        return frozenset(
            KeyPrint(key_id, print_) for print_, _, key_id in (each.partition(" ") for each in found)
        )

    async def use(self, key: KeyPrint) -> None:
        """From now on something may be sealed under it. Said before it is so."""
        await self._known("here", _told(key), FOR_EVER_MS)

    async def forget(self, key: KeyPrint) -> None:
        """Nothing is sealed under it any more, or nobody expects to read what is."""
        await self._known("gone", _told(key))

    async def _living(self, *words: str | int) -> list[bytes]:
        return list(await script.run(self.reader, "living", [self.keys.rings], *words))

    async def _known(self, *words: str | int) -> list[bytes]:
        return list(await script.run(self.reader, "living", [self.keys.patient_keys], *words))


@lru_cache(maxsize=256)
def _tell_once(said: str) -> None:
    log.warning(
        "a process says which patient keys it has in a form that is not known here: keys status lacks it",
        said=said,
    )


def _told(key: KeyPrint) -> str:
    return f"{key.print} {key.id}"


def _text(ring: Ring) -> str:
    return msgspec.json.encode(ring).decode()


def _read(found: Iterable[bytes]) -> list[Ring]:
    """A newer version may say it otherwise: what cannot be read is told once, and passed over."""
    rings = []
    for each in found:
        try:
            rings.append(_decoder.decode(each))
        except msgspec.MsgspecError:
            _tell_once(hashlib.blake2b(each, digest_size=8).hexdigest())
    return sorted(rings, key=lambda each: each.process)
