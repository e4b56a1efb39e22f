"""Saved decisions as ops read them: what a plan was made from, its choice for every request, and why."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from contracts.base import Day, Id, Instant, Tally, Version, Wire
from contracts.matches import CostTerm, RunnerUp
from contracts.paging import Cursor, PageSize
from contracts.unmatched import RuleCount

#: of a plan's input; a further plan of the same input has a dash and its number behind it
Digest = Annotated[
    str, Meta(pattern="^[0-9a-f]{16}(-[0-9]{1,6})?$", description="names a saved decision: `match.snapshot`")
]

LimitedBy = Literal["work", "time", "nothing"]
How = Literal["identical", "verified", "differs"]


class DecisionQuery(Wire):
    """Which decisions to list, the latest first: of a local day, on a request, or all."""

    day: Day | None = None
    request: Id | None = None
    cursor: Cursor = ""
    limit: PageSize = 50


class Decision(Wire, omit_defaults=False):
    """One plan that was saved. Costs are of the whole plan, in cents, requests left out at their penalty."""

    digest: Digest
    kind: str  # batch | imminent | room | by_hand; of what books nothing: quote | amendment | kept_free
    solver: str  # optimiser | greedy | insertion
    at: Instant  # the moment that it was planned for
    day: Day
    requests: Tally
    matched: Tally
    cost_cents: int
    bound_cents: int  # proven: no plan costs less
    place: Tally  # in the market's chain of decisions


class DecisionPage(Wire, omit_defaults=False):
    """Decisions, the latest first; `cursor` is empty on the last page."""

    decisions: tuple[Decision, ...]
    cursor: str = ""


class RowQuery(Wire):
    """Which requests' rows to read: of one, or a page in the order of the plan."""

    request: Id | None = None
    cursor: Cursor = ""
    limit: PageSize = 50


class Chosen(Wire):
    """The candidate that was chosen, and what became of the match."""

    vendor_id: Id
    pool_id: Id
    start_at: Instant
    end_at: Instant
    cost_cents: int
    terms: tuple[CostTerm, ...] = ()  # all that are not zero; none where another version priced otherwise
    became: str = ""  # offered | moved | why its commit was refused


class Excluded(Wire):
    """The vendors that one rule removed, in the order in which rules ran."""

    rule: str
    vendors: tuple[Id, ...]


class Row(Wire):
    """What a plan decided on one request."""

    request_id: Id
    candidates: Tally  # that no rule removed: vendor, pool and start
    vendors: Tally  # that were looked at
    stood: bool = False  # it had an unanswered offer, which the plan might move
    chosen: Chosen | None = None
    runners_up: tuple[RunnerUp, ...] = ()  # of other vendors
    removed: tuple[RuleCount, ...] = ()  # vendors by the rule that removed each first
    excluded: tuple[Excluded, ...] = ()  # the same by name; only where one request is asked for
    held_back_by: str = ""  # for whose sake it was left out: before it in sequence, or of its bundle
    behind: float = 0.0  # how many times the fairness floor its group lay behind the others
    put_before: tuple[Id, ...] = ()  # requests that would have had its place but for that
    gave_way_to: str = ""  # the other way round
    for_share: bool = False  # its vendor was short of its share; there was a cheaper place


class DecisionView(Wire, omit_defaults=False):
    """A decision with rows of its requests; `cursor` leads to the next rows, and is empty at the last."""

    decision: Decision
    software: str  # version of the service that decided
    tuning_version: Version
    seed: int
    limited_by: LimitedBy
    solve_s: float
    became: dict[str, int]  # of its matches, how many
    rows: tuple[Row, ...]
    cursor: str = ""


class RequestDecision(Wire, omit_defaults=False):
    """The last saved decision on a request, and its row; `earlier`: digests of those before it.

    `chosen_by`: who chose the vendor of its last offer by hand. Its decision is of the kind `by_hand`: beside
    that vendor alone. Where it is of another kind, that by hand is not kept, and this was the last before it.
    """

    decision: Decision
    row: Row
    earlier: tuple[Digest, ...] = ()
    chosen_by: str = ""


class Replay(Wire, omit_defaults=False):
    """How a decision replayed: the same bytes; or its recorded choice verified; or what differs."""

    digest: Digest
    how: How
    problems: tuple[str, ...] = ()
    hint: str = ""
