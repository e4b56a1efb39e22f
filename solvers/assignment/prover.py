"""HiGHS on the whole problem, beside the search for plans: it raises the bound, and may find a plan.

Its cuts close most of what the capacity prices leave open. It works in floating point: of a bound, half a
cent is not believed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import highspy
import numpy as np

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.program import Program, program_of

_MARGIN: Final = 0.5
_GRACE_S: Final = 0.1  #: to notice that it is to stop; where it does not look, it ends a second later


class Prover:
    """Runs from `with` to its end, or to the limit, in a thread of its own."""

    def __init__(self, problem: AssignmentProblem, start: Ints, limit_s: float, *, seed: int) -> None:
        """`start`: a feasible choice."""
        self._problem, self._program = problem, program_of(problem)
        self._highs = _highs(self._program, self._program.values(problem, start), limit_s, seed)
        self._highs.cbMipInterrupt.subscribe(self._look)
        self._highs.cbMipImprovingSolution.subscribe(self._found)
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run)
        self._failed: BaseException | None = None

    @contextmanager
    def telling(self, offer: Callable[[Ints], object], prove: Callable[[int], None]) -> Iterator[None]:
        """While this lasts, in that thread: `offer` is told each plan, `prove` each bound that it meets.

        Raises what went wrong there.
        """
        self._offer, self._prove = offer, prove
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(_GRACE_S)
        if self._failed:
            raise self._failed

    def wait(self) -> None:
        """Until it has ended by itself: proven the optimum, or come to its limit."""
        self._thread.join()

    def _run(self) -> None:
        with self._kept():
            self._highs.run()
            info = self._highs.getInfo()
            self._proven(info.mip_dual_bound if info.valid else -math.inf)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """What goes wrong here is raised by `telling`; HiGHS would swallow it, the thread print it."""
        try:
            yield
        except BaseException as error:
            self._failed = self._failed or error
            self._stop.set()

    def _look(self, event: Any) -> None:
        with self._kept():
            self._proven(event.data_out.mip_dual_bound)
        if self._stop.is_set():
            event.interrupt()

    def _found(self, event: Any) -> None:
        with self._kept():
            if self._stop.is_set():
                return
            self._offer(self._program.choice(self._problem, np.array(event.data_out.mip_solution)))

    def _proven(self, bound: float) -> None:
        if math.isfinite(bound) and not self._stop.is_set():
            self._prove(math.ceil(bound - _MARGIN))


class _Silent(highspy.Highs):
    """HiGHS greets on standard output once callbacks are enabled, which its constructor does."""

    def enableCallbacks(self) -> Any:
        """Be silent first."""
        self.silent()
        return super().enableCallbacks()  # type: ignore[no-untyped-call]


def _highs(program: Program, start: Ints, limit_s: float, seed: int) -> highspy.Highs:
    """The program in HiGHS, with a plan to begin with; one thread, no tolerance for a gap."""
    highs = _Silent()  # type: ignore[no-untyped-call]
    highs.setOptionValue("time_limit", limit_s)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", seed % 2**31)
    highs.passModel(model_of(program))
    solution = highspy.HighsSolution()
    solution.col_value = start.astype(float).tolist()
    highs.setSolution(solution)
    return highs


def model_of(program: Program) -> highspy.HighsLp:
    """The program as HiGHS takes it."""
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.objective), len(program.upper)
    model.col_cost_, model.offset_ = program.objective.astype(float), float(program.offset)
    model.col_lower_, model.col_upper_ = program.least.astype(float), program.most.astype(float)
    model.row_lower_ = np.full(len(program.upper), -np.inf)
    model.row_upper_ = program.upper.astype(float)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = program.start, program.index
    model.a_matrix_.value_ = program.value.astype(float)
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(program.objective)
    return model
