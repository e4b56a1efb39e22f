"""What is amended draws what it is now; what is given back frees who waits; duplicates are told."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.authorizations import AuthorizationQuery, AuthorizationState, Counted
from contracts.codes import RequestState, Requirement, ServiceClass, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import HOUR_MS
from contracts.offers import Accept
from contracts.pools import Pool, Pools
from contracts.requests import OrderLine
from dispatcher.domain.commands.on_hold import HoldRequest
from dispatcher.domain.needed import HCPCS, needed
from dispatcher.domain.patients import PATIENT_KIND
from dispatcher.domain.refusals import PossibleDuplicate, WrongState
from dispatcher.jobs.timers import Timers
from tests.domain import make
from tests.service.test_authorizations import accepted, balance, grants, opened, put, ride, sound, tasks
from tests.service.world import DAY, World

R = RequestState
EQUIPMENT = {"services": ("equipment",), "counted": Counted.UNITS}
BOTH = (ServiceClass.WHEELCHAIR, ServiceClass.EQUIPMENT)


def order(name: str = "e1", pieces: int = 2, hours: int = 4) -> Any:
    lines = (OrderLine(hcpcs="E1390", quantity=pieces),)
    one = make.equipment(name, ahead_ms=hours * HOUR_MS)
    return replace(one, lines=lines, patient=make.patient("one"))


def pieces(count: int) -> Amend:
    return Amend(lines=(OrderLine(hcpcs="E1390", quantity=count),))


async def equipped(world: World, units: int, **values: Any) -> World:
    """A vendor of oxygen, and so many pieces that are authorized."""
    await opened(world, authorization_hcpcs=("E13",), **values)
    vendor = replace(make.vendor(), hcpcs=("E1390", "E1392", "E0601"))
    await world.service.vendors.put(world.ops, world.market, vendor, 1)
    posted = Pools(pools=(Pool(id="vans", serves=BOTH, units=(9,)),))
    await world.service.capacity.put(world.ops, world.market, "v1", DAY, posted, expected_version=1)
    await put(world, grants(units, **EQUIPMENT))
    return world


async def timers(world: World) -> None:
    for _ in range(6):
        await Timers(world.service).fire_due(world.market)


async def booked(world: World, name: str = "e1") -> Any:
    assert (await world.offer(name)).ok
    record = await world.record(name)
    return await world.accept(world.vendor(), f"{name}.{len(record.offers)}", Accept())


async def test_what_is_amended_to_more_draws_more_and_to_fewer_gives_back(world: World) -> None:
    await equipped(world, 5)
    await world.submit(order())
    assert (await booked(world)).state is R.ACCEPTED
    assert await balance(world) == 3
    record = await world.amend("e1", pieces(4))
    assert (record.pending is not None, await balance(world)) == (True, 3), "as its vendor agrees, not before"
    await world.answer_amendment(record, agree=True)
    assert await balance(world) == 1
    await world.answer_amendment(await world.amend("e1", pieces(1)), agree=True)
    assert await balance(world) == 4
    await world.answer_amendment(await world.amend("e1", pieces(3)), agree=False)
    record = await world.record("e1")
    assert (record.state, await balance(world)) == (R.MATCHING, 5)
    assert (await world.offer("e1", make.vendor("v2"))).ok
    await world.accept(world.vendor("v2"), "e1.2", Accept())
    assert await balance(world) == 2
    await sound(world)


async def test_more_than_is_left_is_refused_with_words_and_what_is_booked_stays_so(world: World) -> None:
    await equipped(world, 5)
    await world.submit(order())
    await booked(world)
    with pytest.raises(WrongState, match="authorization_used_up; it stays booked"):
        await world.amend("e1", pieces(6))
    record = await world.record("e1")
    assert (record.state, record.amendments, await balance(world)) == (R.ACCEPTED, (), 3)


async def test_what_somebody_else_drew_before_its_vendor_agreed_waits_for_a_case_manager(
    world: World,
) -> None:
    await equipped(world, 5)
    await world.submit(order(), replace(order("e2"), lines=(OrderLine(hcpcs="E1392", quantity=2),)))
    await booked(world)
    asked = await world.amend("e1", pieces(4))
    await booked(world, "e2")
    await world.answer_amendment(asked, agree=True)
    record = await world.record("e1")
    assert (record.state, record.requirements) == (R.ON_HOLD, (Requirement.AUTHORIZATION,))
    assert await balance(world) == 3
    assert "e1.authorization_missing" in await tasks(world, "open")
    await sound(world)
    await world.cancel(world.platform, "e2")
    await timers(world)
    assert (await world.record("e1")).state is R.RECEIVED
    assert "e1.authorization_missing" not in await tasks(world, "open")
    await sound(world)


async def test_what_is_given_back_frees_who_waits_the_first_first_and_no_more_than_is_left(
    world: World,
) -> None:
    await opened(world)
    await put(world, grants(1))
    await world.submit(ride("r1"))
    await accepted(world)
    await world.submit(ride("r3", 8), ride("r2", 6), ride("by-hand", 10), key="k2")
    world.clock.ms += 1_000
    stays = {"request_id": "by-hand", "requirement": Requirement.PREDECESSOR}
    await world.service.execute(world.platform, world.market, HoldRequest(**stays))
    await world.report(world.vendor(), "r1.1", StatusUpdate(status=TrackingStatus.TURNED_BACK))
    for _ in range(3):
        await timers(world)
        world.clock.ms += 61_000
    states = {name: (await world.record(name)).state for name in ("r1", "r2", "r3")}
    assert states == {"r1": R.MATCHING, "r2": R.ON_HOLD, "r3": R.ON_HOLD}, "what turned back is sought itself"
    await world.cancel(world.platform, "r1")
    await timers(world)
    held = (await world.record("by-hand")).requirements
    assert held == (Requirement.AUTHORIZATION, Requirement.PREDECESSOR)
    states = {name: (await world.record(name)).state for name in ("r1", "r2", "r3")}
    assert states == {"r1": R.CANCELLED, "r2": R.RECEIVED, "r3": R.ON_HOLD}
    await sound(world)


async def test_used_up_or_expired_as_it_comes_in_it_is_on_hold_for_that_and_its_task_says_so(
    world: World,
) -> None:
    await opened(world)
    await put(world, grants(1))
    await world.submit(ride("r1"))
    await accepted(world)
    await world.submit(ride("r2", 6), ride("r3", 40 * 24), key="k2")
    for name, why in (("r2", "authorization_used_up"), ("r3", "authorization_expired")):
        record = await world.record(name)
        task = await world.store.market(world.market).tasks.records.get(f"{name}.authorization_missing")
        assert (record.history[-1].code, task and task.code) == (why, why)


async def test_given_back_and_drawn_at_once_nothing_is_overdrawn(world: World) -> None:
    await opened(world)
    await put(world, grants(2))
    await world.submit(*(ride(f"r{each}", 4 + 2 * each) for each in range(3)))
    await accepted(world, "r0")
    for name in ("r1", "r2"):
        assert (await world.offer(name)).ok
    calls = [world.accept(world.vendor(), f"r{each}.1", Accept()) for each in (1, 2)]
    await asyncio.gather(*calls, world.cancel(world.platform, "r0"), return_exceptions=True)
    await asyncio.gather(timers(world), timers(world))
    states = [(await world.record(f"r{each}")).state for each in range(3)]
    assert states.count(R.ACCEPTED) + states.count(R.RECEIVED) == 2, "who came too early is sought again"
    assert await balance(world) == 2 - states.count(R.ACCEPTED)
    await sound(world)


async def test_amended_to_a_day_that_is_not_authorized_any_more_it_is_refused(world: World) -> None:
    await opened(world)
    await put(world, grants(last_day=date(2026, 3, 2)))
    await world.submit(ride())
    await accepted(world)
    later = make.trip(ahead_ms=30 * HOUR_MS).pickup_window
    with pytest.raises(WrongState, match="authorization_expired"):
        await world.amend("r1", Amend(pickup_window=later))
    await world.submit(ride("r2", 8), key="k2")
    await world.amend("r2", Amend(pickup_window=later))
    record = await world.record("r2")
    assert (record.state, record.history[-1].code) == (R.ON_HOLD, "authorization_expired")
    await world.amend("r2", Amend(pickup_window=make.trip(ahead_ms=9 * HOUR_MS).pickup_window))
    assert (await world.record("r2")).state is R.RECEIVED, "what covers it again frees it"
    await sound(world)


async def test_a_request_of_another_patient_draws_on_that_patients(world: World) -> None:
    await opened(world)
    await put(world, grants(1))
    await put(world, grants(3, patient=make.patient("two")), "a2")
    await world.submit(ride())
    await accepted(world)
    await world.amend("r1", Amend(patient=make.patient("two")))
    assert (await balance(world), await balance(world, "a2")) == (1, 2)
    with pytest.raises(WrongState, match="cannot be amended so: authorization"):
        await world.amend("r1", Amend(patient=make.patient("three")))
    await sound(world)


async def test_the_patients_file_follows_and_no_longer_speaks_of_who_is_another_now(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit(ride())
    await world.amend("r1", Amend(patient=make.patient("two")))
    await world.submit(ride("r2"), key="k2")
    with pytest.raises(PossibleDuplicate, match="r3 may be r1"):
        await world.submit(ride("r3", patient=make.patient("two")), key="k3")
    with pytest.raises(PossibleDuplicate, match="r2 may be r1"):
        await world.amend("r2", Amend(patient=make.patient("two")))
    stored = world.store.market(world.market).records(PATIENT_KIND)
    index = world.service.authorizations.index
    for name, requests in (("one", ["r2"]), ("two", ["r1"])):
        (card,) = (await stored.get_all(index.tokens(world.market, make.patient(name)))).values()
        assert [each.request_id for each in card.requests] == requests
    await sound(world)


async def test_amended_to_the_time_of_another_it_is_a_possible_duplicate_unless_it_says_that_it_is_not(
    world: World,
) -> None:
    await world.open_with(make.vendor())
    await world.submit(ride("r1"), ride("r2", 8))
    same = ride("r1").pickup_window
    with pytest.raises(PossibleDuplicate, match="r2 may be r1"):
        await world.amend("r2", Amend(pickup_window=same))
    assert (await world.record("r2")).amendments == ()
    await world.amend("r2", Amend(pickup_window=same, not_duplicate_of=("r1",)))
    a_little_later = make.trip(ahead_ms=4 * HOUR_MS + 60_000).pickup_window
    await world.amend("r1", Amend(pickup_window=a_little_later))
    assert len((await world.record("r1")).amendments) == 1, "who were told apart stay so"


async def test_of_two_that_are_amended_to_one_time_at_once_one_is_told_of_the_other(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit(ride("r1"), ride("r2", 8))
    there = Amend(pickup_window=ride("x", 12).pickup_window)
    ended = await asyncio.gather(*(world.amend(name, there) for name in ("r1", "r2")), return_exceptions=True)
    assert sorted(isinstance(each, PossibleDuplicate) for each in ended) == [False, True]


async def test_what_is_dispatched_is_filed_as_it_is_once_its_vendor_has_agreed(world: World) -> None:
    await equipped(world, 9)
    await world.submit(order())
    await booked(world)
    other = (OrderLine(hcpcs="E0601"),)
    asked = await world.amend("e1", Amend(lines=other))
    await world.submit(replace(order("e2"), lines=other), key="k2")
    await world.cancel(world.platform, "e2")
    await world.answer_amendment(asked, agree=True)
    assert await balance(world) == 9, "tuning asks for none for that"
    with pytest.raises(PossibleDuplicate, match="e3 may be e1"):
        await world.submit(replace(order("e3"), lines=other), key="k3")
    await world.submit(order("e4"), key="k4")
    await sound(world)


@pytest.mark.parametrize(
    ("tuned", "services"),
    [((), None), (("E13",), ("E1390",)), (("E0601",), ("E0601",)), (("*",), ("E1390", "E0601"))],
)
def test_of_equipment_what_begins_so_needs_one(tuned: tuple[str, ...], services: Any) -> None:
    lines = (OrderLine(hcpcs="E1390"), OrderLine(hcpcs="E0601", quantity=2))
    asked = needed(replace(make.equipment(), lines=lines), {}, {HCPCS.name: tuned})
    assert (asked.services if asked else None) == services


async def test_authorizations_are_listed_by_end_state_and_request(world: World) -> None:
    await opened(world)
    await put(world, grants(last_day=date(2026, 3, 9)), "late")
    await put(world, grants(last_day=date(2026, 3, 4)), "soon")
    await put(world, grants(patient=make.patient("two")), "other")
    await world.submit(ride())

    async def listed(**asked: Any) -> list[str]:
        query, found = AuthorizationQuery(**asked), list[str]()
        while True:
            page, cursor = await world.service.authorizations.page(world.case_manager, world.market, query)
            found += [each.name for each in page]
            if not cursor:
                return found
            query = replace(query, cursor=cursor)

    for limit in (1, 50):
        assert await listed(limit=limit) == ["soon", "late", "other"]
        assert await listed(limit=limit, request="r1") == ["soon", "late"]
        assert await listed(limit=limit, expiring_before=date(2026, 3, 10)) == ["soon", "late"]
    world.clock.ms += 72 * HOUR_MS
    assert await listed(expiring_before=date(2026, 3, 10)) == ["late"], "what has ended, ends no more"
    assert await listed(state=AuthorizationState.REVOKED) == []
