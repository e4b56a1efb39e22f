"""Authorizations, whole: what needs one waits for it, draws on it as it is booked, and gives it back."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.authorizations import Authorization, Counted
from contracts.codes import LevelOfService, OfferState, RequestState, Requirement, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.offers import Accept
from contracts.requests import OrderLine
from contracts.tasks import TaskQuery
from contracts.tuning import TuningUpdate
from dispatcher.audit.auditor import audit
from dispatcher.domain.authorizations import AuthorizationRecord
from dispatcher.domain.commands.authorizations import Authorize, RevokeAuthorization
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.refusals import Invalid, Refusal, Stale, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.jobs.timers import Timers
from dispatcher.store.listing import Cursor
from dispatcher.store.outcome import Outcome
from tests.domain import make
from tests.service.world import World

R = RequestState


def grants(visits: int = 10, **changes: Any) -> Authorization:
    """Of the patient of `ride`."""
    facts = {
        "number": "A-1",
        "payer": "Medicaid",
        "services": ("wheelchair",),
        "granted": visits,
        "first_day": date(2026, 3, 1),
        "last_day": date(2026, 3, 31),
        "patient": make.patient("one"),
    }
    return Authorization(**(facts | changes))


def ride(name: str = "r1", hours: int = 4, **changes: Any) -> Any:
    """Of one patient; `hours` from now, so that none is another's duplicate."""
    return make.trip(name, ahead_ms=hours * 3_600_000, **({"patient": make.patient("one")} | changes))


async def opened(world: World, **values: Any) -> World:
    await world.open_with(make.vendor(), make.vendor("v2"))
    update = TuningUpdate(values={"authorization_wheelchair": 1} | values, reason="a test")
    await world.service.tuning.put(world.ops, world.market, update, 0)
    world.service.markets.forget_tuning(world.market)
    return world


async def put(world: World, body: Authorization, name: str = "a1", version: int = 0) -> AuthorizationRecord:
    return await world.service.authorizations.put(world.case_manager, world.market, name, body, version)


async def balance(world: World, name: str = "a1") -> int:
    return (await world.service.authorizations.get(world.ops, world.market, name)).left


async def accepted(world: World, name: str = "r1") -> RequestRecord:
    assert (await world.offer(name)).ok
    record = await world.record(name)
    return await world.accept(world.vendor(), f"{name}.{len(record.offers)}", Accept())


async def tasks(world: World, state: str | None = None) -> dict[str, str]:
    record_ids = [each async for each in _all(world)]
    return {each.id: each.state.value for each in record_ids if state in (None, each.state.value)}


async def _all(world: World) -> Any:
    stored = world.store.market(world.market).tasks.records
    page, _ = await stored.page(
        [f"tasks:{state}:case_manager" for state in ("open", "claimed", "done")], Cursor(0, ""), 50
    )
    for each in page:
        yield each


async def sound(world: World) -> None:
    assert (await audit(world.store.reader, world.market))["findings"] == []


async def test_what_needs_an_authorization_waits_until_its_case_manager_issues_one(world: World) -> None:
    await opened(world)
    await world.submit(ride())
    record = await world.record()
    assert (record.state, record.requirements) == (R.ON_HOLD, (Requirement.AUTHORIZATION,))
    assert await tasks(world) == {"r1.authorization_missing": "open"}
    await put(world, grants())
    record = await world.record()
    assert (record.state, record.history[-1].by) == (R.RECEIVED, "case_manager")
    assert await tasks(world) == {"r1.authorization_missing": "done"}
    await sound(world)


async def test_what_is_authorized_already_is_sought_at_once_and_draws_as_it_is_booked(world: World) -> None:
    await opened(world)
    await put(world, grants())
    await world.submit(ride())
    assert (await world.record()).state is R.RECEIVED
    assert await balance(world) == 10
    assert (await accepted(world)).state is R.ACCEPTED
    assert await balance(world) == 9
    await sound(world)


async def test_nothing_is_drawn_for_what_needs_none(world: World) -> None:
    await world.open_with(make.vendor())
    await put(world, grants())
    await world.submit(ride())
    await accepted(world)
    assert await balance(world) == 10


