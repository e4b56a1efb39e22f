"""What a plan is made with: what tuning sets, and of every other parameter what its default is here and now.

A saved plan is read by later versions, and a worker may be of another one: their defaults are not its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.tuning import Number
from solvers import arrival, candidates, durations, formulation, slots, stability, travel
from solvers.rules import registry

MODULES = (arrival, candidates, durations, formulation, slots, stability, travel)


def in_full(values: Mapping[str, Number]) -> dict[str, Number]:
    """With the default of each parameter that a solver reads, where nothing is set."""
    parameters = (
        *(each for module in MODULES for each in module.PARAMETERS),
        *(each for rule in registry.rules() for each in rule.parameters),
    )
    return {each.name: each.default for each in parameters} | dict(values)
