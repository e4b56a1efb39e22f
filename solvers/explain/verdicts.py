"""What the rules say of one request: every option there is, and which rules are against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.insertion import Columns
from solvers.insertion.columns import DURATION, START, VENDOR


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """n options of one request, judged by M rules, each rule alone and in the registry's order.

    Options are all (vendor, pool, start) worth looking at, wider than the rules allow: starts beyond the
    window among them, so that "this much more window" can be found. A vendor without any option is counted
    in `vendors` and said to be removed by `no_option`.
    """

    vendors: int  #: how many were looked at
    codes: tuple[str, ...]  #: M reason codes
    removes: Flags  #: M x n; the rule is against the option, whatever other rules say
    columns: Columns  #: n; what each option would take and cost
    short: Ints  #: M x n; by how much the rule would have to yield, in its unit; 0 where it is not against it
    units: tuple[str, ...]  #: M; unit of `short` ("minutes", "metres", "days"); "" where a rule is yes or no
    relaxable: Flags  #: M; whether operations may relax the rule at all
    work: tuple[Ints, Ints] | None = None  #: n; when the work begins and ends, as lags count; None: buckets

    def __post_init__(self) -> None:
        shape = (len(self.codes), len(self.columns))
        for name in ("removes", "short"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}; rules x options are {shape}")
        if not len(self.units) == len(self.relaxable) == len(self.codes):
            raise ValueError(f"{len(self.codes)} rules need as many units and flags for relaxable")

    @classmethod
    def none(cls, columns: Columns) -> Verdicts:
        """Options that no rule is against: the columns of a problem."""
        nothing = np.zeros((0, len(columns)))
        return cls(
            len(np.unique(columns.table[VENDOR])), (), nothing.astype(np.bool_), columns,
            nothing.astype(np.int64), (), np.zeros(0, np.bool_),
        )  # fmt: skip

    @property
    def times(self) -> tuple[Ints, Ints]:
        """When the work begins and ends, as lags count."""
        table = self.columns.table
        return (table[START], table[START] + table[DURATION]) if self.work is None else self.work

    def allowed(self, without: int | None = None) -> Flags:
        """n; options that no rule is against, but for the rule `without`."""
        rules = [rule for rule in range(len(self.codes)) if rule != without]
        return np.asarray(~self.removes[rules].any(axis=0))
