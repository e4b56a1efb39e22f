"""A decision stands in the chain, and is the last on its requests: both or neither."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.store.decisions import Entry, Taken
from dispatcher.store.market import MarketStore

DAY = "2026-03-02"
FIRST = Entry(
    seq=1, digest="a", nth=0, day=DAY, at_ms=1, kind="batch", solver="greedy", requests=2, matched=2, cost=1,
    bound=1, hash=b"1", previous=b"",
)  # fmt: skip


async def test_a_place_that_is_taken_leaves_no_note_of_who_did_not_get_it(market: MarketStore) -> None:
    names = [f"r{number}" for number in range(1_200)]
    await market.decisions.add(FIRST, names, 14)
    with pytest.raises(Taken):
        await market.decisions.add(replace(FIRST, digest="b"), names, 14)
    assert await market.decisions.on("r0", [DAY]) == [(DAY, "a", 0)]
    assert await market.decisions.on("r1199", [DAY]) == [(DAY, "a", 0)]
    await market.decisions.add(FIRST, names, 14)  # sent again after a lost answer
    await market.decisions.add(replace(FIRST, seq=2, digest="b"), names[:1], 14)
    assert await market.decisions.on("r0", [DAY]) == [(DAY, "b", 0)]
    assert [each.seq for each in await market.decisions.page(1, None, 5)] == [2, 1]
