"""All tuning parameters, collected from the modules that read them; each is declared once, there."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.abc import InspectLoader
from importlib.util import find_spec
from types import ModuleType

from contracts.tuning import (
    ParameterView,
    Tunable,
    Tuning,
    TuningView,
    Value,
    both_names,
    problems,
    renamed,
)
from contracts.tuning_sets import Slider
from contracts.tuning_versions import ParameterChange
from dispatcher.domain.refusals import Invalid
from dispatcher.runtime.errors import UserError
from dispatcher.tuning.sliders import SliderBook

PACKAGES = ("solvers", "dispatcher")
_DECLARES = re.compile(r"^(PARAMETERS|SLIDERS)\s*[:=]", re.MULTILINE)


class ParameterError(UserError):
    """Two parameters have one name, or a default breaks its own bounds: the service does not start."""


class Registry:
    """Every parameter by name, in a stable order."""

    def __init__(self, parameters: Iterable[Tunable], sliders: Iterable[Slider] = ()) -> None:
        """Raises ParameterError, SliderError. What is met twice was re-exported, not declared twice."""
        self.parameters: dict[str, Tunable] = {}
        for parameter in parameters:
            _refuse_bad(parameter, self.parameters.get(parameter.name))
            self.parameters[parameter.name] = parameter
        self.sliders = SliderBook(sliders, self.parameters)

    @classmethod
    def found(cls, packages: Iterable[str] = PACKAGES) -> Registry:
        """What the modules of these packages declare as `PARAMETERS` and as `SLIDERS`."""
        modules = [module for name in packages for module in _declaring(name)]
        parameters = [each for module in modules for each in getattr(module, "PARAMETERS", ())]
        return cls(parameters, [each for module in modules for each in getattr(module, "SLIDERS", ())])

    def checked(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """The values, by the parameters' present names.

        Raises Invalid naming every value that is unknown or out of bounds, with its bounds, and every name of
        before that came beside the present one: one of the two would be lost.
        """
        twice = [f"{old} is {new}, which is given as well" for old, new in both_names(values)]
        values = renamed(values)
        found = twice + problems(values, self.parameters.values())
        if found:
            raise Invalid(
                "; ".join(found) + "\nMaybe read the parameters first: each has its bounds and unit.",
                problems=found,
            )
        return dict(values)

    def usable(self, values: Mapping[str, Value]) -> tuple[dict[str, Value], list[str]]:
        """The values that can be in force, and the names of the others: gone, or out of today's bounds.

        For what nobody is asked about: it must not fail for what an earlier version took.
        """
        values = renamed(values)
        lost = [name for name, each in values.items() if problems({name: each}, self.parameters.values())]
        return {name: each for name, each in values.items() if name not in lost}, lost

    def view(self, tuning: Tuning) -> TuningView:
        """Every parameter with its value in force, and who set it."""
        values = tuning.overrides
        return TuningView(
            version=tuning.version,
            by=tuning.by,
            reason=tuning.reason,
            at=tuning.at,
            parameters=tuple(_view(each, values) for each in self.parameters.values()),
            what_if=tuning.what_if,
            made=tuning.made,
            source=tuning.source,
            in_force=tuning.version,
        )

    def changes(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> list[ParameterChange]:
        """The parameters whose value is another under `after`; a name that none has any more is left out."""
        found = [(each, each.default) for each in self.parameters.values()]
        return [
            ParameterChange(
                name=each.name,
                before=before.get(each.name, default),
                after=after.get(each.name, default),
                default=default,
                unit=each.unit,
                summary=each.summary,
                scope=each.scope,
            )
            for each, default in found
            if before.get(each.name, default) != after.get(each.name, default)
        ]


def _view(parameter: Tunable, values: Mapping[str, Value]) -> ParameterView:
    return ParameterView(
        name=parameter.name,
        value=values.get(parameter.name, parameter.default),
        default=parameter.default,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        unit=parameter.unit,
        summary=parameter.summary,
        scope=parameter.scope,
    )


def _refuse_bad(parameter: Tunable, known: Tunable | None) -> None:
    if known is not None and known is not parameter:
        raise ParameterError(
            f"tuning parameter {parameter.name} is declared in {known.scope} and in {parameter.scope}.",
            "Maybe rename one, or let one read the other's.",
        )
    wrong = parameter.problem(parameter.default)
    if wrong:
        raise ParameterError(f"a default breaks its own bounds: {wrong}.", "Maybe the bounds are swapped.")


def _declaring(package: str) -> Iterator[ModuleType]:
    """Only modules whose text declares any are imported: the others may be heavy (the optimiser)."""
    for name in modules_of(package):
        if _DECLARES.search(text_of(name)):
            yield importlib.import_module(name)


def modules_of(package: str) -> Iterator[str]:
    """The package and all that is in it, by name."""
    yield package
    root = importlib.import_module(package)
    for module in pkgutil.iter_modules(root.__path__, f"{package}."):
        if module.ispkg:
            yield from modules_of(module.name)
        else:
            yield module.name


def text_of(name: str) -> str:
    """The source of a module; "" where there is none."""
    spec = find_spec(name)
    loader = spec.loader if spec else None
    return (loader.get_source(name) or "") if isinstance(loader, InspectLoader) else ""
