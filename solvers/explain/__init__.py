"""Why a request is unmatched, checked, and the smallest change that would match it, verified."""

from solvers.explain.explain import explain, explain_unmatched
from solvers.explain.reasons import Explanation, LastRule, Reason, Relaxation, RuleTally, Step, What
from solvers.explain.search import Question
from solvers.explain.verdicts import Verdicts

__all__ = [
    "Explanation",
    "LastRule",
    "Question",
    "Reason",
    "Relaxation",
    "RuleTally",
    "Step",
    "Verdicts",
    "What",
    "explain",
    "explain_unmatched",
]
