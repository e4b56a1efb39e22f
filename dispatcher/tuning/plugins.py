"""Rules from outside this repository, and their parameters beside those of the service."""

from __future__ import annotations

from dispatcher.runtime.errors import UserError
from dispatcher.tuning.registry import Registry
from solvers.rules import registry


class PluginError(UserError):
    """A module that the settings name has no rule to give."""


def load(names: str) -> Registry:
    """Load the modules named (by comma) into the rules; every parameter there is. Raises PluginError."""
    modules = [name.strip() for name in names.split(",") if name.strip()]
    try:
        registry.load(*modules)
    except (Exception, SystemExit) as error:  # a module from outside may raise whatever it likes
        raise PluginError(
            f"DISPATCHER_RULES={names} cannot be loaded: {type(error).__name__}: {error}.",
            "Maybe the module is not on the Python path, or has no RULE; see docs/extending.md.",
        ) from error
    found = Registry.found()
    return Registry([*found.parameters.values(), *registry.parameters()], found.sliders.sliders.values())
