"""What an explanation says. Codes and numbers only: whoever shows it finds the words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a request has no match."""

    RULES = "rules"  #: no vendor is allowed to serve it
    COMPETITION = "competition"  #: vendors may, but their capacity went to others
    COST = "cost"  #: a place is free, but costs more than leaving the request out
    PREDECESSOR = "predecessor"  #: what must come before it has no match, or ends too late
    BUNDLE = "bundle"  #: a place is free, but none for the others that are matched with it or not at all
    FITS_NOW = "fits_now"  #: there is a place after all; the search had not got there


class What(StrEnum):
    """What would have to change."""

    RULE = "rule"  #: the rule `code` yields for this vendor by `amount` of its unit (lifted, if it has none)
    UNITS = "units"  #: `amount` more units in `buckets` buckets from `bucket` on
    VENDOR_CAP = "vendor_cap"  #: the vendor takes `amount` more requests
    PENALTY = "penalty"  #: leaving the request out weighs `amount` cents more


@dataclass(frozen=True, slots=True)
class Step:
    """One change. Indices that do not apply are -1."""

    what: What
    vendor: int
    amount: int
    unit: str
    code: str = ""
    resource: int = -1
    bucket: int = -1
    buckets: int = 0


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Changes which together match the request, with the place it gets. Verified by applying them."""

    steps: tuple[Step, ...]
    option: int  #: index into the options looked at
    vendor: int
    resource: int
    start: int  #: bucket
    cents: int  #: change of the plan's cost without the penalty: column, moves, shortfalls
    moves: int  #: standing requests that step aside


@dataclass(frozen=True, slots=True)
class RuleTally:
    """How many vendors a rule removed that no rule before it had removed."""

    code: str
    vendors: int


@dataclass(frozen=True, slots=True)
class LastRule:
    """The rule that removed the last vendor, checked by screening again without it."""

    code: str
    vendors_back: int  #: vendors allowed once it is lifted; 0: it was not alone, lifting it changes nothing
    matches: bool | None  #: whether lifting it gives a match; None: not proven within the limit


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one request is unmatched, and what would match it.

    `proven`: the search went through everything, so the first of `relaxations` is the smallest (fewest steps,
    no weight, no rule lifted whole, nobody moved, least in amount, cheapest: in this order) with others where
    they stand but for one in the option's way, which may step aside to where there is room. False: the first
    is the smallest with all of them where they stand; more is not proven within the limit.
    """

    reason: Reason
    vendors: int
    removed: tuple[RuleTally, ...]
    last_rule: LastRule | None
    relaxations: tuple[Relaxation, ...]
    proven: bool
