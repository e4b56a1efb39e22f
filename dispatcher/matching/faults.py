"""An error that planning raises: whose fault it may be, and the rule or step that raised it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dispatcher.domain.refusals import Unavailable
from solvers.rules import registry


class FenceLost(Exception):
    """Another matcher owns the market now."""


NO_FAULT_OF_AN_ITEM: Final = (MemoryError, Unavailable, FenceLost)
MOST: Final = 20  # requests of a market, and vendors, set aside: beyond, it is the program's fault
_ROOMS: Final = ("contracts", "solvers", "dispatcher")


def step_of(error: BaseException) -> str:
    """The rule that raised it; else the last of the service's modules that it came through."""
    codes = {type(rule).__module__: rule.code for rule in registry.rules()}
    modules = list(_modules(error))
    rules = [codes[each] for each in modules if each in codes]
    ours = [each.rpartition(".")[2] for each in modules if each.partition(".")[0] in _ROOMS]
    return (rules or ours or ["unknown"])[-1]


def _modules(error: BaseException) -> Iterator[str]:
    """Of each frame, from the outermost on."""
    frame = error.__traceback__
    while frame is not None:
        yield str(frame.tb_frame.f_globals.get("__name__", ""))
        frame = frame.tb_next
