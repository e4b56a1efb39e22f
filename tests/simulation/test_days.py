"""The days that are played: the same seed, the same day; real counts; nobody is forgotten."""

from collections import Counter
from datetime import date

import msgspec
import pytest

from contracts.codes import LevelOfService, ServiceClass
from contracts.instants import MINUTE_MS
from contracts.request_batch import RequestBatch
from simulation import seoul, small
from simulation.behaviour import Answer, course, reaction
from simulation.day import instant, wanted_ms
from simulation.errors import DayError
from simulation.table import read_table


def test_the_same_seed_gives_the_same_day():
    assert small.generate(3) == small.generate(3)
    assert small.generate(3) != small.generate(4)


def test_a_day_may_be_played_on_one_that_changes_the_clock():
    plain, spring = small.generate(3), small.generate(3, date=date(2027, 3, 14))
    clocks = [
        [instant(wanted_ms(each), day.tz).strftime("%H:%M") for each in day.requests]
        for day in (plain, spring)
    ]
    assert sum(a != b for a, b in zip(*clocks, strict=True)) == sum(each[:2] == "02" for each in clocks[0])
    assert spring.end_ms - spring.start_ms == plain.end_ms - plain.start_ms - 3_600_000


def test_every_request_survives_the_wire():
    for submission in small.generate(1).submissions:
        batch = RequestBatch(requests=submission.requests)
        assert msgspec.json.decode(msgspec.json.encode(batch), type=RequestBatch) == batch


def test_no_patient_field_is_used_twice_so_that_a_leak_can_be_traced():
    patients = [request.patient for request in small.generate(1).requests if request.patient]
    values = [each for patient in patients for each in msgspec.structs.astuple(patient) if each is not None]
    assert len(patients) == 500
    assert len(set(values)) == len(values)


def test_the_seoul_day_has_all_its_trips_and_vehicles(shared_data):
    day = seoul.load(shared_data / "seoul", seed=1)
    assert len({request.id for request in day.requests}) == 6_002
    assert len(day.vendors) == 80
    vans = {(ServiceClass.WHEELCHAIR, ServiceClass.AMBULATORY), (ServiceClass.AMBULATORY,)}
    assert {pool.serves for pools in day.capacity.values() for pool in pools.pools} == vans
    hours = sum(sum(pool.units) for pools in day.capacity.values() for pool in pools.pools) / 12
    vehicles = read_table(shared_data / "seoul" / "vehicles.csv", seoul.VEHICLES)
    assert hours == sum(row["work_end"] - row["work_start"] for row in vehicles)
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
    with pytest.raises(DayError, match=r"trips\.csv"):
        seoul.load(tmp_path, seed=1)


TRIPS = "ID,ride_time,ride_lat,ride_lon,alight_lat,alight_lon,dispatch_time,type\n"
VEHICLES = "vehicle_id,cartype,work_start,work_end,temporary_stopTime,lat,lon\n"


def folder_of(tmp_path, trips: str, vehicles: str):
    (tmp_path / "trips.csv").write_text(trips)
    (tmp_path / "vehicles.csv").write_text(vehicles)
    return tmp_path


def test_a_day_may_be_as_small_as_one_trip_and_one_vehicle(tmp_path):
    trips, vehicles = TRIPS + "0,600,37.5,127.0,37.6,127.1,0,1\n", VEHICLES + "0,1,7,16,0,37.5,127.0\n"
    day = seoul.load(folder_of(tmp_path, trips, vehicles), seed=1)
    assert len(day.requests) == len(day.vendors) == 1


def test_a_shift_may_go_on_past_midnight():
    assert seoul._units([seoul.Vehicle(127.0, 37.5, True, 22, 6)]) == (1,) * 72 + (0,) * 192 + (1,) * 24


def test_a_shift_may_begin_and_end_within_an_hour_and_a_header_have_blanks(tmp_path):
    header = VEHICLES.replace(",", " , ").replace("\n", " \r\n")
    trips = TRIPS + "0,600,37.5,127.0,37.6,127.1,0,1\n"
    day = seoul.load(folder_of(tmp_path, trips, header + "0,1,7.5,16.25,0,37.5,127.0"), seed=1)
    ((pool,),) = (pools.pools for pools in day.capacity.values())
    assert pool.units == (0,) * 90 + (1,) * 105 + (0,) * 93


@pytest.mark.parametrize(
    ("trips", "vehicles", "told"),
    [
        (TRIPS + 2 * "7,60,37.5,127,37.5,127,0,1\n", VEHICLES, r"trips\.csv: the ID 7 stands in two lines"),
        ("ID,ride_time\n0,1\n", VEHICLES, r"trips\.csv lacks the column type, ride_lon"),
        (TRIPS, VEHICLES, r"trips\.csv has no line"),
        (TRIPS + "0,soon,37.5,127,37.5,127,0,1\n", VEHICLES, r"trips\.csv, line 2: ride_time is 'soon'"),
        (TRIPS + "0,60,137.5,127,37.5,127,0,1\n", VEHICLES, r"ride_lat is '137\.5'\.\n.* from -90 to 90"),
        (TRIPS + "0,60,37.5\n", VEHICLES, r"line 2: type is None"),
        (TRIPS + "0,60,37.5,127,37.5,127,0,1\n", VEHICLES + "0,1,7,25,0,37,127\n", r"work_end is '25'"),
        (TRIPS + "0,60,37.5,127,37.5,127,0,0.5\n", VEHICLES, r"type is '0\.5'\.\nIt must be a whole number"),
        (TRIPS + "0,nan,37.5,127,37.5,127,0,1\n", VEHICLES, r"ride_time is 'nan'"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_by_line_and_column(tmp_path, trips, vehicles, told):
    with pytest.raises(DayError, match=told):
        seoul.load(folder_of(tmp_path, trips, vehicles), seed=1)


def test_vendors_decline_and_keep_silent_as_often_as_the_field_says(some_offers):
    answers = Counter(reaction(offer, 1, 0).answer for offer in some_offers)
    assert 0.06 < answers[Answer.DECLINE] / len(some_offers) < 0.10
    assert 0.02 < answers[Answer.SILENCE] / len(some_offers) < 0.045


def test_reports_come_in_order_and_end_the_work(some_offers):
    for offer in some_offers:
        reports = course(offer, 1)
        assert [each.at_ms for each in reports] == sorted(each.at_ms for each in reports)
        assert reports[-1].update.status in {"completed", "no_show", "failed", "turned_back"}
