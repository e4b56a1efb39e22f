"""What a vendor's work comes to, dispatch by dispatch: kept for some months, and changed by nobody.

An item is written in the commit in which its dispatch ends, on the day of its agreed start. What is settled
afterwards is a correction, an item of its own on the day of that: it takes lines back, and puts them anew.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.codes import OfferState
from contracts.instants import to_instant, to_ms
from contracts.statements import WorkEnd
from contracts.tuning import Parameter
from dispatcher.domain.compact import Compact
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import Line, charged

MONTHS = Parameter(
    name="statement_months",
    default=3,
    minimum=1,
    maximum=84,
    unit="months",
    summary="What is written down of a month's work is kept for so many months after it.",
    scope="domain.statements",
)
PARAMETERS = (MONTHS,)
DISPUTE = "dispute_"  # the last part of the name of what says that a line is disputed
LATE = f"{DISPUTE}late"  # once its request is forgotten; then the item stands before it, not its dispatch
ENDS = {
    OfferState.COMPLETED: WorkEnd.COMPLETED,
    OfferState.FAILED: WorkEnd.FAILED,
    OfferState.CANCELLED: WorkEnd.CANCELLED,
    OfferState.TURNED_BACK: WorkEnd.TURNED_BACK,
}


class Item(Compact, frozen=True):
    """A dispatch that is over, a correction of one, or that one of its lines is disputed: as it is stored."""

    at_ms: int
    start_ms: int  # as agreed
    end: WorkEnd
    lines: tuple[Line, ...] = ()
    service: str = ""
    payer: str = ""
    code: str = ""
    distance_m: int = 0
    waited_minutes: int = 0
    authorization: str = ""
    number: str = ""  # of the authorization, as its payer calls it
    reference: str = ""

    @property
    def cents(self) -> int:
        """What it comes to."""
        return sum(each.cents for each in self.lines)


class Billed(NamedTuple):
    """An item to be written, or, `item` None, to be taken out. Its name begins with that of its dispatch."""

    vendor_id: str
    day: str  # yyyy-mm-dd, by the market's clock
    name: str
    item: Item | None
    kept_ms: int = 0  # from now on


def is_over(offer: OfferRecord) -> bool:
    """Whether it was a dispatch, and is charged as it ended."""
    return not offer.live and charged(offer) is not None


def offer_of(name: str) -> str:
    """The dispatch that an item is about: `<request id>.<attempt>`, and more."""
    return ".".join(name.split(".", 2)[:2])


def disputed_line(name: str) -> bool:
    """Whether it says that a line is disputed, and adds nothing."""
    return name.rpartition(".")[2].startswith(DISPUTE)


def is_correction(name: str) -> bool:
    """Whether it changes what was written down before."""
    return name != offer_of(name) and not disputed_line(name)


def negated(line: Line) -> Line:
    """The line taken back."""
    unit_cents = None if line.unit_cents is None else -line.unit_cents
    return replace(line, cents=-line.cents, unit_cents=unit_cents)


def month_after(day: date, months: int, tz: ZoneInfo) -> int:
    """Where, so many months after that of a day, one begins: ms."""
    place = day.year * 12 + day.month - 1 + months
    return to_ms(datetime(place // 12, place % 12 + 1, 1, tzinfo=tz))


def kept_ms(day: date, months: int, now_ms: int, tz: ZoneInfo) -> int:
    """How long from `now_ms` a day's items are kept, `months` after its own; not above 0: they are gone."""
    return month_after(day, 1 + months, tz) - now_ms


def local_day(at_ms: int, tz: ZoneInfo) -> date:
    """The calendar day of a moment."""
    return to_instant(at_ms).astimezone(tz).date()
