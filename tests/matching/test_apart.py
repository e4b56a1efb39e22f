"""Nobody is on two rides at once: in a batch, imminent, by hand, amended or called; who cancels frees."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from contracts.amendments import Amend
from contracts.codes import RequestState, Role, ServiceClass, TrackingStatus
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import Bundle, EpisodeDraft
from contracts.geo import Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.pools import Pool, Pools
from contracts.requests import TripRequest
from contracts.tasks import TaskKind, TaskQuery
from contracts.will_call import WillCall
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.table import Command
from dispatcher.domain.refusals import DoesNotFit
from dispatcher.domain.requests import RequestRecord
from dispatcher.jobs.timers import Timers
from dispatcher.matching.apart import one_after_another
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership, commit_plan
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.quotes import Quoter
from dispatcher.matching.solving import SolverPool
from dispatcher.security.principal import Principal
from dispatcher.store.events import unpack_event
from dispatcher.store.idempotency import IdempotencyRecord
from solvers.planning import plan
from solvers.screening import Follows
from tests.domain import make
from tests.matching.conftest import Town
from tests.matching.test_amended import amend
from tests.solvers.town import DAY, NOON, NOW_MS, TZ, trip, vendor

LONG = 25  # minutes at each door: with the way the ride takes about an hour


def ride(name: str, start_min: float, width_min: float = 30, **facts: Any) -> TripRequest:
    """Of one patient, about an hour long."""
    usual = {"patient": make.patient("one"), "service_minutes": LONG}
    return trip(name, start_min=start_min, width_min=width_min, **(usual | facts))


def platform(town: Town) -> Principal:
    return Principal.of(Role.PLATFORM, markets=frozenset({town.name}))


async def submit(town: Town, *rides: TripRequest) -> None:
    """Through intake, where the patient is known."""
    key = IdempotencyRecord.of("submit", rides[0].id, b"ride")
    await town.service.requests.submit(platform(town), town.name, rides, key)


async def do(town: Town, command: Command, vendor_id: str = "") -> RequestRecord:
    who = platform(town)
    if vendor_id:
        who = Principal.of(Role.VENDOR, markets=frozenset({town.name}), vendor_id=vendor_id)
    record: RequestRecord = await town.service.execute(who, town.name, command)
    return record


async def accept(town: Town, name: str) -> None:
    offer = (await town.record(name)).offers[-1]
    await do(town, AcceptOffer(offer_id=f"{name}.{offer.attempt}"), offer.vendor_id)


async def apart(town: Town, *names: str) -> bool:
    """Whether all have a vendor, and no two are at once."""
    records = [await town.record(each) for each in names]
    spans = sorted((each.start_ms, each.end_ms) for one in records for each in one.live_offers)
    assert len(spans) == len(names)
    report = await audit(town.store.reader, town.name, settle_s=0)
    assert not [each for each in report["findings"] if each["rule"] in {"patients", "sequence"}]
    return all(end_ms <= start_ms for (_, end_ms), (start_ms, _) in pairwise(spans))


def quoter(town: Town) -> Quoter:
    return Quoter(town.store, town.clock, {town.name: TZ})


async def two_vendors(town: Town) -> None:
    for each in ("v1", "v2"):
        await town.add_vendor(vendor(each))


async def test_a_batch_plans_both_so_that_each_is_made(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await two_vendors(town)
    await submit(town, ride("late", 365, 20), ride("early", 300))
    assert (await run_batch(own, town.market, solvers)).offered == {"early", "late"}
    assert await apart(town, "early", "late")


async def test_those_of_two_calls_know_of_each_other_and_a_first_of_none(town: Town) -> None:
    await submit(town, ride("early", 300))
    assert (await town.record("early")).version == 1
    await submit(town, ride("late", 365))
    await submit(town, ride("next day", 300 + 36 * 60))
    await submit(town, ride("other", 365, patient=make.patient("another")))
    names = ["early", "late", "next day", "other"]
    assert [(await town.record(each)).apart for each in names] == [("late",), ("early",), (), ()]
    view = await town.service.requests.view(platform(town), town.name, "late")
    assert view.apart == ("early",)


async def test_at_once_who_is_second_starts_when_the_first_is_there(town: Town, own: Ownership) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 30, 10))
    await match_imminent(own, town.market, ["first"])
    await submit(town, ride("second", 75, 60))
    assert (await match_imminent(own, town.market, ["second"])).offered == {"second"}
    assert await apart(town, "first", "second")


async def test_one_with_hours_to_choose_from_goes_where_it_has_more_room(town: Town, own: Ownership) -> None:
    await two_vendors(town)
    await submit(town, ride("fixed", 75, 10))
    await match_imminent(own, town.market, ["fixed"])
    wide = ride("wide", 20, 90, not_duplicate_of=("fixed",), service_minutes=10)
    await submit(town, wide)
    assert (await match_imminent(own, town.market, ["wide"])).offered == {"wide"}
    assert await apart(town, "fixed", "wide")


async def test_by_hand_a_start_at_the_same_time_is_refused_and_one_beside_it_is_not(
    town: Town, own: Ownership
) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 30, 10))
    await match_imminent(own, town.market, ["first"])
    await submit(town, ride("second", 75, 90))
    record, hand = await town.record("second"), quoter(town)
    wish = OfferByHand(request_id="second", vendor_id="v2", start_ms=record.earliest_ms)
    with pytest.raises(DoesNotFit, match="sequence"):
        await hand.prepared(town.name, record, wish)
    beside = OfferByHand(request_id="second", vendor_id="v2", start_ms=record.latest_ms)
    assert (await hand.prepared(town.name, record, beside)).proposal is not None


async def test_a_plan_made_before_the_other_had_a_vendor_is_not_offered(town: Town, own: Ownership) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 30, 10), ride("second", 71, 5))
    both = await town.market.waiting(["first", "second"])
    plans = [await town.market.snapshot([each]) for each in both]  # neither knows of the other's place
    assert [each.asked[0].follows for each in plans] == [(), ()]
    done = [await commit_plan(own, town.market, each, plan(each.screening())) for each in plans]
    assert [each.offered for each in done] == [{"first"}, set()]


async def test_one_that_is_cancelled_frees_the_other(town: Town, own: Ownership) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 30, 10))
    await match_imminent(own, town.market, ["first"])
    await accept(town, "first")
    await submit(town, ride("second", 71, 5))
    assert not (await match_imminent(own, town.market, ["second"])).offered
    await do(town, CancelRequest(request_id="first"))
    assert (await match_imminent(own, town.market, ["second"])).offered == {"second"}


async def test_a_person_may_say_go_anyway(town: Town, own: Ownership) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 30, 10))
    await match_imminent(own, town.market, ["first"])
    await submit(town, ride("second", 71, 5))
    await do(town, ReleaseSequence(request_id="second"))
    assert (await town.record("second")).apart == ("first",), "of any sequence, and it has none"
    await do(town, ReleaseSequence(request_id="second", predecessor_id="first"))
    assert [(await town.record(each)).apart for each in ("first", "second")] == [(), ()]
    assert (await match_imminent(own, town.market, ["second"])).offered == {"second"}


async def test_amended_to_near_another_it_is_kept_apart_from_that(town: Town, own: Ownership) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 60))
    await match_imminent(own, town.market, ["first"])
    await accept(town, "first")
    await submit(town, ride("second", 60 + 30 * 60))
    assert not (await town.record("second")).apart
    earliest = NOON + timedelta(minutes=125)
    soon = Window(earliest=earliest, latest=earliest + timedelta(minutes=60))
    await amend(town, Amend(pickup_window=soon), "second")
    assert [(await town.record(each)).apart for each in ("first", "second")] == [("second",), ("first",)]
    town.market.requests.are_new(["second"])
    town.clock.ms += 40 * MINUTE_MS
    await match_imminent(own, town.market, ["second"])
    assert await apart(town, "first", "second")
    far = Window(earliest=earliest + timedelta(hours=30), latest=earliest + timedelta(hours=31))
    await amend(town, Amend(pickup_window=far), "second")
    assert [(await town.record(each)).apart for each in ("first", "second")] == [(), ()]


async def test_a_vendor_agrees_to_no_time_at_which_its_passenger_is_on_another_ride_by_then(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await two_vendors(town)
    for each in ("v1", "v2"):
        pool = Pool(id="vans", serves=tuple(ServiceClass), units=(2,) * 24, daily_cap=100)
        await town.store.market(town.name).capacity.put(each, DAY + timedelta(days=1), Pools(pools=(pool,)))
    await submit(town, ride("first", 60, 10))
    await match_imminent(own, town.market, ["first"])
    await accept(town, "first")
    earliest = NOON + timedelta(hours=20)
    moved = Window(earliest=earliest, latest=earliest + timedelta(minutes=10))
    asked = await amend(town, Amend(pickup_window=moved), "first")
    assert asked.pending is not None
    await submit(town, ride("third", 20 * 60 + 45, 10))
    assert (await town.record("third")).apart == ()
    assert (await run_batch(own, town.market, solvers)).offered == {"third"}
    offer = asked.offers[-1]
    agree = AgreeToAmendment(offer_id=f"first.{offer.attempt}", number=1)
    after = await do(town, agree, offer.vendor_id)
    assert (after.state, after.amendments[-1].outcome.value) == (RequestState.MATCHING, "unfit")
    assert (after.apart, (await town.record("third")).apart) == (("third",), ("first",))


async def test_a_way_back_that_is_called_while_another_ride_stands_comes_after_it(
    town: Town, own: Ownership
) -> None:
    await two_vendors(town)
    await submit(town, ride("ride", 60, 10))
    await match_imminent(own, town.market, ["ride"])
    back = ride("back", 0, pickup_window=None, will_call=WillCall(day=DAY))
    await submit(town, back)
    assert (await town.record("back")).apart == ("ride",)
    await do(town, ActivateRequest(request_id="back", ready_ms=NOW_MS + 80 * MINUTE_MS))
    assert (await match_imminent(own, town.market, ["back"])).offered == {"back"}
    assert await apart(town, "ride", "back")


async def test_a_ride_that_runs_late_puts_its_patients_next_one_at_risk_though_nobody_linked_them(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 60, 5))
    await match_imminent(own, town.market, ["first"])
    await accept(town, "first")
    end_ms = (await town.record("first")).offers[0].end_ms
    await submit(town, ride("next", (end_ms - NOW_MS) / MINUTE_MS, 15))
    assert (await run_batch(own, town.market, solvers)).offered == {"next"}
    await accept(town, "next")
    timers, open_tasks = Timers(town.service), TaskQuery()

    async def tasks() -> list[tuple[str, str]]:
        found, _ = await town.service.tasks.page(platform(town), town.name, open_tasks)
        return [(each.request_id, each.code) for each in found if each.kind is TaskKind.SEQUENCE_AT_RISK]

    assert ((await town.record("next")).risk, await tasks()) == ("", [])
    town.clock.ms = (await town.record("first")).timer_ms  # its report is missed
    await timers.fire_due(town.name)
    late = await town.record("next")
    assert (late.state, late.risk) == (RequestState.ACCEPTED, "other_ride_late")
    assert await tasks() == [("next", "other_ride_late")]
    vendor_id = late.offers[-1].vendor_id
    stored = town.store.market(town.name)
    heard = await town.store.streams.read(stored.keys.stream(vendor_id))
    told = [unpack_event(each.event) for each in heard][-1]
    assert (told.type, "first" in str(told.data)) == ("dispatch.dispatch.at_risk", False)
    assert (await audit(town.store.reader, town.name))["findings"] == []
    offer = (await town.record("first")).offers[-1]
    for status in (TrackingStatus.ON_BOARD, TrackingStatus.COMPLETED):
        await do(town, ReportStatus(offer_id="first.1", status=status), offer.vendor_id)
    assert ((await town.record("next")).risk, await tasks()) == ("", [])
    assert (await audit(town.store.reader, town.name))["findings"] == []


async def test_a_ride_that_has_not_ended_when_its_patients_next_one_starts_is_late(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await two_vendors(town)
    await submit(town, ride("first", 60, 5))
    await match_imminent(own, town.market, ["first"])
    await accept(town, "first")
    first = (await town.record("first")).offers[0]
    await submit(town, ride("next", (first.end_ms - NOW_MS) / MINUTE_MS, 15))
    assert (await run_batch(own, town.market, solvers)).offered == {"next"}
    await accept(town, "next")
    town.clock.ms = first.start_ms + 10 * MINUTE_MS
    await do(town, ReportStatus(offer_id="first.1", status=TrackingStatus.ON_BOARD), first.vendor_id)
    town.clock.ms = (await town.record("next")).offers[0].start_ms
    await Timers(town.service).fire_due(town.name)
    assert (await town.record("next")).risk == "other_ride_late"
    await do(town, ReleaseSequence(request_id="next", predecessor_id="first"))
    assert (await town.record("next")).risk == "", "go anyway"


async def test_a_quote_for_a_patient_is_beside_the_rides_that_they_have(town: Town, own: Ownership) -> None:
    await two_vendors(town)
    await submit(town, ride("ride", 60, 10))
    await match_imminent(own, town.market, ["ride"])
    taken = (await town.record("ride")).offers[0]
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    wide = await quoter.quote(town.name, ride("asked", 60, 150))
    starts = [to_ms(each.start_at) for one in wide.quotes for each in (one, *one.other_starts)]
    assert starts and all(each >= taken.end_ms for each in starts)
    narrow = await quoter.quote(town.name, ride("asked", 60, 10))
    assert narrow.unmatched is not None
    assert (narrow.quotes, narrow.unmatched.last_rule) == ((), "sequence")
    another = await quoter.quote(town.name, ride("asked", 60, 10, patient=make.patient("two")))
    assert len(another.quotes) == 2


async def test_a_bundle_of_two_legs_is_offered_whole(town: Town, own: Ownership, solvers: SolverPool) -> None:
    await two_vendors(town)
    decide_by = to_instant(NOW_MS + 2 * HOUR_MS)
    draft = EpisodeDraft(bundle=Bundle.ALL_OR_NONE, decide_by=decide_by)
    whole = EpisodeSubmission(id="day", requests=(ride("there", 300), ride("on", 365, 20)), episode=draft)
    key = IdempotencyRecord.of("episode", "day", b"day")
    await town.service.episodes.submit(platform(town), town.name, whole, key)
    assert (await run_batch(own, town.market, solvers)).offered == {"there", "on"}
    assert await apart(town, "there", "on")


async def test_who_was_sought_in_vain_keeps_the_other_waiting_no_more(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await two_vendors(town)
    await submit(town, ride("nobody", 300, excluded_vendors=("v1", "v2")), ride("late", 365))
    planned = one_after_another(await town.market.waiting(["nobody", "late"]))
    assert {record.id: asked.follows for record, asked in planned} == {
        "nobody": (),
        "late": (Follows("nobody"),),
    }
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    assert (await run_batch(own, town.market, solvers)).offered == {"late"}
