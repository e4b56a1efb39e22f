"""By how much a parameter is nudged, to see what it does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from contracts.tuning import Number, Parameter, Tunable
from dispatcher.tuning.shadow import SEEN

FACTOR = 1.25
SHARE = 0.02  # of what its bounds span, for one that is 0 now


class Nudged(NamedTuple):
    """One parameter at another value."""

    name: str
    up: bool
    value: Number


def nudges(parameters: Iterable[Tunable], values: Mapping[str, Number]) -> list[Nudged]:
    """Each that a batch is planned by: a quarter more, a fifth less; a switch the other way."""
    found = []
    for each in parameters:
        if isinstance(each, Parameter) and each.scope.startswith(SEEN):
            now = each.of(values)
            for up in (False, True):
                value = _nudged(each, now, up=up)
                if value != now:
                    found.append(Nudged(each.name, up, value))
    return found


def _nudged(parameter: Parameter, now: Number, *, up: bool) -> Number:
    span = parameter.maximum - parameter.minimum
    step = abs(now) * (FACTOR - 1 if up else 1 - 1 / FACTOR) or span * SHARE
    if isinstance(parameter.default, int):
        step = max(1, round(step))
    value = min(parameter.maximum, max(parameter.minimum, now + (step if up else -step)))
    return int(value) if isinstance(parameter.default, int) else round(float(value), 6)
