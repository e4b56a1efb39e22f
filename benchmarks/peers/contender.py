"""One contender on one problem, in its own process: `contender problem.npz plan.npz seconds seed workers`.

Prints one line of JSON: seconds it took in all but reading, of which building its model, its bound, its
trace, and the most memory this process ever held.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from solvers.assignment.problem import AssignmentProblem


@dataclass
class Outcome:
    """What a contender found; `choice` None for no plan, `bound` None for none proven."""

    choice: npt.NDArray[np.int64] | None
    bound: int | None = None
    build_s: float = 0.0
    trace: list[tuple[float, int]] = field(default_factory=list)


def _peak_mb() -> int:
    """Most memory held since this program began; `ru_maxrss` also counts its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(words: list[str]) -> None:
    """Run the contender named."""
    name, source, out = words[:3]
    seconds, seed, workers = float(words[3]), int(words[4]), int(words[5])
    module = importlib.import_module(f"benchmarks.peers.{name}")
    problem = AssignmentProblem.load(source)
    started = time.monotonic()
    outcome: Outcome = module.solve(problem, seconds, seed, workers)
    took = time.monotonic() - started
    with open(out, "wb") as file:  # noqa: PTH123
        if outcome.choice is None:
            np.savez(file)
        else:
            np.savez(file, choice=outcome.choice)
    figures = {
        "bound": outcome.bound,
        "seconds": round(took, 3),
        "build_s": round(outcome.build_s, 3),
        "peak_mb": _peak_mb(),
        "trace": outcome.trace,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