async def test_what_ends_without_service_gives_back_and_what_is_done_does_not(world: World) -> None:
    await opened(world)
    await put(world, grants())
    await world.submit(ride("r1"), ride("r2", 6), ride("r3", 8))
    for name in ("r1", "r2", "r3"):
        await accepted(world, name)
    assert await balance(world) == 7
    await world.cancel(world.platform, "r1")
    assert await balance(world) == 8
    await world.report(world.vendor(), "r2.1", StatusUpdate(status=TrackingStatus.TURNED_BACK))
    assert await balance(world) == 9
    world.clock.ms += 8 * 3_600_000
    await world.report(world.vendor(), "r3.1", StatusUpdate(status=TrackingStatus.AT_PICKUP))
    await world.report(world.vendor(), "r3.1", StatusUpdate(status=TrackingStatus.COMPLETED))
    assert await balance(world) == 9
    await sound(world)


async def test_of_two_that_take_the_last_visit_at_once_one_has_it_and_the_other_waits(world: World) -> None:
    await opened(world)
    await put(world, grants(1))
    await world.submit(ride("r1"), ride("r2", 6))
    for name in ("r1", "r2"):
        assert (await world.offer(name)).ok
    both = [world.accept(world.vendor(), f"{name}.1", Accept()) for name in ("r1", "r2")]
    records = await asyncio.gather(*both)
    assert {each.state for each in records} == {R.ACCEPTED, R.ON_HOLD}
    lost = next(each for each in records if each.state is R.ON_HOLD)
    assert (lost.offers[-1].state, lost.offers[-1].code) == (OfferState.CANCELLED, "authorization_used_up")
    assert await balance(world) == 0
    assert f"{lost.id}.authorization_missing" in await tasks(world, "open")
    with pytest.raises(WrongState, match="authorization_used_up"):
        await world.accept(world.vendor(), f"{lost.id}.1", Accept())
    assert "dispatch.offer.closed" in await world.heard(world.keys.stream("v1")), "over Redis it is told so"
    assert await world.booked() == 1, "what is not booked takes nothing of the day"
    await sound(world)


async def test_what_too_little_was_left_for_goes_under_another_of_its_patients_by_itself(
    world: World,
) -> None:
    await opened(world)
    await put(world, grants(1))
    await world.submit(ride("r1"), ride("r2", 6))
    await put(world, grants(1, last_day=date(2026, 4, 30)), "a2")
    for name in ("r1", "r2"):
        await accepted(world, name)
    while await Timers(world.service).fire_due(world.market):
        pass
    record = await world.record("r2")
    assert (record.state, record.history[-2].code) == (R.RECEIVED, "authorization_used_up")
    assert record.authorization and record.authorization.authorization == "a2"
    assert (await accepted(world, "r2")).state is R.ACCEPTED
    assert (await balance(world), await balance(world, "a2")) == (0, 0)
    await sound(world)


async def test_one_that_turns_out_to_be_another_patients_is_not_drawn_on(world: World) -> None:
    await opened(world)
    first = await put(world, grants())
    await world.submit(ride("r1"), ride("r2", 6))
    assert (await world.offer("r1")).ok
    await put(world, grants(patient=make.patient("two"), requests=("r2",)), version=first.version)
    record = await world.record("r1")
    assert (record.state, record.offers[-1].state) == (R.ON_HOLD, OfferState.CANCELLED)
    assert (await world.record("r2")).state is R.RECEIVED, "it names that one"
    assert await tasks(world, "open") == {"r1.authorization_missing": "open"}
    with pytest.raises(WrongState):
        await world.accept(world.vendor(), "r1.1", Accept())
    assert await balance(world) == 10
    await sound(world)


async def test_silence_that_accepts_draws_too_and_is_not_booked_without(world: World) -> None:
    await opened(world)
    silent = make.vendor("v1", assumed=True)
    await put(world, grants(1))
    await world.submit(ride("r1"), ride("r2", 6))
    for name in ("r1", "r2"):
        assert (await world.offer(name, silent)).ok
    world.clock.ms += 3_600_000
    while await Timers(world.service).fire_due(world.market):
        pass
    states = {(await world.record(name)).state for name in ("r1", "r2")}
    assert states == {R.ACCEPTED, R.ON_HOLD}
    await sound(world)


