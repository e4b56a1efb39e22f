"""An accepted offer: door, name and phone for its vendor, and what the vendor reports."""

from __future__ import annotations

from contracts.base import Day, Instant, OfferId, Tally, Wire, refuse_odd_year
from contracts.codes import (
    ReportCode,
    TrackingStatus,
)
from contracts.geo import Position
from contracts.identifiers import Identifier
from contracts.offers import Offer
from contracts.paging import Cursor, PageSize
from contracts.patients import Patient
from contracts.prices import PriceLine


class Dispatch(Wire):
    """An accepted offer, as its vendor sees it: now with door, name and phone."""

    id: OfferId
    offer: Offer
    reference: str = ""  # the vendor's own trip number, as it gave it
    status: TrackingStatus | None = None
    pickup: Position
    dropoff: Position | None = None
    patient: Patient | None = None  # without record number and contact
    identifiers: tuple[Identifier, ...] = ()  # the numbers of who asked for it
    price_lines: tuple[PriceLine, ...] = ()  # as they are now: with waiting, and fees
    unread: Tally = 0  # messages of others that you have not read; said where a dispatch is read


class DispatchQuery(Wire):
    """A page of your dispatches of a day; left out: today, by the market's clock."""

    day: Day | None = None
    cursor: Cursor = ""
    limit: PageSize = 100


class DayDispatch(Wire):
    """A dispatch of a day, whether it is to be done or is over; door and patient as long as you may see them.

    What you gave back has neither; nor what was taken back from you late (`cancelled`), which is here for the
    fee that you are owed.
    """

    id: OfferId
    offer: Offer
    reference: str = ""
    status: TrackingStatus | None = None
    pickup: Position | None = None
    dropoff: Position | None = None
    patient: Patient | None = None  # without record number and contact
    identifiers: tuple[Identifier, ...] = ()  # as long as you may see the patient
    price_lines: tuple[PriceLine, ...] = ()
    unread: Tally = 0  # messages of others that you have not read


class DispatchPage(Wire, omit_defaults=False):
    """Your dispatches of a day, by their agreed start; `cursor` is empty on the last page.

    A short page may have one all the same.
    """

    day: Day
    dispatches: tuple[DayDispatch, ...] = ()
    cursor: str = ""


class StatusUpdate(Wire):
    """One report on a dispatch: en route, at pick-up, on board, completed, no-show, failed, turned back."""

    status: TrackingStatus
    at: Instant | None = None  # when it happened, taken for no later than now, nor before the last step
    code: ReportCode | None = None

    def __post_init__(self) -> None:
        """Refuse a time that no calendar of ours holds."""
        refuse_odd_year("at", self.at)
