"""From candidates to the assignment problem: buckets, what is left in them, penalties, caps."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from contracts.codes import Priority
from contracts.tuning import Parameter
from contracts.tuning_sets import Follows, Slider
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import Screened
from solvers.rules import fairness, shares
from solvers.rules.base import Candidates
from solvers.rules.capacity import UNITS, ledger_buckets, outward
from solvers.screening import NO_MOST, PRIORITIES, Screening


def _penalty(priority: Priority, default: int) -> Parameter:
    return Parameter(
        name=f"unmatched_{priority.value}_cents",
        default=default,
        minimum=0,
        maximum=100_000_000,
        unit="cents",
        summary=f"Leaving one of priority {priority.value} unmatched costs this beyond its cheapest vendor.",
        scope="solvers.formulation",
    )


_DEFAULTS: Final = {
    Priority.ROUTINE: 50_000,
    Priority.URGENT: 100_000,
    Priority.ASAP: 200_000,
    Priority.STAT: 400_000,
}
PENALTIES: Final = {each: _penalty(each, _DEFAULTS[each]) for each in PRIORITIES}
PARAMETERS = tuple(PENALTIES.values())
SLIDERS = (
    Slider(
        name="alike_pressing",
        low="all alike",
        high="pressing ones first",
        summary="How far urgent, asap and stat come before routine where there is not enough for all.",
        follows=(
            Follows(parameter="unmatched_urgent_cents", low=50_000, high=400_000),
            Follows(parameter="unmatched_asap_cents", low=50_000, high=1_600_000),
            Follows(parameter="unmatched_stat_cents", low=50_000, high=6_400_000),
            Follows(parameter="lateness_urgent_factor", low=1.0, high=4.0),
            Follows(parameter="lateness_asap_factor", low=1.0, high=16.0),
            Follows(parameter="lateness_stat_factor", low=1.0, high=64.0),
        ),
    ),
)
_MOST = 2**40


def formulate(screening: Screening, screened: Screened) -> AssignmentProblem:
    """The problem of choosing one candidate per request; column n is candidate n.

    Buckets count from the first that any candidate touches. The capacity of a bucket is the least of its
    ledger buckets; use is rounded outward.
    """
    candidates, horizon = screened.candidates, screening.horizon
    factor = ledger_buckets(screening.values)
    start, end = outward(
        horizon, candidates.start_ms, candidates.start_ms + candidates.taken_ms, screening.values
    )
    first, last = (int(start.min()) // factor, -(-int(end.max()) // factor)) if len(start) else (0, 0)
    bucket = start // factor
    target, shortfall = shares.targets(screening, candidates)
    return AssignmentProblem(
        request_penalty=penalties(screening, screened),
        column_request=candidates.request,
        column_vendor=candidates.vendor,
        column_resource=candidates.resource,
        column_start=bucket - first,
        column_duration=-(-end // factor) - bucket,
        column_units=np.full(len(candidates), UNITS, np.int64),
        column_cost=screened.cents,
        capacity=screening.supply.units(first * factor, last * factor, factor),
        vendor_cap=np.clip(screening.supply.vendor_caps(), 0, _MOST),
        vendor_target=target,
        shortfall_cost=shortfall if target.any() else 0,
        **_sequence(screening, candidates),
    )


def _sequence(screening: Screening, candidates: Candidates) -> dict[str, Any]:
    """Pairs and bundles; lags in milliseconds from when work begins and ends, so that none is rounded.

    A unit is taken for longer than the work lasts, and in whole buckets: no sequence counts that.
    """
    sequence = screening.sequence
    if sequence is None:
        return {}
    begin = candidates.start_ms - screening.horizon.start_ms
    return {
        "precedence": np.stack([sequence.first, sequence.second], axis=1),
        "precedence_lag": np.clip(sequence.least_ms, -_MOST, _MOST),
        "precedence_most": np.clip(sequence.most_ms, -_MOST, NO_MOST),
        "precedence_from_start": sequence.from_start.astype(np.int64),
        "column_begin": begin,
        "column_end": begin + candidates.service_ms,
        "bundle": sequence.bundle,
    }


def penalties(screening: Screening, screened: Screened) -> Ints:
    """By priority, beyond the cheapest candidate: a match that is possible is always worth its price.

    More for a request whose group lies behind the others.
    """
    by_priority = np.array(_by_priority(screening), np.int64)
    cheapest = np.full(screening.requests, _MOST, np.int64)
    np.minimum.at(cheapest, screened.candidates.request, screened.cents)
    usual = by_priority[screening.facts.priority] + np.where(cheapest == _MOST, 0, cheapest)
    return usual + floor_worth(screening)


def floor_worth(screening: Screening) -> Ints:
    """R; what of the penalties is for groups that lie behind."""
    return fairness.worth(screening, _by_priority(screening))


def _by_priority(screening: Screening) -> list[int]:
    return [PENALTIES[each].whole(screening.values) for each in PRIORITIES]
