"""What lost its vendor may have a later place, once its successor is near: that is asked to follow."""

from __future__ import annotations

import pytest

from contracts.codes import DeclineCode, RequestState, Role, ServiceClass
from contracts.episodes import After
from contracts.instants import MINUTE_MS
from contracts.pools import Pool, Pools
from contracts.tasks import TaskKind, TaskQuery
from contracts.tuning import Tuning
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment, RefuseAmendment
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.table import Command
from dispatcher.domain.requests import RequestRecord
from dispatcher.jobs.timers import Timers
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.quotes import Quoter
from dispatcher.matching.solving import SolverPool
from dispatcher.security.principal import Principal
from tests.matching.conftest import Town
from tests.solvers.town import DAY, TZ, order, trip, vendor

LATE = 17  # o'clock, from when on the other vendor has somebody


class Home:
    """Oxygen from 15:20 to 17:20, and a ride after it, which has its vendor; the oxygen's has declined."""

    def __init__(self, town: Town, own: Ownership, solvers: SolverPool) -> None:
        self.town, self.own, self.solvers = town, own, solvers

    async def begin(self, width_min: int = 240) -> Home:
        town = self.town
        await town.add_vendor(vendor("v1"))
        await town.store.market(town.name).vendors.put(vendor("v2"))
        pool = Pool(
            id="vans", serves=tuple(ServiceClass), units=(0,) * LATE + (1,) * (24 - LATE), daily_cap=9
        )
        await town.store.market(town.name).capacity.put("v2", DAY, Pools(pools=(pool,)))
        ride = trip("ride", start_min=200, width_min=width_min, after=(After(request="oxygen"),))
        await town.submit(ride, order("oxygen", start_min=200))
        await self.batch()
        await self.give("ride", AcceptOffer(offer_id="ride.1"))
        await self.declined(1)
        return self

    async def declined(self, attempt: int) -> None:
        await self.give("oxygen", DeclineOffer(offer_id=f"oxygen.{attempt}", code=DeclineCode.OTHER))

    async def batch(self) -> set[str]:
        done = await run_batch(self.own, self.town.market, self.solvers)
        await explain(self.own, self.town.market, self.solvers, done)
        return done.offered

    async def batch_near(self, minutes: int = 60) -> set[str]:
        """So long before the ride was to start, when the oxygen has been sought in vain before it."""
        assert [await self.batch(), await self.batch()] == [set(), set()], "there may be somebody yet"
        self.town.clock.ms = (await self.start_ms("ride")) - minutes * MINUTE_MS
        await self.fire()
        return await self.batch()

    async def fire(self) -> None:
        """What is due, and what follows from it."""
        town = self.town
        timers = Timers(town.service, retimer=Quoter(town.store, town.clock, {town.name: TZ}))
        while await timers.fire_due(town.name):
            pass

    async def start_ms(self, name: str) -> int:
        return (await self.town.record(name)).offers[-1].start_ms

    async def give(self, name: str, command: Command) -> RequestRecord:
        record = await self.town.record(name)
        vendor_id = record.offers[-1].vendor_id
        who = Principal.of(Role.VENDOR, markets=frozenset({self.town.name}), vendor_id=vendor_id)
        found: RequestRecord = await self.town.service.execute(who, self.town.name, command)
        return found

    async def tasks(self) -> list[str]:
        """Open ones about the sequence."""
        ops = Principal.of(Role.OPS, markets=frozenset({self.town.name}))
        found, _ = await self.town.service.tasks.page(ops, self.town.name, TaskQuery())
        return [each.retiming for each in found if each.kind is TaskKind.SEQUENCE_AT_RISK]

    async def is_sound(self) -> None:
        report = await audit(self.town.store.reader, self.town.name, settle_s=0)
        assert [each for each in report["findings"] if each["rule"] in {"sequence", "tasks", "ledger"}] == []


@pytest.fixture
def home(town: Town, own: Ownership, solvers: SolverPool) -> Home:
    return Home(town, own, solvers)


async def test_near_its_start_the_successor_is_asked_to_follow_and_the_task_is_settled_when_it_agrees(
    home: Home,
) -> None:
    await home.begin()
    assert await home.batch_near() == {"oxygen"}
    oxygen = await home.town.record("oxygen")
    assert oxygen.offers[-1].vendor_id == "v2"
    ride = await home.town.record("ride")
    assert (ride.state, ride.risk) == (RequestState.ACCEPTED, "predecessor_late")
    assert len(await home.tasks()) == 1, "from when it was without a vendor"
    await home.fire()
    ride = await home.town.record("ride")
    assert ride.pending is not None and ride.pending.placed is not None
    assert ride.pending.placed.start_ms >= oxygen.offers[-1].end_ms
    assert await home.tasks() == ["pending"]
    await home.is_sound()
    after = await home.give("ride", AgreeToAmendment(offer_id="ride.1", number=1))
    assert after.risk == ""
    assert await home.tasks() == []
    await home.is_sound()


async def test_where_it_does_not_agree_it_keeps_its_work_and_a_person_says_what_to_do(home: Home) -> None:
    await home.begin()
    assert await home.batch_near() == {"oxygen"}
    await home.fire()
    after = await home.give("ride", RefuseAmendment(offer_id="ride.1", number=1))
    assert (after.state, after.risk) == (RequestState.ACCEPTED, "predecessor_late")
    assert await home.tasks() == ["refused"]
    await home.is_sound()


async def test_who_takes_it_and_gives_it_back_leaves_the_question_to_whoever_is_next(home: Home) -> None:
    await home.begin()
    await home.batch_near()
    await home.fire()
    await home.declined(2)
    ride = await home.town.record("ride")
    assert (ride.pending, ride.risk, len(await home.tasks())) == (None, "predecessor_without_vendor", 1)
    await home.is_sound()


@pytest.mark.parametrize("why", ["window", "never", "far"])
async def test_it_is_not_moved_past_a_successor_that_could_not_follow_or_is_not_near(
    home: Home, why: str
) -> None:
    if why == "never":
        tuning = Tuning(version=1, values={"sequence_retimes": 0})
        await home.town.store.market(home.town.name).tuning.put(tuning, 0)
    await home.begin(width_min=70 if why == "window" else 240)
    assert await home.batch_near(130 if why == "far" else 60) == set()
    assert (await home.town.record("ride")).risk in {"predecessor_without_vendor", ""}
    await home.is_sound()
