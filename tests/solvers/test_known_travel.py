"""Rides that are known of some pairs: answered for many at once, the rest estimated."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.known_travel import HOURS, Answer, KnownTravel, Pair, points, position
from solvers.travel import DetourTravel

ESTIMATE = DetourTravel.of({})
PLACES = np.array([[-74.0, 40.7], [-74.1, 40.8], [-73.9, 40.6], [179.99995, -0.00005], [-180.0, 0.0]])


def pair(origin: int, destination: int) -> Pair:
    return Pair(*points(PLACES[[origin, destination]]).tolist())


@settings(max_examples=30, deadline=None)
@given(
    known=st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
        st.dictionaries(st.integers(0, 23), st.floats(1, 9_999), max_size=3),
    ),
    asked=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 23)), min_size=1),
)
def test_what_is_known_is_said_and_the_rest_is_estimated(
    known: dict[tuple[int, int], dict[int, float]], asked: list[tuple[int, int, int]]
) -> None:
    said = {
        pair(*ends): {hour: Answer(seconds, 2 * seconds, by_hour=True) for hour, seconds in each.items()}
        for ends, each in known.items()
    }
    travel = pickle.loads(pickle.dumps(KnownTravel.of(said, ESTIMATE)))
    origins, destinations, hours = np.array(asked).T
    found = travel.between(PLACES[origins], PLACES[destinations], hours)
    estimate = ESTIMATE.between(PLACES[origins], PLACES[destinations], hours)
    for row, (origin, destination, hour) in enumerate(asked):
        seconds = known.get((origin, destination), {}).get(hour)
        assert found.seconds[row] == (seconds or max(1.0, estimate.seconds[row]))
        assert found.metres[row] == (2 * seconds if seconds else estimate.metres[row])
    assert (found.seconds > 0).all()


def test_an_answer_without_traffic_has_the_hours_of_the_tuning() -> None:
    always = dict.fromkeys(range(HOURS), Answer(600, 90_000))
    travel = KnownTravel.of({pair(0, 1): always}, DetourTravel.of({"travel_town_km": 30}))
    ends = (np.repeat(PLACES[[n]], HOURS, axis=0) for n in (0, 1))
    seconds = travel.between(*ends, np.arange(HOURS)).seconds
    assert seconds[2] == pytest.approx(600), "at night the roads are free"
    town_s, beyond_s = 30 / 45, 40 / 65 + 20 / 95
    assert seconds[8] == pytest.approx(600 * (30 / 22 + beyond_s) / (town_s + beyond_s))


def test_a_point_is_rounded_to_its_house_and_no_other_is_taken_for_it() -> None:
    near, far = np.array([[-74.00004, 40.69996]]), np.array([[-74.00016, 40.7]])
    assert points(near) == points(PLACES[:1])
    assert points(far) != points(PLACES[:1])
    assert position(int(points(near)[0])) == (-74.0, 40.7)
    assert len(set(points(PLACES).tolist())) == len(PLACES)


def test_a_plan_s_input_names_the_table_by_what_it_says_and_no_place() -> None:
    tables = [KnownTravel.of({pair(0, 1): {8: Answer(s, 9, True)}}, ESTIMATE) for s in (600, 600, 601)]
    assert repr(tables[0]) == repr(tables[1]) != repr(tables[2])
    assert "40.7" not in repr(tables[0])
