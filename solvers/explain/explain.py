"""Why a request is unmatched and what would match it: counted, checked, verified; never a guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from solvers.assignment.problem import AssignmentProblem
from solvers.explain.bundles import columns_of, in_order, others_fit
from solvers.explain.missing import missing
from solvers.explain.reasons import Explanation, LastRule, Reason, Relaxation
from solvers.explain.removal import last_rule, tally, vendors_back
from solvers.explain.search import Budget, Question, has_place, rank, relaxations
from solvers.explain.verdicts import Verdicts
from solvers.insertion import StandingPlan

WORK_LIMIT = 20_000  #: options tried with a neighbour stepping aside before "not proven within the limit"
MOST = 3  #: relaxations told


def explain(question: Question, *, work_limit: int = WORK_LIMIT, most: int = MOST) -> Explanation:
    """Explain one request. Deterministic: the same question and limit give the same answer."""
    budget, verdicts = Budget(work_limit), question.verdicts
    last = _last(question, budget)
    found = relaxations(question, budget, most)
    kept = [each for each in found if _whole(question, each)]
    reason = _reason(question, found)
    if reason is Reason.FITS_NOW and found[0] not in kept:
        reason = Reason.BUNDLE
    return Explanation(reason, verdicts.vendors, tally(verdicts), last, tuple(kept), budget.proven)


def _whole(question: Question, found: Relaxation) -> bool:
    """Whether it matches the whole of the request's bundle; with a neighbour moved, that is not looked at."""
    if question.others_fit is None:
        return True
    return not found.moves and question.others_fit(found.option, found.steps)


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
    held = np.asarray(choice, dtype=np.int64)
    plan = StandingPlan.of(problem, held)
    asked = np.flatnonzero(held < 0).tolist() if requests is None else requests
    found = {}
    for request in asked:
        verdicts = columns_of(problem, request) if verdicts_of is None else verdicts_of(request)
        order = in_order(problem, held, request, verdicts)
        rest = others_fit(problem, held, request, verdicts)
        question = Question(plan, verdicts, int(problem.request_penalty[request]), order, rest)
        found[request] = explain(question, work_limit=work_limit)
    return found


def _last(question: Question, budget: Budget) -> LastRule | None:
    """Screen again without the last rule, and see whether that alone gives a match."""
    rule = last_rule(question.verdicts)
    if rule is None:
        return None
    lifted = np.flatnonzero(question.verdicts.allowed(without=rule) & question.in_order)
    matches = has_place(question, rank(question), lifted, budget)
    if matches and question.others_fit is not None:
        matches = None  # by itself; of the others it proves nothing
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
