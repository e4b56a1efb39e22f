"""The days that the demo plays: the same seed, the same day; real counts; nobody is forgotten."""

from collections import Counter

import msgspec
import pytest

from contracts.codes import LevelOfService, ServiceClass
from contracts.requests import RequestBatch
from dispatcher.demo import seoul, small
from dispatcher.demo.behaviour import Answer, course, reaction
from dispatcher.demo.day import MINUTE_MS, wanted_ms
from dispatcher.demo.summary import timings
from dispatcher.demo.tally import Tally
from dispatcher.errors import UserError


def test_the_same_seed_gives_the_same_day():
    assert small.generate(3) == small.generate(3)
    assert small.generate(3) != small.generate(4)


def test_every_request_survives_the_wire():
    for submission in small.generate(1).submissions:
        batch = RequestBatch(requests=submission.requests)
        assert msgspec.json.decode(msgspec.json.encode(batch), type=RequestBatch) == batch


def test_no_patient_field_is_used_twice_so_that_a_leak_can_be_traced():
    patients = [request.patient for request in small.generate(1).requests if request.patient]
    values = [value for patient in patients for value in msgspec.structs.astuple(patient)]
    assert len(patients) == 500
    assert len(set(values)) == len(values)


def test_the_seoul_day_has_all_its_trips_and_vehicles(shared_data):
    day = seoul.load(shared_data / "seoul", seed=1)
    assert len({request.id for request in day.requests}) == 6_002
    assert len(day.vendors) == 80
    vans = {(ServiceClass.WHEELCHAIR, ServiceClass.AMBULATORY), (ServiceClass.AMBULATORY,)}
    assert {pool.serves for pools in day.capacity.values() for pool in pools.pools} == vans
    hours = sum(sum(pool.units) for pools in day.capacity.values() for pool in pools.pools) / 12
    assert hours == sum(
        int(row["work_end"]) - int(row["work_start"])
        for row in seoul._rows(shared_data / "seoul" / "vehicles.csv")
    )
    levels = Counter(request.level_of_service for request in day.requests)
    assert levels[LevelOfService.WHEELCHAIR] == 4_630


def test_most_of_a_day_is_booked_the_evening_before_in_calls_of_at_most_a_thousand(shared_data):
    day = seoul.load(shared_data / "seoul", seed=1)
    large = [each for each in day.submissions if len(each.requests) > 1]
    assert all(len(each.requests) <= 1_000 for each in large)
    assert 0.75 < sum(len(each.requests) for each in large) / 6_002 < 0.85
    same_day = [each for each in day.submissions if each.at_ms > max(call.at_ms for call in large)]
    leads = [wanted_ms(each.requests[0]) - each.at_ms for each in same_day]
    assert min(leads) >= 44 * MINUTE_MS
    assert max(leads) <= 181 * MINUTE_MS


def test_vehicles_are_grouped_by_position_into_vendors_of_like_size():
    spread = [seoul.Vehicle(x / 100, (x * 7 % 61) / 100, True, 0, 24) for x in range(613)]
    groups = seoul.grouped(spread, 80)
    assert {len(group) for group in groups} == {7, 8}
    assert sorted(each for group in groups for each in group) == sorted(spread)


def test_a_folder_without_a_day_is_named(tmp_path):
    with pytest.raises(UserError, match=r"trips\.csv"):
        seoul.load(tmp_path, seed=1)


def test_vendors_decline_and_keep_silent_as_often_as_the_field_says(some_offers):
    answers = Counter(reaction(offer, 1, 0).answer for offer in some_offers)
    assert 0.06 < answers[Answer.DECLINE] / len(some_offers) < 0.10
    assert 0.02 < answers[Answer.SILENCE] / len(some_offers) < 0.045


def test_reports_come_in_order_and_end_the_work(some_offers):
    for offer in some_offers:
        reports = course(offer, 1)
        assert [each.at_ms for each in reports] == sorted(each.at_ms for each in reports)
        assert reports[-1].update.status in {"completed", "no_show", "failed", "turned_back"}


def test_the_time_to_an_offer_is_of_urgent_requests_for_which_a_vendor_had_room():
    tally = Tally(planned=3, urgent={"at-once", "full-first"})
    tally.acknowledged = dict.fromkeys(("at-once", "full-first", "patient"), 1.0)
    tally.heard = {"at-once": 1.02, "full-first": 4.0, "patient": 9.0}
    figures = timings(tally, {"full-first"})
    assert (figures["offer_p99_ms"], figures["urgent_offers"], figures["urgent_waited"]) == (20.0, 1, 1)
