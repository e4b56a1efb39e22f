"""Sliders: moved, they give the parameters that follow; and where a tuning has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts.tuning import Number, Parameter, Tunable, Value
from contracts.tuning_sets import STEPS, Slider, SliderParameter, SliderView
from dispatcher.domain.refusals import Invalid
from dispatcher.runtime.errors import UserError


class SliderError(UserError):
    """A slider names no parameter, or leaves one's bounds: the service does not start."""


class SliderBook:
    """Every slider by name, over the parameters that there are."""

    def __init__(self, sliders: Iterable[Slider], parameters: Mapping[str, Tunable]) -> None:
        """Raises SliderError."""
        self.sliders: dict[str, Slider] = {}
        self._parameters = parameters
        for each in sliders:
            known = self.sliders.get(each.name)
            if known is not None and known is not each:
                raise SliderError(f"slider {each.name} is declared twice.", "Maybe rename one.")
            self._refuse_bad(each)
            self.sliders[each.name] = each

    def moved(self, values: Mapping[str, Value], steps: Mapping[str, int]) -> dict[str, Value]:
        """These overrides with sliders moved; a parameter at its default is no override.

        Raises Invalid for a slider that is not known, and for two that move one parameter.
        """
        found, by = dict(values), dict[str, str]()
        for name, step in steps.items():
            slider = self.sliders.get(name)
            if slider is None:
                known = ", ".join(self.sliders)
                raise Invalid(f"there is no slider {name[:64]}\nMaybe one of: {known}.")
            for each in slider.follows:
                other = by.setdefault(each.parameter, name)
                if other != name:
                    raise Invalid(
                        f"{each.parameter} follows both {other} and {name}\nMaybe move one of the two."
                    )
                found.pop(each.parameter, None)
                if step:
                    found[each.parameter] = each.at(step, self._default(each.parameter))
        return found

    def views(self, values: Mapping[str, Value]) -> tuple[SliderView, ...]:
        """Each slider, where these overrides have it."""
        return tuple(self._view(each, values) for each in self.sliders.values())

    def _view(self, slider: Slider, values: Mapping[str, Value]) -> SliderView:
        return SliderView(
            name=slider.name,
            low=slider.low,
            high=slider.high,
            summary=slider.summary,
            step=self._step(slider, values),
            parameters=tuple(
                SliderParameter(
                    name=each.parameter,
                    low=each.low,
                    middle=self._default(each.parameter),
                    high=each.high,
                    value=values.get(each.parameter, self._default(each.parameter)),
                    unit=self._parameters[each.parameter].unit,
                )
                for each in slider.follows
            ),
        )

    def _step(self, slider: Slider, values: Mapping[str, Value]) -> int | None:
        """The step nearest to the middle that gives just these values."""
        defaults = {each.parameter: self._default(each.parameter) for each in slider.follows}
        now = {name: values.get(name, default) for name, default in defaults.items()}
        for step in sorted(range(-STEPS, STEPS + 1), key=abs):
            if {each.parameter: each.at(step, defaults[each.parameter]) for each in slider.follows} == now:
                return step
        return None

    def _default(self, name: str) -> Number:
        found = self._parameters[name]
        assert isinstance(found, Parameter)  # noqa: S101  (as `_refuse_bad` has seen)
        return found.default

    def _refuse_bad(self, slider: Slider) -> None:
        for each in slider.follows:
            found = self._parameters.get(each.parameter)
            if not isinstance(found, Parameter):
                raise SliderError(
                    f"slider {slider.name} moves {each.parameter}, which is no parameter that is a number.",
                    "Maybe it was renamed.",
                )
            wrong = found.problem(each.low) or found.problem(each.high)
            if wrong:
                raise SliderError(f"slider {slider.name} ends out of bounds: {wrong}.", "Maybe shorten it.")