async def test_what_is_renewed_frees_what_waits_the_first_first_and_no_more_than_is_left(
    world: World,
) -> None:
    await opened(world)
    first = await put(world, grants(1))
    await world.submit(ride("r1"))
    await accepted(world)
    await world.submit(ride("r3", 8), ride("r2", 6), key="k2")
    assert {(await world.record(each)).state for each in ("r2", "r3")} == {R.ON_HOLD}
    with pytest.raises(Stale):
        await put(world, grants(2), version=first.version)
    version = (await world.service.authorizations.get(world.ops, world.market, "a1")).version
    await put(world, grants(2), version=version)
    assert [(await world.record(each)).state for each in ("r2", "r3")] == [R.RECEIVED, R.ON_HOLD]
    await sound(world)


async def test_what_moves_on_as_it_is_freed_is_freed_all_the_same_and_not_a_minute_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(world)
    await world.submit(ride())
    executor, attempt = world.service.executor, world.service.executor.attempt
    hold = HoldRequest(request_id="r1", requirement=Requirement.PREDECESSOR)

    async def late(by: str, market: str, command: Any, record: Any, **more: Any) -> Outcome | None:
        if isinstance(command, Authorize) and record.version == before.version:
            await world.service.execute(world.ops, world.market, hold)
        return await attempt(by, market, command, record, **more)

    before = await world.record()
    monkeypatch.setattr(executor, "attempt", late)
    await put(world, grants())
    assert (await world.record()).requirements == (Requirement.PREDECESSOR,)
    await sound(world)


async def test_it_covers_its_services_and_days_and_patient_alone(world: World) -> None:
    await opened(world)
    await put(world, grants(services=("stretcher",)), "other-service")
    await put(world, grants(last_day=date(2026, 3, 2)), "past")
    with pytest.raises(Invalid, match="last_day 2026-03-01 is over"):
        await put(world, grants(last_day=date(2026, 3, 1)), "long past")
    await put(world, grants(first_day=date(2026, 3, 4)), "to-come")
    await put(world, grants(patient=make.patient("two")), "other-patient")
    await world.submit(ride(hours=18))
    assert (await world.record()).state is R.ON_HOLD
    await world.submit(ride("r2", 20, authorization="other-patient"), key="k2")
    assert (await world.record("r2")).state is R.ON_HOLD, "another's is not drawn on, even if it is named"


