"""A rule that is off allows everything, or costs nothing; what others read of its arrays is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags, Ints
from solvers.rules.base import Candidate, CandidateRule, Candidates, CostTerm, PairRule, Rule, View
from solvers.screening import OpenRequest


class _Off(Rule):
    """Encodes as the rule that it stands for."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.code, self.order, self.reads = rule.code, rule.order, rule.reads  # type: ignore[misc]
        self.parameters = rule.parameters  # type: ignore[misc]

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """As the rule's."""
        return self.rule.of_requests(asked, vendor_index)

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """As the rule's."""
        return self.rule.of_vendors(vendors)

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, Any]) -> Arrays:
        """As the rule's."""
        return self.rule.of_known(vendors, known)


class _PairOff(_Off, PairRule):
    def mask(self, view: View) -> Flags:
        return np.ones((1, view.vendors), np.bool_)

    def permits(self, one: Candidate) -> bool:
        return True


class _CandidateOff(_Off, CandidateRule):
    def mask(self, view: View, candidates: Candidates) -> Flags:
        return np.ones(len(candidates), np.bool_)

    def permits(self, one: Candidate) -> bool:
        return True


class _CostOff(_Off, CostTerm):
    def cents(self, view: View, candidates: Candidates) -> Ints:
        return np.zeros(len(candidates), np.int64)

    def cents_of(self, one: Candidate) -> int:
        return 0


def is_off(rule: Rule | None) -> bool:
    """Whether it is none, or one that stands for another that is off."""
    return rule is None or isinstance(rule, _Off)


def switched_off(rule: Rule) -> Rule:
    """The same rule, off."""
    kinds = ((PairRule, _PairOff), (CandidateRule, _CandidateOff), (CostTerm, _CostOff), (Rule, _Off))
    return next(off for kind, off in kinds if isinstance(rule, kind))(rule)
