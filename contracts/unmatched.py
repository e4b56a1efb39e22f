"""Why there is no match, and the smallest change that would make one."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from contracts.base import Id, Instant, Price, Tally, Wire
from contracts.codes import OfferState


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


class Asked(Wire):
    """A vendor that was asked and did not take it: it said no, said nothing in time, or turned it back."""

    vendor_id: Id
    state: OfferState  # rejected | expired | turned_back
    at: Instant
    code: str = ""  # the vendor's own, or how it ended


class Forgone(Wire):
    """The match that a request could have by itself now, and may not find later."""

    vendor_id: Id
    start_at: Instant
    price_cents: Price


class Unmatched(Wire):
    """Why there is no match: vendors removed by each rule, the last rule, and what would match it.

    Those who were `asked` count as removed by `declined`; who was never asked, by the rule that says why.
    """

    vendors: Tally
    removed: tuple[RuleCount, ...] = ()
    last_rule: str = ""
    last_rule_alone: bool | None = None  # lifting it, and nothing else, gives a match; null: not proven
    competition: bool = False  # candidates exist, their capacity went to others
    asked: tuple[Asked, ...] = ()  # each vendor once, as it answered last; the latest last
    waits_for: str = ""  # another request: it should come first, or the bundle of both cannot be whole
    nobody_left: bool = False  # no vendor may be asked, whatever room frees: a person has to look, now
    relaxations: tuple[Relaxation, ...] = ()  # smallest first
    hint: str = ""  # what may be wrong with the request itself, to be read by a person
    explained_at: Instant | None = None
    parts: tuple[Id, ...] = ()  # of its bundle, all that have no place, `waits_for` among them
    forgone: Forgone | None = None  # what waiting for them may cost
    group: str = ""  # level of service and area: with which others its waiting is compared
    gave_way_to: str = ""  # a request that has what it would have had: of a group that lies behind
