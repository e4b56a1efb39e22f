"""Rules from outside: named in the settings, tuned like others, known to solver processes."""

import asyncio
from collections.abc import Iterator

import pytest

from dispatcher.matching.solving import SolverPool
from dispatcher.tuning import plugins
from solvers.rules import registry
from tests.solvers.town import asked, screening, trip, vendor

MODULE = "tests.solvers.rules.plugin"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plug-in, gone again after the test."""
    registry.rules()
    monkeypatch.setattr(registry, "_found", dict(registry._found))
    monkeypatch.setattr(registry, "_plugins", [])
    tuned = plugins.load(f" {MODULE} ,")
    assert "plugin_nobody" in tuned.parameters
    yield
    monkeypatch.undo()
    registry._forget()


@pytest.mark.usefixtures("loaded")
def test_a_rule_from_outside_rules_in_the_solver_process_too() -> None:
    pool = SolverPool(workers=1)
    try:
        free = screening([asked(trip())], [vendor()], values={"plugin_nobody": 0})
        barred = screening([asked(trip())], [vendor()])
        assert len(asyncio.run(pool.plan(free)).chosen) == 1
        found = asyncio.run(pool.plan(barred))
    finally:
        asyncio.run(pool.aclose())
    assert found.solver == "optimiser"
    assert len(found.chosen) == 0
    assert dict(zip(found.codes, found.removed[0].tolist(), strict=True))["nobody"] == 1


@pytest.mark.parametrize("name", ["no.such_module", "tests.solvers.town"])
def test_a_module_without_a_rule_stops_the_start_and_says_so(name: str) -> None:
    with pytest.raises(plugins.PluginError, match=f"DISPATCHER_RULES={name} cannot be loaded"):
        plugins.load(name)
