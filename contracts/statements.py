"""Statements: what a vendor is owed for a month, dispatch by dispatch; no patient is in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Id, Instant, Minutes, OfferId, Tally, Wire
from contracts.event_types import event
from contracts.outside import refuse_blank
from contracts.paging import Cursor, PageSize
from contracts.patterns import whole
from contracts.prices import Charge, DisputeOutcome, PriceKind, Quantity
from contracts.streams import To

CSV = "text/csv"
MOST_ITEMS = 1_000  # of a page: a large vendor has thousands a month, and each page reads all of it
Month = Annotated[
    str, Meta(pattern=whole("2[01][0-9]{2}-(0[1-9]|1[0-2])"), description="yyyy-mm, by the market's calendar")
]

ItemId = Annotated[
    str,
    Meta(
        pattern=whole("[A-Za-z0-9_-]{1,64}\\.[0-9]{1,4}(\\.[0-9a-f]{1,8})?"),
        description="of a dispatch its id; of a correction a dot more, and which",
    ),
]

LineNumber = Annotated[
    str, Meta(pattern=whole("[1-9][0-9]{0,2}"), description="which line of the item, from 1")
]


Payer = Annotated[
    str,
    Meta(max_length=128, description="as `by_payer` names it; empty: the work for which nobody is named"),
]


class StatementItemKind(StrEnum):
    """What an item of a statement is."""

    WORK = "work"  # a dispatch that is over, as it was priced when it ended
    CORRECTION = "correction"  # what a settled dispute changed afterwards: taken back, and put anew


class WorkEnd(StrEnum):
    """How a dispatch ended."""

    COMPLETED = "completed"
    NO_SHOW = "no_show"
    FAILED = "failed"
    CANCELLED = "cancelled"  # taken back from its vendor
    TURNED_BACK = "turned_back"  # given back by its vendor


class StatementLine(Wire, omit_defaults=False):
    """One line of a price. `hcpcs`: the usual code of what it is for; empty, where there is none."""

    kind: PriceKind
    hcpcs: str = ""
    quantity: Quantity
    unit_cents: Charge
    cents: Charge
    note: str = ""  # of a line that was settled, by which dispute
    disputed: bool = False  # and nobody has settled it yet


class StatementItem(Wire, omit_defaults=False):
    """A dispatch that is over, or a correction of one. Its lines add up to `cents`.

    `day`: of service, by the agreed start. `at`: since when it stands here.
    """

    id: ItemId
    offer_id: OfferId
    request_id: Id
    kind: StatementItemKind
    at: Instant
    day: Day
    start_at: Instant
    end: WorkEnd
    code: str = ""  # why it ended so
    service: str = ""  # the level of service that came; `equipment`
    miles: Annotated[float, Meta(ge=0, description="from pick-up to drop-off, statute miles")] = 0.0
    waited_minutes: Minutes = 0  # after the agreed start
    payer: str = ""  # whom its request names, else whose authorization it is under
    authorization_id: str = ""  # on which it draws
    authorization_number: str = ""  # the payer's; its vendor is not told
    reference: str = ""  # the vendor's own trip number
    lines: tuple[StatementLine, ...] = ()
    cents: Charge = 0


class StatementSum(Wire, omit_defaults=False):
    """What some of it adds up to."""

    name: str
    items: Tally
    cents: Charge


class Statement(Wire, omit_defaults=False):
    """What a vendor is owed for a month: the work whose agreed start lies in it, and what was settled in it.

    `final`: the month and all its work are over, nothing is added any more. What is settled later stands in
    the statement of the month in which it is.
    """

    vendor_id: Id
    month: Month
    time_zone: str
    first_at: Instant
    end_at: Instant  # where the next month begins
    work: Tally
    corrections: Tally
    corrections_cents: Charge
    cents: Charge  # of both
    by_end: tuple[StatementSum, ...] = ()  # of work, by how it ended
    by_payer: tuple[StatementSum, ...] = ()  # "": nobody is named
    open_work: Tally = 0  # offers and dispatches of the month that are not over
    open_disputes: Tally = 0  # of lines that stand here
    final: bool
    kept_until: Instant


class StatementQuery(Wire):
    """A page of vendors, by id."""

    cursor: Annotated[str, Meta(pattern=whole("[A-Za-z0-9_-]{0,64}"), description="of the page before")] = ""
    limit: PageSize = 100


class StatementPage(Wire, omit_defaults=False):
    """The statements of vendors that have any work of the month, by id; `cursor` is empty on the last page.

    A short page may have one all the same.
    """

    statements: tuple[Statement, ...] = ()
    cursor: str = ""


class StatementItemQuery(Wire):
    """A page of a month's items, by day; `payer`: those that it pays."""

    payer: Payer | None = None
    cursor: Cursor = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_ITEMS)] = 100


class StatementCsvQuery(Wire):
    """`payer`: the lines that it pays; left out: all."""

    payer: Payer | None = None


class StatementItemPage(Wire, omit_defaults=False):
    """Items of a month, by day; `cursor` is empty on the last page."""

    items: tuple[StatementItem, ...] = ()
    cursor: str = ""


class SettleLine(Wire):
    """What ops decides of a line whose request is forgotten: it costs `cents`; without, it stays as it is."""

    reason: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="stands in the audit as it is: name no patient"),
    ]
    cents: Annotated[int, Meta(ge=-100_000_000, le=100_000_000, description="US cents")] | None = None

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a reason that shows nothing."""
        refuse_blank(f"{pointer}/reason", self.reason)


@event("dispatch.statement.settled", to=To.VENDOR)
class StatementSettled(Wire):
    """A line of a statement was disputed once its request was forgotten, and is settled.

    `cents`: what the correction adds to the month of today; `kept`: there is none.
    """

    offer_id: OfferId
    item_id: ItemId
    line: Annotated[int, Meta(ge=1)]
    outcome: DisputeOutcome
    cents: Charge = 0
    href: str
