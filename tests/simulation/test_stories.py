"""Episodes of a day: the same seed, the same stories; each one patient's, and such as could be done."""

import dataclasses
from collections import Counter
from datetime import date, timedelta

import msgspec
import pytest

from contracts.episode_views import EpisodeSubmission
from contracts.instants import to_instant
from contracts.request_batch import RequestBatch
from contracts.standing_orders import StandingOrder, made_id
from simulation import small
from simulation.day import DATE
from simulation.episodes import Episode, Plot
from simulation.stories import EPISODES, with_episodes

DAY = small.generate(1)
TOLD = with_episodes(DAY, EPISODES, 1)


def of(plot: Plot) -> list[Episode]:
    return [each for each in TOLD.episodes if each.plot is plot]


def test_the_same_seed_gives_the_same_stories_beside_the_same_single_requests():
    assert with_episodes(DAY, 12, 3).episodes == with_episodes(DAY, 12, 3).episodes
    assert with_episodes(DAY, 12, 3).episodes != with_episodes(DAY, 12, 4).episodes
    assert TOLD.submissions == DAY.submissions
    assert with_episodes(DAY, 0, 3) is DAY


def test_a_day_tells_of_discharges_dialysis_and_the_clinic():
    assert Counter(each.plot for each in TOLD.episodes) == {"discharge": 17, "dialysis": 12, "clinic": 11}
    assert sum(each.is_bundle for each in of(Plot.DISCHARGE)) == 9
    assert len([each for each in TOLD.episodes if each.again]) == 10


def test_every_episode_is_one_patients_and_no_other_is_that():
    patients = [{request.patient for request in each.as_called} for each in TOLD.episodes]
    assert {len(each) for each in patients} == {1}
    assert len(set.union(*patients)) == EPISODES
    names = [request.id for request in TOLD.requests]
    assert len(set(names)) == len(names)


def test_a_ride_home_goes_after_what_is_set_up_there():
    for each in of(Plot.DISCHARGE):
        *before, ride = each.as_called
        assert [edge.before for edge in each.edges] == [part.id for part in before]
        assert {edge.after for edge in each.edges} == {ride.id}


def test_a_way_back_goes_after_its_leg_there_and_the_service_calls_it_as_the_story_does():
    for each in of(Plot.DIALYSIS) + of(Plot.CLINIC):
        there, back = each.ids
        assert [(edge.before, edge.after) for edge in each.edges] == [(there, back)]
    for each in of(Plot.DIALYSIS):
        assert each.ids == (made_id(each.id, DATE), made_id(each.id, DATE, back=True))
        assert each.order.return_ride.will_call.day == DATE


@pytest.mark.parametrize("day", [DATE + timedelta(days=each) for each in range(7)])
def test_dialysis_falls_on_whichever_day_is_played(day: date):
    orders = [each.order for each in with_episodes(small.generate(1, date=day), 7, 1).episodes if each.order]
    assert orders
    for order in orders:
        assert f"{day:%a}"[:2].upper() in order.rule
        assert order.request.appointment_at.date() == day


def test_every_episode_survives_the_wire():
    for each in TOLD.episodes:
        body, form = (each.whole, EpisodeSubmission) if each.whole else (each.order, StandingOrder)
        assert msgspec.json.decode(msgspec.json.encode(body), type=form) == body
        if each.again:
            batch = RequestBatch(requests=each.again.requests)
            assert msgspec.json.decode(msgspec.json.encode(batch), type=RequestBatch) == batch


def test_what_is_asked_for_again_is_the_same_under_another_name():
    for each in TOLD.episodes:
        for one, again in zip(each.as_called, each.again.requests if each.again else (), strict=False):
            assert (one.patient, one.doors, one.wished_window) == (
                again.patient,
                again.doors,
                again.wished_window,
            )
            assert one.id != again.id
            assert each.again.at_ms > each.at_ms


def test_everything_is_asked_for_before_it_is_wanted_and_called_within_its_day():
    for each in TOLD.episodes:
        first = min(
            request.wished_window.earliest if request.wished_window else request.arrive_by
            for request in each.as_called
        )
        assert to_instant(each.at_ms) < first
        if each.call_ms:
            assert each.call_ms < TOLD.end_ms


def test_where_nobody_delivers_suppliers_come_along():
    rides = [vendor for vendor in DAY.vendors if not vendor.hcpcs]
    told = with_episodes(dataclasses.replace(DAY, vendors=tuple(rides)), 3, 1)
    assert [vendor.id for vendor in told.vendors if vendor.hcpcs] == [
        "equipment-1",
        "equipment-2",
        "equipment-3",
    ]
    assert {vendor for vendor, _ in told.capacity} >= {"equipment-1", "equipment-2", "equipment-3"}
    assert {
        credential.expires_on > DATE for vendor in told.vendors[-3:] for credential in vendor.credentials
    } == {True}
