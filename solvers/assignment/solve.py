"""The one entry: a problem in, a checked plan with a proven bound out."""

from __future__ import annotations

from solvers.assignment.deadline import Deadline, Stop
from solvers.assignment.exact import solve_exactly
from solvers.assignment.greedy import greedy
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import AssignmentResult, Status
from solvers.assignment.validation import Ints


def solve(
    problem: AssignmentProblem,
    *,
    time_limit_s: float,
    seed: int = 0,
    workers: int = 2,
    warm_start: Ints | None = None,
    stop: Stop = None,
    work_limit: int | None = None,
) -> AssignmentResult:
    """A plan at least as good as `warm_start` (if that is feasible) within `time_limit_s`.

    `stop`: an event, or a function that says whether to stop; honoured within 0.2 s.
    `work_limit`: with `workers=1`, ends by steps of work instead of time: same input, same bytes.
    """
    deadline = Deadline(time_limit_s, stop, work_limit)
    choice = greedy(problem)
    if warm_start is not None and is_feasible(problem, warm_start):
        choice = min(choice, warm_start, key=lambda each: cost_of(problem, each))
    trace = [(deadline.elapsed_s, cost_of(problem, choice))]
    choice, bound = solve_exactly(problem, choice, deadline, seed, workers)
    cost = cost_of(problem, choice)
    if cost < trace[-1][1]:
        trace.append((deadline.elapsed_s, cost))
    status = Status.OPTIMAL if cost == bound else Status.FEASIBLE
    return AssignmentResult(choice, cost, bound, status, tuple(trace))