async def test_what_it_names_is_drawn_on_whatever_tuning_asks_for(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit(ride(authorization="a1", patient=None))
    assert (await world.record()).state is R.ON_HOLD
    await put(world, grants(patient=None, requests=("r1",)))
    assert (await world.record()).state is R.RECEIVED
    await accepted(world)
    assert await balance(world) == 9
    await sound(world)


async def test_once_revoked_nothing_more_is_booked_on_it(world: World) -> None:
    await opened(world)
    await put(world, grants())
    await world.submit(ride("r1"), ride("r2", 6))
    await accepted(world)
    revoke = RevokeAuthorization(authorization_id="a1")
    await world.service.execute(world.case_manager, world.market, revoke)
    assert (await accepted(world, "r2")).state is R.ON_HOLD
    assert (await world.record()).state is R.ACCEPTED
    with pytest.raises(WrongState, match="revoked"):
        await put(world, grants(20))
    await sound(world)


async def test_revoked_what_was_to_draw_on_it_is_held_and_its_offers_taken_back_at_once(world: World) -> None:
    """Booked stays booked; offered, sought and not yet called wait for a case manager, who is told now."""
    await opened(world)
    await put(world, grants())
    call = make.will_call(
        "called", patient=make.patient("one"), not_duplicate_of=("booked", "offered", "sought")
    )
    await world.submit(ride("booked", 2), ride("offered", 4), ride("sought", 6), call)
    assert (await accepted(world, "booked")).state is R.ACCEPTED
    assert (await world.offer("offered")).ok
    assert await world.booked() == 2
    who, revoke = world.case_manager, RevokeAuthorization(authorization_id="a1")
    await world.service.authorizations.revoke(who, world.market, revoke, None)
    for name in ("offered", "sought", "called"):
        record = await world.record(name)
        assert (record.state, record.requirements[-1]) == (R.ON_HOLD, Requirement.AUTHORIZATION)
        assert (await tasks(world, "open"))[f"{name}.authorization_missing"] == "open"
    offer = (await world.record("offered")).offers[0]
    assert (offer.state, offer.code) == (OfferState.CANCELLED, "authorization_revoked")
    assert "dispatch.offer.closed" in await world.heard(world.keys.stream("v1"))
    assert (await world.record("booked")).state is R.ACCEPTED
    assert await world.booked() == 1
    await world.service.authorizations.revoke(who, world.market, revoke, None)
    await sound(world)


async def test_revoked_or_narrowed_another_of_its_patients_takes_its_place(world: World) -> None:
    await opened(world)
    await put(world, grants())
    await world.submit(ride("r1"), ride("r2", 6))
    await put(world, grants(1), "a2")
    narrowed = grants(services=("stretcher",))
    version = (await world.service.authorizations.get(world.ops, world.market, "a1")).version
    await put(world, narrowed, version=version)
    found = {name: (await world.record(name)) for name in ("r1", "r2")}
    assert {name: each.state for name, each in found.items()} == {"r1": R.RECEIVED, "r2": R.ON_HOLD}
    assert found["r1"].authorization and found["r1"].authorization.authorization == "a2"
    assert found["r2"].history[-1].code == "authorization_other_service"
    assert (await accepted(world, "r1")).state is R.ACCEPTED
    await sound(world)


async def test_revoked_by_a_process_that_died_its_timer_tells_who_waits(world: World) -> None:
    await opened(world)
    await put(world, grants())
    await world.submit(ride())
    await world.service.execute(world.case_manager, world.market, RevokeAuthorization(authorization_id="a1"))
    assert (await world.record()).state is R.RECEIVED
    await Timers(world.service).fire_due(world.market)
    assert (await world.record()).state is R.ON_HOLD
    await sound(world)


async def test_what_a_case_manager_lets_go_is_booked_without(world: World) -> None:
    await opened(world)
    await world.submit(ride())
    lift = ResumeRequest(request_id="r1", requirement=Requirement.AUTHORIZATION)
    with pytest.raises(Refusal):
        await world.service.execute(world.platform, world.market, lift)
    await world.service.execute(world.case_manager, world.market, lift)
    assert (await accepted(world)).state is R.ACCEPTED
    await sound(world)


async def test_little_that_is_left_is_a_task_once_and_renewed_it_is_settled(world: World) -> None:
    await opened(world, authorization_low_visits=1)
    await put(world, grants(2))
    await put(world, grants(1, services=("stretcher",)), "one-visit")
    assert await tasks(world) == {}, "nothing of it is used"
    await world.submit(ride("r1"), ride("r2", 6))
    await accepted(world)
    assert await tasks(world) == {}, "two visits are granted to be used up"
    stands = await world.service.authorizations.get(world.ops, world.market, "a1")
    await put(world, grants(4), version=stands.version)
    await accepted(world, "r2")
    await world.submit(ride("r3", 8), key="k3")
    await accepted(world, "r3")
    assert await tasks(world) == {"a1.authorization_running_out": "open"}
    found = await world.service.tasks.page(world.ops, world.market, TaskQuery())
    assert [(each.authorization_id, each.request_id) for each in found[0]] == [("a1", "r3")]
    await world.cancel(world.platform, "r3")
    stands = await world.service.authorizations.get(world.ops, world.market, "a1")
    with pytest.raises(Invalid, match="some are used"):
        await put(world, replace(grants(2), counted=Counted.UNITS), version=stands.version)
    await put(world, grants(20), version=stands.version)
    assert await tasks(world) == {"a1.authorization_running_out": "done"}
    await sound(world)


async def test_near_its_end_it_is_a_task_and_after_it_is_forgotten(world: World) -> None:
    await opened(world)
    timers = Timers(world.service)
    await put(world, grants())
    await world.submit(ride())
    await accepted(world)
    world.clock.ms += 3_600_000 * 4
    await world.report(world.vendor(), "r1.1", StatusUpdate(status=TrackingStatus.COMPLETED))
    for days, wanted in ((1, {}), (23, {"a1.authorization_running_out": "open"})):
        world.clock.ms += days * 86_400_000
        for _ in range(5):
            await timers.fire_due(world.market)
        assert await tasks(world) == wanted
    assert await balance(world) == 9, "what was done stays used once its request is forgotten"
    await sound(world)
    world.clock.ms += 60 * 86_400_000
    for _ in range(5):
        await timers.fire_due(world.market)
        world.clock.ms += 3_600_000
    with pytest.raises(Refusal, match="no authorization"):
        await balance(world)
    await sound(world)


async def test_what_is_amended_to_what_needs_one_waits_for_it_and_draws_as_what_it_is_now(
    world: World,
) -> None:
    await opened(world)
    await world.submit(ride(level_of_service=LevelOfService.AMBULATORY))
    assert (await world.record()).state is R.RECEIVED
    await world.amend("r1", Amend(level_of_service=LevelOfService.WHEELCHAIR))
    record = await world.record()
    assert (record.state, record.history[-1].code) == (R.ON_HOLD, "authorization")
    assert await tasks(world, "open") == {"r1.authorization_missing": "open"}
    await put(world, grants(services=("ambulatory",)), "too-little")
    assert (await world.record()).state is R.ON_HOLD
    await put(world, grants())
    assert (await accepted(world)).state is R.ACCEPTED
    assert (await balance(world), await balance(world, "too-little")) == (9, 10)
    await sound(world)


async def test_each_piece_of_equipment_is_a_unit_and_its_codes_are_what_is_authorized(world: World) -> None:
    await opened(world, authorization_hcpcs=("*",))
    lines = (OrderLine(hcpcs="E1390"), OrderLine(hcpcs="E0601", quantity=2))
    order = replace(make.equipment("e1"), lines=lines, patient=make.patient("one"))
    await put(world, grants(services=("E1390",), counted=Counted.UNITS), "one-code")
    await world.submit(order)
    assert (await world.record("e1")).state is R.ON_HOLD, "not all that it asks for is authorized"
    await put(world, grants(2, services=("equipment",), counted=Counted.UNITS), "too-few")
    assert (await world.record("e1")).state is R.ON_HOLD
    await put(world, grants(services=("E1390", "E0601"), counted=Counted.UNITS))
    assert (await accepted(world, "e1")).state is R.ACCEPTED
    assert await balance(world) == 7
    await sound(world)


async def test_an_authorization_and_a_request_of_one_name_are_two(world: World) -> None:
    await opened(world)
    await put(world, grants(), "r1")
    await world.submit(ride())
    assert (await accepted(world)).state is R.ACCEPTED
    assert await balance(world, "r1") == 9


async def test_what_came_in_at_the_same_moment_is_freed_a_little_later(world: World) -> None:
    await opened(world)
    found = world.service.requests.authorizing.found

    async def unseen(*asked: Any) -> Any:
        answer = await found(*asked)
        await put(world, grants())
        return answer

    world.service.requests.authorizing.found = unseen  # type: ignore[method-assign]
    await world.submit(ride())
    assert (await world.record()).state is R.ON_HOLD, "it was looked for before it was there"
    world.clock.ms += 60_000
    await Timers(world.service).fire_due(world.market)
    assert (await world.record()).state is R.RECEIVED


async def test_what_a_case_manager_holds_by_hand_stays_held_until_one_is_issued_or_renewed(
    world: World,
) -> None:
    await opened(world)
    await put(world, grants())
    await world.submit(ride())
    world.clock.ms += 1_000
    hold = HoldRequest(request_id="r1", requirement=Requirement.AUTHORIZATION)
    await world.service.execute(world.case_manager, world.market, hold)
    for _ in range(3):
        world.clock.ms += 60_000
        await Timers(world.service).fire_due(world.market)
    assert (await world.record()).state is R.ON_HOLD
    version = (await world.service.authorizations.get(world.ops, world.market, "a1")).version
    await put(world, grants(11), version=version)
    assert (await world.record()).state is R.RECEIVED
