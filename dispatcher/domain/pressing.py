"""What priority does to time: an urgent request's timers run for a share of what a routine one's do."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import Priority
from contracts.tuning import Number, Parameter

DEFAULTS = {Priority.URGENT: 0.5, Priority.ASAP: 0.3, Priority.STAT: 0.2}
Shares = Mapping[Priority, Parameter]


def shares(prefix: str, scope: str, summary: str) -> Shares:
    """A parameter `<prefix>_<priority>_share` for each priority above routine; `summary` begins its text."""
    return {
        priority: Parameter(
            name=f"{prefix}_{priority.value}_share",
            default=default,
            minimum=0.01,
            maximum=1.0,
            unit="share",
            summary=f"{summary} of priority {priority.value} for this share of the usual time.",
            scope=scope,
        )
        for priority, default in DEFAULTS.items()
    }


def pressed(ms: int, by: Shares, priority: Priority, values: Mapping[str, Number]) -> int:
    """So many ms of a routine request, for one of this priority."""
    share = by.get(priority)
    return ms if share is None else int(ms * share.of(values))
