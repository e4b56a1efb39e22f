"""Values that many ask for at once: one round trip, and each gets its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from dispatcher.domain.refusals import Unavailable
from dispatcher.store.batched_reads import BatchedReads


class Server:
    """Remembers what it was asked together; answers with the key itself, or with nothing for "none"."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.away = False

    async def fetch(self, keys: Sequence[str]) -> list[bytes | None]:
        self.asked.append(list(keys))
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away")
        return [None if key.endswith("none") else key.encode() for key in keys]


async def test_what_is_asked_at_once_goes_together_and_each_key_once() -> None:
    server = Server()
    gets = BatchedReads(server.fetch)
    asked = ["{a}1", "{a}2", "{a}1", "{b}1", "{a}none"]
    found = await asyncio.gather(*map(gets.get, asked))
    assert found == [b"{a}1", b"{a}2", b"{a}1", b"{b}1", None]
    assert server.asked == [["{a}1", "{a}2", "{a}none"], ["{b}1"]]  # a market is a slot of a cluster
    assert await gets.get("{a}1") == b"{a}1"
    assert len(server.asked) == 3, "an answer is never used again for who asks later"


async def test_a_failure_is_told_to_all_who_asked_and_to_nobody_later() -> None:
    server = Server()
    gets = BatchedReads(server.fetch)
    server.away = True
    told = await asyncio.gather(*(gets.get("{a}1") for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * 3
    server.away = False
    assert await gets.get("{a}1") == b"{a}1"


async def test_who_leaves_does_not_take_the_others_answer_along() -> None:
    gets = BatchedReads(Server().fetch)
    leaver, stayer = (asyncio.create_task(gets.get("{a}1")) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer == b"{a}1"
    with pytest.raises(asyncio.CancelledError):
        await leaver
