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
    """Modules by parameter: first the one that declares it, then those that import it, or what holds it.

    One that a module makes many of (by priority, by level) is read where the module's own names are.
    """
    texts = {name: text_of(name) for package in PACKAGES for name in modules_of(package)}
    found = dict[str, dict[str, None]]()
    for module, names in _declared().items():
        importers = [other for other, text in texts.items() if names.keys() & _imported(text, module)]
        for each in sorted({parameter for some in names.values() for parameter in some}):
            of_it = {name for name, some in names.items() if each in some}
            readers = [other for other in importers if of_it & _imported(texts[other], module)]
            found.setdefault(each, {}).update(dict.fromkeys([module, *readers]))
    return {name: tuple(modules) for name, modules in found.items()}


def _declared() -> dict[str, dict[str, frozenset[str]]]:
    """By module whose PARAMETERS are loaded: its names, and the parameters that each stands for."""
    loaded = {
        name: module
        for name, module in sys.modules.items()
        if name.split(".")[0] in PACKAGES and hasattr(module, "PARAMETERS")
    }
    own = {name: {each.name for each in module.PARAMETERS} for name, module in loaded.items()}
    return {
        name: {
            attribute: held
            for attribute, value in vars(module).items()
            if attribute != "PARAMETERS" and (held := frozenset(_held(value)) & own[name])
        }
        for name, module in loaded.items()
    }


def _held(value: object) -> Iterable[str]:
    """The parameters that a module's name stands for: itself, or those in a table."""
    each = value.values() if isinstance(value, Mapping) else value
    several = each if isinstance(each, Iterable) and not isinstance(each, str | bytes) else (value,)
    if isinstance(value, Parameter | Prefixes):
        several = (value,)
    try:
        return [one.name for one in several if isinstance(one, Parameter | Prefixes)]
    except TypeError:  # it is no table after all
        return []


def _imported(text: str, module: str) -> set[str]:
    """The names that a text imports from a module."""
    names = set[str]()
    for where, many, few in _IMPORT.findall(text):
        if where == module:
            names |= {each.split(" as ")[0].strip() for each in (many or few).split(",")}
    return names
