"""`docs/extending.md` does what it says: its examples run as they stand there."""

import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from solvers.planning import plan
from solvers.rules import registry
from tests.solvers.town import asked, screening, trip, vendor

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def run(block: str, name: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(block, name, "exec"), module.__dict__)
    return module


@pytest.fixture
def page() -> Iterator[list[ModuleType]]:
    """The page's Python blocks: rule, its test, solver, travel times, route."""
    modules = [run(block, f"extending_{number}") for number, block in enumerate(BLOCKS)]
    yield modules
    for module in modules:
        del sys.modules[module.__name__]


def test_the_example_rule_passes_the_example_test(page: list[ModuleType]) -> None:
    rule, test, *_ = page
    with registry.with_rule(rule.RULE):
        test.test_a_ride_that_is_too_long_has_no_candidate_and_says_why()


def test_a_rule_is_gone_after_its_block(page: list[ModuleType]) -> None:
    with registry.with_rule(page[0].RULE):
        assert "longest_ride" in {rule.code for rule in registry.rules()}
    assert "longest_ride" not in {rule.code for rule in registry.rules()}


def test_two_rules_of_one_code_are_refused(page: list[ModuleType]) -> None:
    other = type("Other", (page[0].LongestRide,), {"code": "capacity"})
    with pytest.raises(ValueError, match="two rules have the code 'capacity'"), registry.with_rule(other()):
        pass
    assert type(registry.rules()[-1]).__name__ != "Other"
    assert "capacity" in {rule.code for rule in registry.rules()}


def test_the_example_solver_makes_a_checked_plan(page: list[ModuleType]) -> None:
    found = plan(screening([asked(trip("r1")), asked(trip("r2"))], [vendor()]), page[2].first_come)
    assert found.chosen.request.tolist() == [0]


def test_the_example_travel_times_are_a_source(page: list[ModuleType]) -> None:
    source = page[3].travel_of({})
    ends = np.array([[127.0, 37.5]]), np.array([[127.0, 37.6]])
    travel = source.between(*ends, np.array([12]))
    assert travel.seconds[0] == pytest.approx(travel.metres[0] * 3.6 / 60)
    assert pickle.loads(pickle.dumps(source)).between(*ends, np.array([12])).metres == travel.metres
