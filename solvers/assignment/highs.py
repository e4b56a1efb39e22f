"""HiGHS in a process of its own: what `prover` starts, speaks to and may end at any moment.

HiGHS looks whether it is to stop only now and then, up to seconds apart: as a thread it would outlive the
solve that it served. Reads one job from standard input, writes messages to standard output, both as pickles;
ends when it has ended, or when its input does.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.program import Program

BOUND: Final = "bound"  #: with cents as HiGHS has them, in floating point
PLAN: Final = "plan"  #: with the values of the program's variables
FAILED: Final = "failed"  #: with what went wrong
END: Final = "end"


@dataclass(frozen=True)
class Job:
    """A program, values to begin at, and how long it may take."""

    program: Program
    start: Ints
    limit_s: float
    seed: int


def serve() -> None:
    """One job; what is printed by others must not come between the messages."""
    told, sys.stdout = sys.stdout.buffer, sys.stderr

    def tell(kind: str, value: Any = None) -> None:
        pickle.dump((kind, value), told)
        told.flush()

    try:
        job = pickle.load(sys.stdin.buffer)  # noqa: S301 - of our own parent
        threading.Thread(target=_end_with_parent, daemon=True).start()
        _solve(job, tell)
        tell(END)
    except Exception as error:
        tell(FAILED, f"{type(error).__name__}: {error}")


def _end_with_parent() -> None:
    """Whoever started this has gone, or closed the line: nobody waits for an answer."""
    sys.stdin.buffer.read()
    os._exit(0)


def _solve(job: Job, tell: Any) -> None:
    highs = _highs(job)
    highs.cbMipInterrupt.subscribe(lambda event: tell(BOUND, float(event.data_out.mip_dual_bound)))
    highs.cbMipImprovingSolution.subscribe(
        lambda event: tell(PLAN, np.array(event.data_out.mip_solution) > 0.5)
    )
    highs.run()
    info = highs.getInfo()
    if info.valid:
        tell(BOUND, float(info.mip_dual_bound))


def _highs(job: Job) -> Any:
    """The program in HiGHS, with a plan to begin with; one thread, no tolerance for a gap."""
    import highspy  # noqa: PLC0415 - where it is missing, that is told

    class Silent(highspy.Highs):
        """HiGHS greets on standard output once callbacks are enabled, which its constructor does."""

        def enableCallbacks(self) -> Any:
            """Be silent first."""
            self.silent()
            return super().enableCallbacks()  # type: ignore[no-untyped-call]

    highs = Silent()  # type: ignore[no-untyped-call]
    options = {"time_limit": job.limit_s, "mip_rel_gap": 0.0, "threads": 1, "random_seed": job.seed % 2**31}
    for name, value in options.items():
        highs.setOptionValue(name, value)
    highs.passModel(model_of(job.program))
    solution = highspy.HighsSolution()
    solution.col_value = job.start.astype(float).tolist()
    highs.setSolution(solution)
    return highs


def model_of(program: Program) -> Any:
    """The program as HiGHS takes it."""
    import highspy  # noqa: PLC0415

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
