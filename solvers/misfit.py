"""Why one vendor may not serve one request: every rule that keeps it from it, not only the first."""

from __future__ import annotations

import numpy as np

from solvers.candidates import expand, screen
from solvers.rules import registry
from solvers.rules.base import View
from solvers.screening import Screening


def broken_rules(screening: Screening) -> tuple[str, ...]:
    """Codes of the hard rules that the only vendor breaks for the only request, in their order.

    A rule on candidates counts when it leaves none of all that capacity and window give. Where each leaves
    some and together they leave none, it is the one that removed the last. Empty: the vendor may serve it.
    """
    view = View(screening, slice(0, 1), "")
    broken = [each.code for each in registry.pair_rules() if not each.mask(view.seen_by(each.code)).all()]
    candidates = expand(view, np.ones((1, 1), np.bool_))
    if len(candidates):
        for rule in registry.candidate_rules():
            if not rule.mask(view.seen_by(rule.code), candidates).any():
                broken.append(rule.code)
    if broken:
        return tuple(broken)
    last = screen(screening).last_rule(0)
    return (last,) if last else ()
