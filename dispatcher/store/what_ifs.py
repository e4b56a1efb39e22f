"""What-ifs of a market: what was asked, how far each is, and the answers.

One hash holds them: under `<id>` what was asked, written once; under `<id>:state` how far it is, which only
the matcher that works on it writes; under `<id>:cancel` that it is not wanted any more, which callers write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
from redis.exceptions import ResponseError

from contracts.instants import DAY_MS
from contracts.what_if import WhatIfAnswer, WhatIfRequest, WhatIfState
from dispatcher.domain.refusals import Unreadable
from dispatcher.store import script
from dispatcher.store.aside import Item
from dispatcher.store.compression import compress, decompress
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

WHAT_IF = "what-if"  # what is set aside
STATE, CANCEL = ":state", ":cancel"
MOST_BYTES = 12_000_000  # of an answer; the store takes no larger document
ENDED = frozenset({WhatIfState.DONE, WhatIfState.FAILED, WhatIfState.CANCELLED, WhatIfState.INTERRUPTED})
Form = TypeVar("Form")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, by whom and when."""

    id: str
    request: WhatIfRequest
    by: str
    at_ms: int
    fingerprint: bytes = b""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is; `runner` names the process that works on it."""

    state: WhatIfState = WhatIfState.QUEUED
    progress: float = 0.0
    detail: str = ""
    ended_ms: int = 0
    runner: str = ""


class WhatIf(NamedTuple):
    """One of them, as stored."""

    asked: Asked
    standing: Standing
    unwanted: bool

    @property
    def over(self) -> bool:
        """Whether nothing more is done for it; one that waited and is not wanted any more is over, too."""
        return self.standing.state in ENDED or (self.unwanted and self.standing.state is WhatIfState.QUEUED)


class WhatIfPart:
    """The what-ifs of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys

    async def all(self) -> dict[str, WhatIf]:
        """Those that can be read, by id, as they were asked. Raises Unreadable if the hash is none."""
        raws: Mapping[bytes, bytes] = await self._hash("HGETALL")
        found = {text_of(name): raw for name, raw in raws.items()}
        asked = self._read({each: raw for each, raw in found.items() if ":" not in each}, Asked)
        states = self._read({name: raw for name, raw in found.items() if name.endswith(STATE)}, Standing)
        made = {
            name: WhatIf(one, states.get(name + STATE, Standing()), name + CANCEL in found)
            for name, one in asked.items()
        }
        return dict(sorted(made.items(), key=lambda pair: (pair[1].asked.at_ms, pair[0])))

    async def get(self, name: str) -> WhatIf | None:
        """One of them; who follows it asks twice a second."""
        raw, state, cancel = await self._hash("HMGET", name, name + STATE, name + CANCEL)
        asked = self._read({name: raw}, Asked).get(name) if raw is not None else None
        if asked is None:
            return None
        states = self._read({name: state}, Standing) if state is not None else {}
        return WhatIf(asked, states.get(name, Standing()), cancel is not None)

    async def add(self, asked: Asked, most: int) -> int:
        """Put it behind the others, if fewer than `most` are not over; how many were. -1: it is there.

        Counted and put in one step, of what is stored: exact whichever processes ask, and right once one of
        them is gone.
        """
        packed = msgspec.msgpack.encode(asked)
        aside = sorted(each.id for each in self.aside.known(self.keys.market) if each.kind == WHAT_IF)
        words: tuple[str | bytes | int, ...] = (
            asked.id,
            packed,
            most,
            *aside,
        )  # what nobody can read waits for nothing
        return int(await script.run(self.reader, "what_if", [self.keys.what_ifs], *words))

    async def note(self, name: str, standing: Standing) -> None:
        """How far it is now."""
        await self._hash("HSET", name + STATE, msgspec.msgpack.encode(standing))

    async def cancel(self, name: str) -> None:
        """It is not wanted any more."""
        await self._hash("HSET", name + CANCEL, b"1")

    async def forget(self, name: str) -> None:
        """It goes, with its answer."""
        await self._hash("HDEL", name, name + STATE, name + CANCEL)
        await self.reader.ask("DEL", self.keys.what_if(name))

    async def keep_answer(self, name: str, answer: WhatIfAnswer, days: int) -> None:
        """Keep it so long."""
        packed = compress(msgspec.msgpack.encode(answer))
        await self.reader.ask("SET", self.keys.what_if(name), packed, "PX", days * DAY_MS)

    async def answer(self, name: str) -> WhatIfAnswer | None:
        """None once it is forgotten. Raises Unreadable."""
        raw = await self.reader.get(self.keys.what_if(name))
        return None if raw is None else self.aside.read(self.keys.market, Item(WHAT_IF, name), raw, _answer)

    def _read(self, raws: Mapping[str, bytes], form: type[Form]) -> dict[str, Form]:
        decoder = msgspec.msgpack.Decoder(form)
        return self.aside.read_all(self.keys.market, WHAT_IF, raws.items(), decoder.decode)

    async def _hash(self, command: str, *words: object) -> Any:
        try:
            return await self.reader.ask(command, self.keys.what_ifs, *words)
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            self.aside.note(self.keys.market, Item(WHAT_IF, "all"), type(error).__name__)
            raise Unreadable(
                "the what-ifs of this market are stored as something else\n"
                "Maybe delete that key: the command `audit` names it.",
                kind=WHAT_IF, id="all",
            ) from error  # fmt: skip


def _answer(raw: bytes) -> WhatIfAnswer:
    return msgspec.msgpack.decode(decompress(raw), type=WhatIfAnswer)
