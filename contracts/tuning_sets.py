"""Saved sets of tuning under a name, and sliders: objectives in words, with the parameters behind each."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Id, Instant, Version, Wire
from contracts.patterns import whole
from contracts.tuning import Number, Sent, Value
from contracts.tuning_versions import ParameterChange

MOST_SETS = 50  # of one market
STEPS = 10  # to either side
Step = Annotated[int, Meta(ge=-STEPS, le=STEPS, description="0: as the parameters are by default")]
SliderName = Annotated[str, Meta(pattern=whole("[a-z_]{1,64}"))]


class Follows(msgspec.Struct, frozen=True, kw_only=True):
    """How one parameter follows a slider: its values at both ends; in the middle it is its default.

    `even`: by equal steps; otherwise by equal factors, for what is a weight or a price.
    """

    parameter: str
    low: Number
    high: Number
    even: bool = False

    def at(self, step: int, default: Number) -> Number:
        """The value at a step; a whole number where the default is one."""
        end, share = (self.low if step < 0 else self.high), abs(step) / STEPS
        by_factor = not self.even and end > 0 and default > 0
        value = default * (end / default) ** share if by_factor else default + (end - default) * share
        return round(value) if isinstance(default, int) else round(value, 4)


class Slider(msgspec.Struct, frozen=True, kw_only=True):
    """An objective in words, declared beside the parameters that follow it."""

    name: str
    low: str
    high: str
    summary: str
    follows: tuple[Follows, ...]


class SliderParameter(Wire, omit_defaults=False):
    """A parameter behind a slider: its values at the ends and in the middle, and now."""

    name: str
    low: Number
    middle: Number
    high: Number
    value: Value
    unit: str


class SliderView(Wire, omit_defaults=False):
    """A slider; `step` is null where the values are on none of its steps: somebody has set one by itself."""

    name: str
    low: str
    high: str
    summary: str
    step: int | None
    parameters: tuple[SliderParameter, ...]


class Sliders(Wire, omit_defaults=False):
    """All sliders, each where the tuning (as sent, or as it stands) has it."""

    sliders: tuple[SliderView, ...] = ()


class MoveSliders(Wire):
    """Sliders to be moved, over these overrides; left out: over those that stand."""

    steps: Annotated[dict[SliderName, Step], Meta(max_length=50)]
    values: Annotated[dict[str, Sent], Meta(max_length=200)] | None = None


class MovedSliders(Wire, omit_defaults=False):
    """The overrides with the sliders moved, for PUT …/tuning; what that changes of what stands."""

    values: dict[str, Value]
    changes: tuple[ParameterChange, ...] = ()
    sliders: tuple[SliderView, ...] = ()


class SetUpdate(Wire):
    """What is saved under a name: a whole set of overrides, with sliders moved over them."""

    values: Annotated[dict[str, Sent], Meta(max_length=200)]
    steps: Annotated[dict[SliderName, Step], Meta(max_length=50)] = msgspec.field(default_factory=dict)
    about: Annotated[str, Meta(max_length=200)] = ""


class SavedSet(Wire, omit_defaults=False):
    """A set of overrides under a name, as stored and as read; its version is its ETag."""

    name: Id
    version: Version
    values: dict[str, Value]
    about: str
    by: str
    at: Instant


class SavedSets(Wire, omit_defaults=False):
    """All saved sets of a market, by name."""

    sets: tuple[SavedSet, ...] = ()
