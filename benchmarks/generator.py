"""A realistic day of any size and load as an `AssignmentProblem`, reproducible from its seed.

`normal`: nearly all can be matched; `overloaded`: a third more than capacity at the peak; `dense`: many
candidates a request. What a day looks like is in `benchmarks.day`, every figure named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.candidates import draw_columns
from benchmarks.day import LOADS, Day
from benchmarks.demand import draw_demand
from benchmarks.sequences import draw_sequences, with_what_can_be_kept
from benchmarks.supply import Supply, draw_supply
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem


def generate(requests: int, load: str = "normal", seed: int = 1, **overrides: Any) -> AssignmentProblem:
    """A day of `requests` (at least 1) under a load; `overrides` are fields of `Day` by name."""
    if load not in LOADS:
        raise ValueError(f"load is {load!r}\nMaybe one of {', '.join(LOADS)}.")
    if requests < 1:
        raise ValueError(f"requests is {requests}; a day has at least 1")
    day = replace(LOADS[load], **overrides)
    rng = np.random.default_rng(seed)
    demand, pairs, lags = draw_demand(day, requests, rng)
    ties = draw_sequences(day, demand, rng) or {"precedence": pairs, "precedence_lag": lags}
    supply = draw_supply(day, demand, rng)
    columns = draw_columns(day, demand, supply)
    cap, target = _shares(day, requests, supply, rng)
    problem = AssignmentProblem(
        request_penalty=demand.penalty, **columns, capacity=supply.capacity, vendor_cap=cap,
        vendor_target=target, shortfall_cost=day.shortfall_cents, **ties,
    )  # fmt: skip
    fits = problem.fits_alone
    problem = replace(problem, **{name: array[fits] for name, array in columns.items()})  # type: ignore[arg-type]
    return with_what_can_be_kept(problem) if day.sequence_share or day.bundle_share else problem


def _shares(day: Day, requests: int, supply: Supply, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Daily caps and fair-share targets, V each, in requests."""
    vehicles = supply.capacity.max(axis=2).sum(axis=1)
    usual, tight = day.cap_per_vehicle
    vendors = len(vehicles)
    cap = np.where(rng.random(vendors) < day.tight_cap_share, tight, usual) * vehicles
    even = requests * vehicles / max(1, vehicles.sum())
    target = np.where(rng.random(vendors) < day.target_share, day.target_of_even * even, 0)
    return cap, np.minimum(np.rint(target).astype(np.int64), cap)
