"""Why there is no match, and the smallest change that would make one."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from contracts.base import Id, Instant, Tally, Wire


class RuleCount(Wire):
    """How many vendors one rule removed."""

    rule: str
    vendors: Tally


class Change(Wire):
    """One thing that would have to be different at a vendor."""

    kind: Literal["rule", "units", "vendor_cap", "penalty"]
    rule: str = ""  # code of the rule that yields
    amount: Annotated[int, Meta(ge=0)] = 0  # in `unit`; a rule without unit is yes or no, and lifted whole
    unit: str = ""
    start_at: Instant | None = None  # units: from when on
    minutes: Annotated[int, Meta(ge=0)] = 0  # units: for how long


class Relaxation(Wire):
    """Changes that together would match the request, verified by applying them to what is left."""

    vendor_id: Id
    start_at: Instant
    changes: tuple[Change, ...]


class Unmatched(Wire):
    """Why there is no match: vendors removed by each rule, the last rule, and what would match it."""

    vendors: Tally
    removed: tuple[RuleCount, ...] = ()
    last_rule: str = ""
    last_rule_alone: bool | None = None  # lifting it, and nothing else, gives a match; null: not proven
    competition: bool = False  # candidates exist, their capacity went to others
    relaxations: tuple[Relaxation, ...] = ()  # smallest first
    hint: str = ""  # what may be wrong with the request itself, to be read by a person
    explained_at: Instant | None = None
