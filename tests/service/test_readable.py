"""What the service stores it reads again: the value at which it once did not, through the service itself."""

from datetime import UTC, datetime

import pytest

from contracts.tuning import Tuning, TuningUpdate
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.context import Context
from tests.domain import make
from tests.service.world import World


@pytest.mark.parametrize("before", [9_999, 10_000, 2**31])
async def test_any_number_of_changes_of_tuning_is_read_again(world: World, before: int) -> None:
    stored = world.store.market(world.market).tuning
    await stored.put(Tuning(version=1), 0)
    raw = await world.store.reader.get(world.keys.tuning)
    assert raw is not None
    await world.store.reader.ask("SET", world.keys.tuning, before.to_bytes(4, "big") + raw[4:])
    update = TuningUpdate(values={"max_attempts": 3})
    made = await world.service.tuning.put(world.ops, world.market, update, before)
    assert made.version == before + 1
    assert (await world.service.tuning.get(world.ops, world.market)).version == before + 1
    assert (await world.service.markets.tuning(world.market)).values == {"max_attempts": 3}


async def test_reasons_that_count_more_vendors_than_ever_are_read_again(world: World) -> None:
    await world.open_with()
    await world.submit()
    why = Unmatched(vendors=10_001, removed=(RuleCount(rule="hours", vendors=10_001),), last_rule="hours")
    outcome = await world.explain(await world.record(), why, world.fence)
    assert outcome is not None and outcome.ok
    view = await world.service.requests.view(world.platform, world.market, "r1")
    assert view.unmatched is not None and view.unmatched.vendors == 10_001


def test_a_window_up_to_the_last_moment_is_taken() -> None:
    last = datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC)
    ride = make.trip(pickup_window=None, appointment_at=last)
    assert receive(ride, Context(now_ms=make.NOW)).after.match_by_ms > make.NOW
