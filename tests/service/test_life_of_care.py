"""Any deeds of care, any clock, over a real store: after each of them the audit has nothing to say.

`--rounds 100`: for longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from contracts.standing_orders import StandingOrderState
from contracts.tuning import TuningUpdate
from dispatcher.audit.judge import judge
from dispatcher.domain.commands.standing_orders import EndStandingOrder
from dispatcher.domain.kinds import kinds
from dispatcher.domain.refusals import NotAllowed, Refusal
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import TASK_KIND, TaskRecord
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store
from dispatcher.store.survey import Survey, survey
from tests.domain.needs import Watch
from tests.service.care import ORDER, UTC, VALUES, Care
from tests.service.conftest import RING
from tests.service.vendor_deeds import not_noted
from tests.service.world import World

STEPS = 30
_numbers = count()
DEEDS = sorted(name.removeprefix("do_") for name in dir(Care) if name.startswith("do_"))
OFTEN = (*DEEDS, *("discharge", "authorize", "wait"), *("offer", "accept", "complete") * 3)


class Drawn:
    """What hypothesis draws."""

    def __init__(self) -> None:
        self.data: Any = None

    def choice(self, some: Sequence[Any], /) -> Any:
        return self.data.draw(st.sampled_from(list(some)))

    def randint(self, least: int, most: int, /) -> int:
        return self.data.draw(st.integers(least, most))  # type: ignore[no-any-return]


class Life(RuleBasedStateMachine):
    """Everybody who takes part in care, one at a time."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.drawn, self.watch = Drawn(), Watch()
        self.store = Store(self.url, RING)
        self.runner.run(self.store.__aenter__())
        self.care = Care(World(self.store, f"care{next(_numbers)}"), self.drawn)

    @initialize(holds=st.booleans())
    def a_market_opens(self, holds: bool) -> None:
        world = self.care.world

        async def opened() -> None:
            await self.care.open()
            update = TuningUpdate(values=VALUES | {"return_after_no_show": int(holds)}, reason="a test")
            await world.service.tuning.put(world.ops, world.market, update, 0)
            world.service.markets.forget_tuning(world.market)

        self.runner.run(opened())

    @initialize(data=st.data())
    def somebody_goes_home(self, data: Any) -> None:
        self._do("discharge", data)

    @rule(name=st.sampled_from(OFTEN), data=st.data())
    def somebody_does_something(self, name: str, data: Any) -> None:
        self._do(name, data)

    @invariant()
    def every_promise_holds(self) -> None:
        found = self.runner.run(survey(self.store.reader, self.care.world.market))
        assert judge(found, self.care.acknowledged) == []
        self.watch.look(*_looked_at(found))
        self._has_a_timer(found)
        assert self.runner.run(not_noted(self.care)) == []

    def _has_a_timer(self, found: Survey) -> None:
        """Whatever is not at its end looks at itself some day; that it stands in its list, the audit says."""
        for kind in kinds():
            for each in found.records.get(kind.name, {}).values():
                assert kind.timer_ms(each.value) > 0, each.value.id

    def teardown(self) -> None:
        """Left to its timers every request ends, once, and the audit has nothing to say then either."""
        try:
            if self.care.acknowledged:
                self.runner.run(self._settled())
                found = self.runner.run(survey(self.store.reader, self.care.world.market, streams=True))
                assert judge(found, self.care.acknowledged) == []
        finally:
            self.runner.run(self.store.aclose())
            self.runner.close()

    async def _settled(self) -> None:
        world = self.care.world
        stored = world.store.market(world.market)
        order = await stored.standing_orders.records.get(ORDER)
        if order is not None and order.state is not StandingOrderState.ENDED:
            command = EndStandingOrder(order_id=ORDER, tz=UTC)
            await world.service.execute(world.platform, world.market, command)
        while True:
            found = await stored.requests.records.get_all(self.care.acknowledged)
            going = [each.timer_ms for each in found.values() if each.state not in TERMINAL]
            if not going:
                return
            world.clock.ms = max(world.clock.ms, min(going))
            await self.care.fire()

    def _do(self, name: str, data: Any) -> None:
        self.drawn.data = data
        with suppress(Refusal, NotAllowed):  # what cannot be done then, is not done
            self.runner.run(self.care.deeds[name]())


def _looked_at(found: Survey) -> tuple[list[RequestRecord], list[TaskRecord]]:
    requests = found.of_kind(REQUEST_KIND, RequestRecord).values()
    return list(requests), list(found.of_kind(TASK_KIND, TaskRecord).values())


def test_whatever_is_done_every_promise_of_care_holds(
    redis_server: EmbeddedRedis, pytestconfig: pytest.Config
) -> None:
    Life.url = redis_server.url
    rounds = pytestconfig.getoption("rounds")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Life,
        settings=settings(
            max_examples=rounds,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
