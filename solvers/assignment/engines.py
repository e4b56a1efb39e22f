"""OR-Tools takes 1.4 s to load the first time. It loads beside the search; nobody waits beyond a limit."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from typing import Final

from solvers.assignment.deadline import Deadline

LOADING_S: Final = 1.5  #: at most, on a machine that has little else to do
_MODULE: Final = "solvers.assignment.exact"
_LOOK_S: Final = 0.02


def loaded() -> bool:
    """Whether this process has loaded it before."""
    return _MODULE in sys.modules


class Engines:
    """Begins to load what `exact` and `packing` need; who ends before it is there leaves it to itself."""

    def __init__(self) -> None:
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._load)
        self._thread.start()

    def ready(self, deadline: Deadline, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait; False when the deadline came first, or it was given up. Raises what went wrong in loading."""
        while self._thread.is_alive() and not (deadline.over or given_up()):
            self._thread.join(_LOOK_S)
        if self._failed:
            raise self._failed
        return not (deadline.over or given_up())

    def _load(self) -> None:
        try:
            importlib.import_module(_MODULE)
        except BaseException as error:
            self._failed = error
