"""Why a request is unmatched and what would match it: counted, checked, verified; never a guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from solvers.arrays import Flags, Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.explain.missing import missing
from solvers.explain.reasons import Explanation, LastRule, Reason, Relaxation
from solvers.explain.removal import last_rule, tally, vendors_back
from solvers.explain.search import Budget, Question, has_place, rank, relaxations
from solvers.explain.verdicts import Verdicts
from solvers.insertion import Columns, StandingPlan

WORK_LIMIT = 20_000  #: options tried with a neighbour stepping aside before "not proven within the limit"
MOST = 3  #: relaxations told


def explain(question: Question, *, work_limit: int = WORK_LIMIT, most: int = MOST) -> Explanation:
    """Explain one request. Deterministic: the same question and limit give the same answer."""
    budget, verdicts = Budget(work_limit), question.verdicts
    last = _last(question, budget)
    found = relaxations(question, budget, most)
    return Explanation(
        _reason(question, found), verdicts.vendors, tally(verdicts), last, tuple(found), budget.proven
    )


def explain_unmatched(
    problem: AssignmentProblem,
    choice: npt.ArrayLike,
    *,
    requests: Sequence[int] | None = None,
    verdicts_of: Callable[[int], Verdicts] | None = None,
    work_limit: int = WORK_LIMIT,
) -> dict[int, Explanation]:
    """Explain requests of a solved problem; without `requests` all that the choice (R) leaves unmatched.

    `verdicts_of`: what the rules said of a request; without it, the problem's columns are all there is.
    """
    plan, held = StandingPlan.of(problem, choice), np.asarray(choice, dtype=np.int64)
    asked = np.flatnonzero(held < 0).tolist() if requests is None else requests
    found = {}
    for request in asked:
        if verdicts_of is None:
            verdicts = Verdicts.none(Columns.of_request(problem, request))
        else:
            verdicts = verdicts_of(request)
        order = _in_order(problem, held, request, verdicts.columns)
        question = Question(plan, verdicts, int(problem.request_penalty[request]), order)
        found[request] = explain(question, work_limit=work_limit)
    return found


def _last(question: Question, budget: Budget) -> LastRule | None:
    """Screen again without the last rule, and see whether that alone gives a match."""
    rule = last_rule(question.verdicts)
    if rule is None:
        return None
    lifted = np.flatnonzero(question.verdicts.allowed(without=rule) & question.in_order)
    matches = has_place(question, rank(question), lifted, budget)
    return LastRule(question.verdicts.codes[rule], vendors_back(question.verdicts, rule), matches)


def _reason(question: Question, found: list[Relaxation]) -> Reason:
    allowed = question.verdicts.allowed()
    if not allowed.any():
        return Reason.RULES
    if not (allowed & question.in_order).any():
        return Reason.PREDECESSOR
    if found and not found[0].steps:
        return Reason.FITS_NOW
    lacks = missing(question.plan, question.verdicts.columns.table[:, allowed & question.in_order])
    return Reason.COST if (lacks.steps == 0).any() else Reason.COMPETITION


def _in_order(problem: AssignmentProblem, held: Ints, request: int, columns: Columns) -> Flags:
    """n; options that start late enough after the requests that must come before."""
    start = columns.table[2]
    good = np.ones(len(start), np.bool_)
    for pair in np.flatnonzero(problem.precedence[:, 1] == request).tolist():
        column = int(held[problem.precedence[pair, 0]])
        if column < 0:
            return np.zeros(len(start), np.bool_)
        ends = problem.column_start[column] + problem.column_duration[column]
        good &= ends + problem.precedence_lag[pair] <= start
    return good
