"""Every rule's vectorised form agrees with its scalar twin, which reads the messages, on random cases."""

import numpy as np
from hypothesis import HealthCheck, given, settings

from solvers.rules import registry
from solvers.rules.base import CandidateRule, PairRule
from solvers.rules.price import price_cents, price_of
from tests.solvers.rules.cases import Case, cases

MANY, FEW = (
    settings(max_examples=each, deadline=None, suppress_health_check=list(HealthCheck)) for each in (50, 25)
)


# The window of a request and the pools of a vendor limit pairs; their twins judge one start and one pool.
RULES = [r for r in registry.hard_rules() if r.code not in ("time_window", "pools")]


@MANY
@given(case=cases())
def test_every_mask_says_what_its_scalar_check_says(case: Case) -> None:
    for rule in RULES:
        _says_what_its_twin_says(rule, case)


def _says_what_its_twin_says(rule: PairRule | CandidateRule, case: Case) -> None:
    view, candidates = case.view(rule.code), case.candidates
    if isinstance(rule, PairRule):
        shape = (len(case.asked), len(case.vendors))
        allowed = np.broadcast_to(rule.mask(view), shape)[candidates.request, candidates.vendor]
    else:
        allowed = rule.mask(view, candidates)
    coarse = case.screening.values.get("bucket_minutes", 5) > 5
    for row in range(0, len(candidates), max(1, len(candidates) // 12)):
        one = case.candidate(row)
        if rule.code == "capacity" and coarse and not allowed[row]:
            continue  # a coarse bucket may hide a unit that is free; it never invents one
        assert bool(allowed[row]) == rule.permits(one), (rule.code, row, one)


@FEW
@given(case=cases())
def test_time_window_and_pools_never_remove_what_their_twins_would_take(case: Case) -> None:
    for code in ("time_window", "pools"):
        rule = next(each for each in registry.pair_rules() if each.code == code)
        shape = (len(case.asked), len(case.vendors))
        allowed = np.broadcast_to(rule.mask(case.view(code)), shape)
        for row in range(len(case.candidates)):
            if rule.permits(case.candidate(row)):
                assert allowed[case.candidates.request[row], case.candidates.vendor[row]]


@MANY
@given(case=cases())
def test_every_cost_term_says_what_its_scalar_form_says(case: Case) -> None:
    for term in registry.cost_terms():
        cents = term.cents(case.view(term.code), case.candidates)
        for row in range(0, len(case.candidates), max(1, len(case.candidates) // 12)):
            assert abs(int(cents[row]) - term.cents_of(case.candidate(row))) <= 1, (term.code, row)


@FEW
@given(case=cases())
def test_prices_in_both_forms_agree(case: Case) -> None:
    prices = price_cents(case.view("price"), case.candidates)
    for row in range(0, len(case.candidates), max(1, len(case.candidates) // 12)):
        assert abs(int(prices[row]) - price_of(case.candidate(row))) <= 1
