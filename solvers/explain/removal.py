"""Which rule removed whom: vendors counted once, at the first rule that left them without an option."""

from __future__ import annotations

import numpy as np

from solvers.explain.reasons import RuleTally
from solvers.explain.verdicts import Verdicts
from solvers.insertion.columns import VENDOR

NO_OPTION = "no_option"  #: the vendor had nothing to offer before any rule was asked


def tally(verdicts: Verdicts) -> tuple[RuleTally, ...]:
    """Vendors removed by each rule, in the registry's order; rules that removed none are left out."""
    vendor = verdicts.columns.table[VENDOR]
    alive, left = np.ones(len(vendor), np.bool_), len(np.unique(vendor))
    counts = [RuleTally(NO_OPTION, verdicts.vendors - left)]
    for code, removes in zip(verdicts.codes, verdicts.removes, strict=True):
        alive &= ~removes
        now = len(np.unique(vendor[alive]))
        counts.append(RuleTally(code, left - now))
        left = now
    return tuple(count for count in counts if count.vendors > 0)


def last_rule(verdicts: Verdicts) -> int | None:
    """The rule after which no vendor was left; None if some are, or there never was one."""
    alive = np.ones(len(verdicts.columns), np.bool_)
    for rule, removes in enumerate(verdicts.removes):
        if alive.any() and not (alive & ~removes).any():
            return rule
        alive &= ~removes
    return None


def vendors_back(verdicts: Verdicts, rule: int) -> int:
    """Vendors with an allowed option once the rule is lifted: the screening done again without it."""
    return len(np.unique(verdicts.columns.table[VENDOR][verdicts.allowed(without=rule)]))
