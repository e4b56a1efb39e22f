"""What a screening says of one request or a few: the vendors that each rule removed, and costs by term."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.candidates import Screened, expand, screen
from solvers.rules import registry
from solvers.rules.base import Candidates, View
from solvers.screening import Screening

Terms = Mapping[str, Ints]  #: by code; cents of n candidates


def excluded(screening: Screening, request: int) -> dict[str, Ints]:
    """By rule, in the order in which they run: rows of the vendors that it removed first."""
    registry.load(*screening.plugins)
    view = View(screening, slice(request, request + 1), "")
    alive: Flags = np.ones((1, view.vendors), np.bool_)
    found = dict[str, Ints]()
    for rule in registry.pair_rules():
        left = alive & rule.mask(view.seen_by(rule.code))
        found[rule.code], alive = np.flatnonzero(alive[0] & ~left[0]), left
    candidates = expand(view, alive)
    for later in registry.candidate_rules():
        candidates = candidates.only(later.mask(view.seen_by(later.code), candidates))
        left = np.zeros_like(alive)
        left[candidates.request, candidates.vendor] = True
        found[later.code], alive = np.flatnonzero(alive[0] & ~left[0]), left
    return {code: rows for code, rows in found.items() if len(rows)}


def costed(screening: Screening, rows: Ints) -> tuple[Screened, Terms]:
    """The candidates of some requests (ascending; counted from 0), and what each term makes of them."""
    some = screening.only(rows)
    screened = screen(some)
    return screened, terms_of(some, screened.candidates)


def terms_of(screening: Screening, candidates: Candidates) -> dict[str, Ints]:
    """Cents by term of n candidates."""
    view = View(screening, slice(0, screening.requests), "")
    return {term.code: term.cents(view.seen_by(term.code), candidates) for term in registry.cost_terms()}
