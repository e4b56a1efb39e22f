"""Each setting that a plan reads, nudged up and down by itself: what would move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from contracts.tuning import Number, Parameter
from contracts.what_if import WhatIfNudge
from dispatcher.what_if.moment import Moment, MomentAsked, side_of
from dispatcher.what_if.solving import Solver
from solvers.compare import Kind, Side, diff

SHARE = 0.25  # of the value in force; of one that is 0, of its bounds, where these are narrow
NARROW = 100.0


class Read(dict[str, Number]):
    """Values that note which of them are asked for."""

    def __init__(self, values: Mapping[str, Number]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Number | None = None) -> Number | None:  # type: ignore[override]
        """As ever."""
        self.names.add(name)
        return super().get(name, default)


def nudges(wanted: MomentAsked, before: Side, again: Side, vendors: Sequence[str]) -> Iterator[WhatIfNudge]:
    """One for each setting that is read and each direction; what another seed changes is the floor."""
    read, floor = _read(wanted), int(diff(wanted.asked, before, again, ()).changed.sum())
    values = wanted.before.screening.values
    for parameter in wanted.nudged:
        for value in _around(parameter, values) if parameter.name in read else ():
            moment = _with(wanted.before, {**values, parameter.name: value})
            made = wanted.solver(wanted.seed).plan(moment.screening)
            found = diff(wanted.asked, before, side_of(wanted, moment, made, vendors), ())
            changed = int(found.changed.sum())
            yield WhatIfNudge(
                name=parameter.name,
                value=parameter.of(values),
                nudged=value,
                moved=found.count(Kind.MOVED),
                gained=found.count(Kind.GAINED),
                lost=found.count(Kind.LOST),
                floor=floor,
                beyond=changed > floor + 2 * math.sqrt(floor),
            )


def _read(wanted: MomentAsked) -> set[str]:
    """The names of the settings that its plan reads."""
    values = Read(wanted.before.screening.values)
    Solver(wanted.seed, 1).plan(replace(wanted.before.screening, values=values))
    return values.names


def _with(moment: Moment, values: Mapping[str, Number]) -> Moment:
    return replace(moment, screening=replace(moment.screening, values=values))


def _around(parameter: Parameter, values: Mapping[str, Number]) -> list[Number]:
    """Below and above the value in force, within its bounds; of a whole number by 1 at the least."""
    now = parameter.of(values)
    by = abs(now) * SHARE or min((parameter.maximum - parameter.minimum) * SHARE, NARROW)
    whole = isinstance(parameter.default, int)
    by = max(1, round(by)) if whole else by
    found = [float(np.clip(now + each, parameter.minimum, parameter.maximum)) for each in (-by, by)]
    return [int(each) if whole else each for each in found if each != now]
