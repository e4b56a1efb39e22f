"""What is all or none over a real store: given back whole in the commit in which a part finally fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contracts.amendments import Amend
from contracts.codes import OfferState, ReportCode, RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import After, Bundle, EpisodeDraft
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.offers import Accept, Decline, DeclineCode
from contracts.patients import Patient
from contracts.tasks import OwnerRole, TaskKind, TaskQuery, TaskState, TaskView
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.jobs.timers import Timers
from dispatcher.store.idempotency import IdempotencyRecord
from tests.domain import make
from tests.service.world import World

PARTS = ("a", "b", "c", "d")
T, R = TrackingStatus, RequestState
Ends = Callable[[World], Awaitable[Any]]


async def bundle(world: World, *, hours: int = 12, **facts: Any) -> None:
    """Four parts, each with its vendor but for the last, which has an offer; one more goes after `b`."""
    await world.open_with(make.vendor(), units=9)
    until = to_instant(world.clock.now_ms() + hours * HOUR_MS)
    draft = EpisodeDraft(bundle=Bundle.ALL_OR_NONE, decide_by=until, owners=(OwnerRole.CASE_MANAGER,))
    requests = tuple(make.trip(each, **{"patient": Patient(name="Nobody Example")} | facts) for each in PARTS)
    whole = EpisodeSubmission(id="home", requests=requests, episode=draft)
    key = IdempotencyRecord.of("episodes", "home", b"home")
    await world.service.episodes.submit(world.platform, world.market, whole, key)
    for each in PARTS:
        assert (await world.offer(each)).ok
    for each in PARTS[:3]:
        await world.accept(world.vendor(), f"{each}.1", Accept())


async def tasks(world: World) -> list[TaskView]:
    found, _ = await world.service.tasks.page(world.platform, world.market, TaskQuery())
    return found


async def sound(world: World) -> None:
    report = await audit(world.store.reader, world.market, streams=True)
    assert report["findings"] == []


def reported(status: TrackingStatus, name: str = "a", code: ReportCode | None = None) -> Ends:
    async def end(world: World) -> None:
        world.clock.ms += 4 * HOUR_MS
        await world.report(world.vendor(), f"{name}.1", StatusUpdate(status=status, code=code))

    return end


async def cancelled(world: World) -> None:
    await world.cancel(world.platform, "a")


async def declined_by_all(world: World) -> None:
    """Turned back, and nobody takes it by its deadline."""
    world.clock.ms += 2 * HOUR_MS
    await world.report(world.vendor(), "a.1", StatusUpdate(status=T.TURNED_BACK))
    assert (await world.record("a")).state is R.MATCHING
    assert await world.booked() == 3, "another is sought, and nobody else is sent away"
    world.clock.ms += 2 * HOUR_MS + 31 * MINUTE_MS
    record = await world.record("a")
    await world.service.executor.attempt("timer", world.market, FireTimer(kind="request", id="a"), record)


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (cancelled, "cancelled"),
        (reported(T.FAILED), "failed"),
        (reported(T.NO_SHOW, code=ReportCode.NO_CLIENT), "no_show"),
        (declined_by_all, "unmatched"),
    ],
)
async def test_all_is_given_back_with_one_task_that_says_which_part_failed(
    world: World, end: Ends, how: str
) -> None:
    await bundle(world)
    await world.submit(make.trip("e", after=(After(request="b"),)), key="k2")
    await end(world)
    assert (await world.record("a")).state.value == how
    for each in PARTS[1:]:
        record = await world.record(each)
        assert (record.state, record.live_offers) == (R.UNMATCHED, ())
        why = record.unmatched
        assert why is not None and (why.last_rule, why.waits_for) == ("bundle", "a")
        assert why.forgone is not None and why.forgone.vendor_id == "v1", "what was lost with it"
        assert record.offers[0].state is OfferState.CANCELLED
    about = [each for each in await tasks(world) if each.request_id in PARTS]
    (task,) = about
    assert (task.id, task.kind, task.code) == ("a.bundle_failed", TaskKind.BUNDLE_FAILED, how)
    assert (task.owner, task.given_back, task.left) == (OwnerRole.CASE_MANAGER, ("b", "c", "d"), ())
    assert task.barrier_asked
    heard = await world.heard(world.keys.stream("v1"))
    assert heard.count("dispatch.offer.closed") >= 3
    assert await world.booked() == (how in ("failed", "no_show"))
    outside = await world.record("e")
    assert (outside.state, outside.risk) == (R.ON_HOLD, "predecessor_unmatched"), "it goes after a part"
    await sound(world)


async def test_what_is_done_or_at_the_door_is_left_and_named(world: World) -> None:
    await bundle(world)
    await world.accept(world.vendor(), "d.1", Accept())
    world.clock.ms += 4 * HOUR_MS
    for name, *statuses in (("a", T.COMPLETED), ("b", T.EN_ROUTE, T.ON_BOARD), ("c", T.EN_ROUTE)):
        for each in statuses:
            await world.report(world.vendor(), f"{name}.1", StatusUpdate(status=each))
    await world.report(world.vendor(), "d.1", StatusUpdate(status=T.FAILED))
    states = [(await world.record(each)).state for each in PARTS]
    assert states == [R.COMPLETED, R.IN_PROGRESS, R.UNMATCHED, R.FAILED]
    (task,) = await tasks(world)
    assert (task.id, task.given_back, task.left) == ("d.bundle_failed", ("c",), ("a", "b"))
    await world.report(world.vendor(), "b.1", StatusUpdate(status=T.FAILED))
    assert {each.id for each in await tasks(world)} == {"d.bundle_failed", "b.failed"}, "and that is its own"
    await sound(world)


async def test_an_amendment_that_waits_goes_with_its_dispatch(world: World) -> None:
    await bundle(world)
    asked = await world.amend("b", Amend(notes="later", service_minutes=25))
    assert asked.pending is not None
    await cancelled(world)
    record = await world.record("b")
    assert (record.pending, record.amendments[-1].outcome.value) == (None, "dropped")
    assert [each.id for each in await tasks(world)] == ["a.bundle_failed"]
    await sound(world)


async def test_once_it_is_decided_each_part_is_for_itself(world: World) -> None:
    await bundle(world, hours=1)
    world.clock.ms += HOUR_MS
    await cancelled(world)
    assert {(await world.record(each)).state for each in PARTS[1:3]} == {R.ACCEPTED}
    assert [each for each in await tasks(world) if each.kind is TaskKind.BUNDLE_FAILED] == []
    await sound(world)


async def test_what_was_at_the_door_as_its_part_failed_is_never_taken_away(world: World) -> None:
    """Two at the same moment: one of both is decided on what the other left."""
    await bundle(world)
    world.clock.ms += 4 * HOUR_MS
    await world.report(world.vendor(), "a.1", StatusUpdate(status=T.AT_PICKUP))
    await world.report(world.vendor(), "b.1", StatusUpdate(status=T.FAILED))
    assert (await world.record("a")).state is R.IN_PROGRESS
    (task,) = await tasks(world)
    assert (task.left, task.given_back) == (("a",), ("c", "d"))


async def test_the_early_task_of_a_part_gives_way_to_that_of_its_bundle(world: World) -> None:
    await bundle(world)
    await world.decline(world.vendor(), "d.1", Decline(code=DeclineCode.OTHER))
    nobody = Unmatched(
        vendors=1, removed=(RuleCount(rule="declined", vendors=1),), last_rule="declined", nobody_left=True
    )
    await world.explain(await world.record("d"), nobody, world.fence)
    assert [each.id for each in await tasks(world)] == ["d.1.unmatched_early"]
    world.clock.ms += 5 * HOUR_MS
    while await Timers(world.service).fire_due(world.market):
        pass
    assert (await world.record("d")).state is R.UNMATCHED
    undone = [each for each in await tasks(world) if each.state is not TaskState.DONE]
    assert [each.kind for each in undone] == [TaskKind.BUNDLE_FAILED]
    await sound(world)
