"""A decision stands in the chain, and is the last on its requests: both or neither."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.store.aside import Item
from dispatcher.store.decisions import Entry, Link, Taken
from dispatcher.store.market import MarketStore

DAY = "2026-03-02"
FIRST = Entry(
    seq=1, digest="a", nth=0, day=DAY, at_ms=1, kind="batch", solver="greedy", requests=2, matched=2, cost=1,
    bound=1, hash=b"1", previous=b"",
)  # fmt: skip


async def test_a_place_that_is_taken_leaves_no_note_of_who_did_not_get_it(market: MarketStore) -> None:
    names = [f"r{number}" for number in range(1_200)]
    await market.decisions.add([Link(FIRST, names, 14)])
    with pytest.raises(Taken):
        await market.decisions.add([Link(replace(FIRST, digest="b"), names, 14)])
    assert await market.decisions.on("r0", [DAY]) == [(DAY, "a", 0)]
    assert await market.decisions.on("r1199", [DAY]) == [(DAY, "a", 0)]
    await market.decisions.add([Link(FIRST, names, 14)])  # sent again after a lost answer
    await market.decisions.add([Link(replace(FIRST, seq=2, digest="b"), names[:1], 14)])
    assert await market.decisions.on("r0", [DAY]) == [(DAY, "b", 0)]
    assert [each.seq for each in await market.decisions.page(1, None, 5)] == [2, 1]


async def test_a_place_beyond_the_next_is_given_to_nobody(market: MarketStore) -> None:
    """Whoever asks for it wrote the one before it to a server that a fail-over replaced."""
    third = replace(FIRST, seq=3, digest="c")
    await market.decisions.add([Link(FIRST, ["r1"], 14)])
    with pytest.raises(Taken):
        await market.decisions.add([Link(third, ["r1"], 14)])
    assert await market.decisions.page(1, None, 5) == [FIRST]
    assert await market.decisions.on("r1", [DAY]) == [(DAY, "a", 0)]


async def test_a_day_whose_notes_are_of_another_type_keeps_no_decision_from_its_place(
    market: MarketStore,
) -> None:
    """Else it would stand in the chain, and be told as lost."""
    tomorrow = replace(FIRST, seq=2, day="2026-03-03")
    key = market.keys.decided(DAY)
    await market.node.reader.ask("SET", key, "no hash")
    await market.decisions.add([Link(FIRST, ["r1"], 14), Link(tomorrow, ["r1"], 14)])
    assert await market.decisions.page(1, None, 9, newest=False) == [FIRST, tomorrow]
    assert await market.decisions.on("r1", [DAY, tomorrow.day]) == [(tomorrow.day, "a", 0)]
    assert market.node.aside.known(market.name) == {Item("figure", key.removeprefix(market.keys.prefix))}


async def test_several_stand_in_the_chain_together_or_none_does(market: MarketStore) -> None:
    tomorrow = "2026-03-03"
    two, three = (
        replace(FIRST, seq=2, digest="b", day=tomorrow),
        replace(FIRST, seq=3, digest="c", previous=b"2"),
    )
    together = [Link(FIRST, ["r1", "r2"], 14), Link(two, ["r1"], 14), Link(three, [], 14)]
    await market.decisions.add(together)
    await market.decisions.add(together)  # sent again after a lost answer
    assert await market.decisions.page(1, None, 9, newest=False) == [FIRST, two, three]
    assert await market.decisions.on("r1", [DAY, tomorrow]) == [(DAY, "a", 0), (tomorrow, "b", 0)]
    mine = [Link(replace(each, digest="d"), ["r3"], 14) for each in (three, replace(FIRST, seq=4))]
    with pytest.raises(Taken):
        await market.decisions.add(mine)
    assert [each.seq for each in await market.decisions.page(1, None, 9)] == [3, 2, 1]
    assert await market.decisions.on("r3", [DAY]) == []
