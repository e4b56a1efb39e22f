"""How long decisions are kept, and how much of them."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.tuning import Number, Parameter

DAYS = Parameter(
    name="decisions_days",
    default=14,
    minimum=0,
    maximum=400,
    unit="days",
    summary="Decisions are kept for so many days, to be read and replayed; 0: none is saved.",
    scope="decisions.parameters",
)
MEGABYTES = Parameter(
    name="decisions_mb",
    default=2_000,
    minimum=0,
    maximum=1_000_000,
    unit="megabytes",
    summary="Above this a market's oldest decisions are forgotten before their time; 0: none is saved.",
    scope="decisions.parameters",
)
LOOKS = Parameter(
    name="decisions_looks_a_minute",
    default=10,
    minimum=0,
    maximum=6_000,
    unit="a minute",
    summary="At most so many quotes and looks ahead are saved, by each process; 0: none.",
    scope="decisions.parameters",
)
PARAMETERS = (DAYS, MEGABYTES, LOOKS)
MB = 1_000_000


def are_saved(values: Mapping[str, Number]) -> bool:
    """Whether the tuning in force wants decisions saved."""
    return DAYS.whole(values) > 0 and MEGABYTES.whole(values) > 0
