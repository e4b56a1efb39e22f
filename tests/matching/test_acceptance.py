"""Who is likely to accept is asked: first, in the order of a chain, and no more at once than it takes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from contracts.instants import MINUTE_MS
from contracts.offer_modes import OfferMode
from contracts.tuning import Tuning
from dispatcher.domain.acceptance import week_of
from dispatcher.domain.views import request_view
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.store.keys import Keys
from solvers.acceptance import cell_of
from tests.matching.conftest import Town
from tests.matching.test_modes import NO, asked, chain, offered, open_with
from tests.solvers.town import TZ, trip

YES, NONE = (190, 10), (20, 180)  # how often a vendor said yes and no


async def answered(town: Town, **answers: tuple[int, int]) -> None:
    """What these vendors said of late to offers like those of `test_modes`."""
    now_ms = town.clock.now_ms()
    opens = datetime.fromtimestamp(now_ms / 1000 + 30 * 60, TZ)
    cell = ":".join(map(str, cell_of("wheelchair", 30 * MINUTE_MS, opens.hour, opens.weekday())))
    key = Keys(town.name).acceptance(week_of(now_ms))
    for name, counts in answers.items():
        for what, number in zip(("yes", "no"), counts, strict=True):
            await town.store.reader.ask("HINCRBY", key, f"{name}:{cell}:{what}", number)


async def tuned(town: Town, **values: Any) -> None:
    await town.store.market(town.name).tuning.put(Tuning(version=1, values=values), 0)


async def test_the_cheapest_that_declines_most_is_not_asked_and_the_match_says_why(
    town: Town, own: Ownership
) -> None:
    await open_with(town, 3)
    await answered(town, v0=NONE, v1=YES, v2=YES)
    record = await offered(town, own, None)
    match = request_view(record).match
    assert match is not None
    assert match.vendor_id == "v1"
    terms = {each.rule: each.cost_cents for each in match.terms}
    assert 0 < terms["acceptance"] < 50, "what is expected in vain of who accepts 19 of 20"
    said = {each.vendor_id: each.but_for for each in match.runners_up}
    assert said == {"v0": "acceptance", "v2": ""}


async def test_where_it_costs_nothing_the_cheapest_is_asked(town: Town, own: Ownership) -> None:
    await open_with(town, 2)
    await answered(town, v0=NONE, v1=YES)
    await tuned(town, acceptance_cents=0)
    record = await offered(town, own, None)
    assert record.offers[0].vendor_id == "v0"
    assert not [each for each in record.offers[0].terms if each.rule == "acceptance"]


async def test_a_chain_goes_from_who_is_most_likely_for_the_money_to_who_is_least(
    town: Town, own: Ownership
) -> None:
    await open_with(town, 4)
    await answered(town, v0=(120, 80), v1=YES, v2=NONE, v3=YES)
    record = await offered(town, own, OfferMode.CASCADE)
    assert (asked(record)[0][0], chain(record)) == ("v1", ["v3", "v0", "v2"])
    assert [each.accepts > 0.9 for each in record.chain] == [True, False, False]


@pytest.mark.parametrize(("sure", "number"), [(0.5, 2), (0.99, 2), (0.9999, 4), (1.0, 5)])
async def test_a_broadcast_asks_as_many_as_it_takes(
    town: Town, own: Ownership, sure: float, number: int
) -> None:
    await open_with(town, 6)
    await answered(town, **{f"v{n}": (93, 7) for n in range(6)})
    await tuned(town, broadcast_sure_share=sure)
    record = await offered(town, own, OfferMode.BROADCAST)
    assert len(record.offers) == number


async def test_a_broadcast_to_who_seldom_accepts_asks_more(town: Town, own: Ownership) -> None:
    await open_with(town, 5)
    await answered(town, **{f"v{n}": (1, 1) for n in range(5)})
    assert len((await offered(town, own, OfferMode.BROADCAST)).offers) == 5


async def test_an_answer_counts_for_the_next_requests_once_it_is_read(town: Town, own: Ownership) -> None:
    """From a vendor's own answers, through the commits, to the choice of another."""
    await open_with(town, 2, units=9)
    await tuned(town, scorecard_cents=0)
    for number in range(8):
        name = f"r{number}"
        await town.submit(trip(name, start_min=30, width_min=0))
        await town.market.refresh()
        await match_imminent(own, town.market, [name])
        assert (await town.record(name)).offers[0].vendor_id == "v0", "not read yet"
        await town.decline(name, NO)
    town.clock.ms += 15 * MINUTE_MS
    assert (await offered(town, own, None, "after")).offers[0].vendor_id == "v1"
