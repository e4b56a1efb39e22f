"""HiGHS on the whole problem, beside the search for plans: it raises the bound, and may find a plan.

Its cuts close most of what the capacity prices leave open. It works in floating point: `exactness` says
whether its bound is believed at all, and by how much less. It runs in a process of its own (`highs`), which
ends at once when it is told to; the thread here only listens.
"""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Final, cast

import numpy as np

from solvers.arrays import Ints
from solvers.assignment import highs
from solvers.assignment.exactness import believed_margin
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.program import program_of

_CHILD: Final = "import sys; sys.path[:] = sys.argv[1:]; from solvers.assignment.highs import serve; serve()"


class Prover:
    """Runs from `with` to its end, or to the limit, beside whoever asked."""

    def __init__(
        self, problem: AssignmentProblem, start: Ints, limit_s: float, *, seed: int, after_s: float = 0.0
    ) -> None:
        """`start`: a feasible choice; `after_s`: seconds to wait first, for what others may prove sooner."""
        self._problem, self._start, self._limit, self._after_s = problem, start, (limit_s, seed), after_s
        self._stopped, self._thread = threading.Event(), threading.Thread(target=self._run)
        self._margin = believed_margin(problem)
        self._child: subprocess.Popen[bytes] | None = None
        self._broken: BaseException | None = None
        self.lacking: str | None = None  #: why it could not help, where it could not

    @contextmanager
    def telling(self, offer: Callable[[Ints], object], prove: Callable[[int], None]) -> Iterator[None]:
        """While this lasts, in its thread: `offer` is told each plan, `prove` each bound that it meets.

        Raises what these two raised. A HiGHS that is missing or broken is no error: see `lacking`.
        """
        self._offer, self._prove = offer, prove
        self._thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            if self._child is not None:
                self._child.kill()
            self._thread.join()
        if self._broken is not None:
            raise self._broken

    def wait(self) -> None:
        """Until it has ended by itself: proven the optimum, or come to its limit."""
        self._thread.join()

    def _run(self) -> None:
        """Start it, give it the job, and hear it to its end."""
        if self._margin is None or self._stopped.wait(self._after_s):
            return
        try:
            self._child = _started()
        except OSError as error:
            self.lacking = f"HiGHS: no process for it: {error}"
            return
        with self._child as child:  # closes the line and waits for its end
            try:
                self._talk(child)
            except (OSError, EOFError, pickle.UnpicklingError) as error:
                if not self._stopped.is_set():
                    self.lacking = f"HiGHS broke off: {type(error).__name__}: {error}"
            except BaseException as error:  # raised by `telling`; the thread would print it
                self._broken = error
            finally:
                child.kill()
                with suppress(OSError):  # of a job that it did not read to its end
                    child.stdin.close()  # type: ignore[union-attr]

    def _talk(self, child: subprocess.Popen[bytes]) -> None:
        self._program = program = program_of(self._problem)
        job = highs.Job(program, program.values(self._problem, self._start), *self._limit)
        to_child, from_child = cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
        pickle.dump(job, to_child)
        to_child.flush()
        while not self._stopped.is_set():
            kind, value = pickle.load(from_child)  # noqa: S301 - of our own child
            if kind == highs.END or not self._hear(kind, value):
                return

    def _hear(self, kind: str, value: Any) -> bool:
        """Take one message; whether there may be more."""
        if self._stopped.is_set():
            return False
        if kind == highs.FAILED:
            self.lacking = f"HiGHS: {value}"
        elif kind == highs.PLAN:
            self._offer(self._program.choice(self._problem, np.asarray(value)))
        elif math.isfinite(value) and self._margin is not None:
            self._prove(math.ceil(value - self._margin))
        return kind != highs.FAILED


def _started() -> subprocess.Popen[bytes]:
    """With this process' path, out of reach of a terminal's Ctrl-C: it ends with us anyway."""
    return subprocess.Popen(
        [sys.executable, "-ISc", _CHILD, *sys.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
