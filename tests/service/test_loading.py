"""What a command is decided on may be gone by the time that it is looked at."""

from __future__ import annotations

from contracts.instants import HOUR_MS
from contracts.offer_modes import OfferMode
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.store.outcome import Status
from tests.domain import make
from tests.service.world import World


async def test_what_was_read_and_is_gone_since_is_stale_as_anything_that_moved_on(world: World) -> None:
    """As after a fail-over that lost it: one such must not end a matcher's or a timer's round for all."""
    vendors = [make.vendor("v1"), make.vendor("v2")]
    await world.open_with(*vendors)
    await world.submit()
    await world.ask("r1", OfferMode.CASCADE, *vendors)
    record = await world.record("r1")
    assert record.chain, "somebody may be asked next: its body is read again"
    keys = [each(REQUEST_KIND, "r1") for each in (world.keys.record, world.keys.body)]
    await world.store.reader.ask("DEL", *keys)
    world.clock.ms += HOUR_MS
    command = FireTimer(kind="request", id="r1")
    outcome = await world.service.executor.attempt("timer", world.market, command, record)
    assert outcome is not None
    assert outcome.status is Status.STALE
