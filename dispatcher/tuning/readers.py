"""Where each parameter is declared, and which modules read it: seen in their text, once a process."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache

from contracts.tuning import Parameter, Prefixes
from dispatcher.tuning.registry import PACKAGES, modules_of, text_of

_IMPORT = re.compile(r"^from\s+([\w.]+)\s+import\s+(?:\(([^)]*)\)|(.+))$", re.MULTILINE)


@cache
def read_by() -> Mapping[str, tuple[str, ...]]:
    """Modules by parameter: first the one that declares it, then those that import it, or what holds it."""
    held, found = _declared(), dict[str, dict[str, None]]()
    for module, names in held.items():
        for each in {parameter for some in names.values() for parameter in some}:
            found.setdefault(each, {})[module] = None
    for package in PACKAGES:
        for other in modules_of(package):
            for where, many, few in _IMPORT.findall(text_of(other)):
                names = held.get(where, {})
                for name in (many or few).split(",") if names else ():
                    for each in names.get(name.split(" as ")[0].strip(), ()):
                        found[each][other] = None
    return {name: tuple(modules) for name, modules in found.items()}


def _declared() -> dict[str, dict[str, frozenset[str]]]:
    """By module whose PARAMETERS are loaded: its names, and the parameters that each stands for."""
    loaded = {
        name: module
        for name, module in sys.modules.items()
        if name.split(".")[0] in PACKAGES and hasattr(module, "PARAMETERS")
    }
    found = {}
    for name, module in loaded.items():
        own = {each.name for each in module.PARAMETERS}
        named = {attribute: frozenset(_held(value)) & own for attribute, value in vars(module).items()}
        found[name] = {attribute: held for attribute, held in named.items() if held}
    return found


def _held(value: object) -> Iterable[str]:
    """The parameters that a module's name stands for: itself, or those in a table."""
    if isinstance(value, Parameter | Prefixes):
        return [value.name]
    several = value.values() if isinstance(value, Mapping) else value
    if not isinstance(several, tuple | list | type({}.values())):
        return []
    return [each.name for each in several if isinstance(each, Parameter | Prefixes)]
