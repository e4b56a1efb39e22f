"""Finds the rules: every module of this package with a `RULE`, and modules that a plug-in names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import solvers.rules as package
from contracts.tuning import Parameter
from solvers.rules.base import CandidateRule, CostTerm, PairRule, Rule
from solvers.rules.off import is_off, switched_off

_found: dict[str, Rule] = {}
_plugins: list[str] = []


def register(rule: Rule) -> None:
    """Add a rule; its code must be new."""
    _discover()
    _add(rule)


def _add(rule: Rule) -> None:
    if rule.code in _found and type(_found[rule.code]) is not type(rule):
        raise ValueError(f"two rules have the code {rule.code!r}\nMaybe give one of them another code.")
    _found[rule.code] = rule
    _forget()


def load(*modules: str) -> None:
    """Import modules from outside and add the `RULE` of each (an operator's plug-in)."""
    for name in modules:
        if name not in _plugins:
            register(import_module(name).RULE)
            _plugins.append(name)


def plugins() -> tuple[str, ...]:
    """Modules from outside, so that a solver process can load them too."""
    return tuple(_plugins)


@contextmanager
def temporary() -> Iterator[None]:
    """Rules that come within the block are gone after it; modules that are new in it are found."""
    _discover()
    before = dict(_found)
    _discover.cache_clear()
    _forget()
    try:
        yield
    finally:
        _found.clear()
        _found.update(before)
        _forget()


@contextmanager
def with_rule(rule: Rule) -> Iterator[None]:
    """A rule for the length of a block."""
    with temporary():
        register(rule)
        yield


@contextmanager
def without(*codes: str) -> Iterator[None]:
    """Some rules off for the length of a block. Raises KeyError for a code that no rule has."""
    with temporary():
        _discover()
        for code in codes:
            _found[code] = switched_off(_found[code])
        _forget()
        yield


def is_on(code: str) -> bool:
    """Whether there is such a rule, and it is not off: for what reads its arrays beside it."""
    _discover()
    return not is_off(_found.get(code))


@cache
def rules() -> tuple[Rule, ...]:
    """All rules and cost terms, by order and code."""
    _discover()
    return tuple(sorted(_found.values(), key=lambda rule: (rule.order, rule.code)))


@cache
def pair_rules() -> tuple[PairRule, ...]:
    """The hard rules on (request, vendor)."""
    return tuple(rule for rule in rules() if isinstance(rule, PairRule))


@cache
def candidate_rules() -> tuple[CandidateRule, ...]:
    """The hard rules on (request, vendor, pool, start)."""
    return tuple(rule for rule in rules() if isinstance(rule, CandidateRule))


@cache
def hard_rules() -> tuple[PairRule | CandidateRule, ...]:
    """All hard rules, in the order in which screening runs them."""
    return (*pair_rules(), *candidate_rules())


@cache
def cost_terms() -> tuple[CostTerm, ...]:
    """The cost terms."""
    return tuple(rule for rule in rules() if isinstance(rule, CostTerm))


def parameters() -> tuple[Parameter, ...]:
    """The parameters of all rules."""
    return tuple(parameter for rule in rules() for parameter in rule.parameters)


def _forget() -> None:
    """What was sorted out before a rule came or went."""
    for each in (rules, pair_rules, candidate_rules, hard_rules, cost_terms):
        each.cache_clear()


@cache
def _discover() -> None:
    for module in iter_modules(package.__path__):
        if module.name not in ("base", "registry"):
            found = import_module(f"{package.__name__}.{module.name}")
            if hasattr(found, "RULE"):
                _add(found.RULE)
