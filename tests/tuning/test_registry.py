"""Every parameter is declared once, where it is read, and checked before it is in force."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from contracts.tuning import Parameter, Tuning
from dispatcher.domain.refusals import Invalid
from dispatcher.tuning.registry import ParameterError, Registry

WAIT = Parameter(
    name="wait_minutes", default=5, minimum=0, maximum=60, unit="minutes", summary="Waits.", scope="tests"
)


def test_the_parameters_of_all_parts_are_found_each_with_a_sentence_and_a_unit() -> None:
    found = Registry.found().parameters
    assert {"max_attempts", "arrive_by_minutes", "offer_share", "travel_detour"} <= set(found)
    assert list(found) == list(Registry.found().parameters)
    for each in found.values():
        assert each.summary.endswith(".")
        assert each.unit


def test_finding_them_does_not_load_the_optimiser_into_the_web_process() -> None:
    code = (
        "import sys; from dispatcher.tuning.registry import Registry; Registry.found();"
        "sys.exit(' '.join({'ortools', 'numba', 'pebble'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_name_that_is_declared_twice_stops_the_start_but_the_same_object_may_be_met_twice() -> None:
    assert list(Registry([WAIT, WAIT]).parameters) == ["wait_minutes"]
    with pytest.raises(ParameterError, match="wait_minutes is declared in tests and in elsewhere"):
        Registry([WAIT, replace(WAIT, scope="elsewhere")])


def test_a_default_outside_its_own_bounds_stops_the_start() -> None:
    with pytest.raises(ParameterError, match=r"wait_minutes 99 is outside 0\.\.60 minutes"):
        Registry([replace(WAIT, default=99)])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"wait_minutes": 61}, "wait_minutes 61 is outside 0..60 minutes"),
        ({"wait_minutes": 1.5}, "wait_minutes 1.5 is not a whole number of minutes"),
        ({"wait_minutes": float("nan")}, "wait_minutes nan is outside 0..60 minutes"),
        ({"weight_minutes": 1}, "weight_minutes is no parameter"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_its_bounds(
    values: Mapping[str, float], told: str
) -> None:
    with pytest.raises(Invalid) as refused:
        Registry([WAIT]).checked(values)
    assert refused.value.facts == {"problems": [told]}
    assert Registry([WAIT]).checked({"wait_minutes": 60}) == {"wait_minutes": 60}


def test_one_parameter_under_its_present_and_its_earlier_name_is_refused_for_one_of_them_would_be_lost() -> (
    None
):
    both = {"urgent_lead_minutes": 120, "imminent_lead_minutes": 60}
    with pytest.raises(Invalid, match="urgent_lead_minutes is imminent_lead_minutes, which is given as well"):
        Registry.found().checked(both)


def test_a_view_has_every_parameter_with_the_value_in_force() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    other = replace(WAIT, name="other")
    view = Registry([WAIT, other]).view(Tuning(version=4, values={"other": 7}, by="ops", at=at))
    assert (view.version, view.by, view.at) == (4, "ops", at)
    assert [(each.name, each.value, each.default) for each in view.parameters] == [
        ("wait_minutes", 5, 5),
        ("other", 7, 5),
    ]
