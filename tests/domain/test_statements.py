"""What a dispatch that ends adds to its vendor's statement: which day's, which lines, for how long."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from contracts.authorizations import AuthorizationState, Counted
from contracts.codes import ServiceClass, TrackingStatus
from contracts.instants import MINUTE_MS, to_ms
from contracts.prices import PriceKind
from contracts.statements import WorkEnd
from dispatcher.domain.authorizations import AuthorizationRecord
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.decision import Decision
from dispatcher.domain.follow_statements import _difference, _line
from dispatcher.domain.hcpcs import hcpcs_of
from dispatcher.domain.needed import Needed
from dispatcher.domain.prices import Dispute, Line, code_of, settled
from dispatcher.domain.statements import (
    Billed,
    disputed_line,
    is_correction,
    local_day,
    month_after,
    offer_of,
)
from tests.domain.make import NOW, accepted, decide, offered, reporting
from tests.domain.test_prices import dispatch

K = PriceKind
NEW_YORK = ZoneInfo("America/New_York")


def ms(*at: int) -> int:
    return to_ms(datetime(*at, tzinfo=UTC))  # type: ignore[arg-type]


AUTHORIZED = AuthorizationRecord(
    id="rides.authorization",
    version=1,
    state=AuthorizationState.ACTIVE,
    number="A-1",
    payer="medicaid",
    services=("wheelchair",),
    counted=Counted.VISITS,
    granted=9,
    used=1,
    first_day="2026-03-01",
    last_day="2026-03-31",
    from_ms=NOW,
    until_ms=ms(2026, 4, 1),
    timer_ms=ms(2026, 4, 1),
)


def test_work_is_of_the_day_on_which_it_begins_where_the_market_is() -> None:
    assert local_day(ms(2026, 4, 1, 0, 30), NEW_YORK) == date(2026, 3, 31)
    assert local_day(ms(2026, 4, 1, 0, 30), ZoneInfo("Asia/Seoul")) == date(2026, 4, 1)


@pytest.mark.parametrize(
    ("day", "months", "at"),
    [
        (date(2026, 3, 31), 1, ms(2026, 4, 1, 4)),  # summer time began in March
        (date(2026, 10, 5), 1, ms(2026, 11, 1, 4)),
        (date(2026, 11, 5), 1, ms(2026, 12, 1, 5)),
        (date(2026, 12, 31), 0, ms(2026, 12, 1, 5)),
        (date(2026, 12, 31), 1, ms(2027, 1, 1, 5)),
        (date(2026, 11, 30), 14, ms(2028, 1, 1, 5)),
    ],
)
def test_months_begin_by_the_clock_on_the_wall(day: date, months: int, at: int) -> None:
    assert month_after(day, months, NEW_YORK) == at


def test_a_dispatch_that_ends_is_written_down_once_and_a_step_before_is_not() -> None:
    record = accepted()
    assert not _billed(reporting(record, TrackingStatus.ON_BOARD))
    (billed,) = _billed(reporting(record, TrackingStatus.COMPLETED))
    assert (billed.vendor_id, billed.day, billed.name) == ("v1", "2026-03-02", "r1.1")
    assert billed.item is not None
    assert (billed.item.end, billed.item.cents) == (WorkEnd.COMPLETED, 4_500)
    now_ms = record.offers[0].start_ms
    assert billed.kept_ms == ms(2026, 7, 1) - now_ms, "to the end of June, in UTC"


def test_it_says_who_pays_and_under_which_authorization() -> None:
    needed = Needed(("wheelchair",), authorization="rides", drawn=1, payer="medicaid")
    record = replace(accepted(), authorization=needed)
    (billed,) = _billed(reporting(record, TrackingStatus.COMPLETED, tasks=[AUTHORIZED]))
    assert billed.item is not None
    assert (billed.item.payer, billed.item.authorization, billed.item.number) == ("medicaid", "rides", "A-1")


def test_an_authorization_says_who_pays_where_its_request_does_not_even_if_caps_have_no_such_name() -> None:
    record = replace(accepted(), authorization=Needed(("wheelchair",), authorization="rides", drawn=1))
    issued = replace(AUTHORIZED, payer="Blue Cross of Ohio")
    (billed,) = _billed(reporting(record, TrackingStatus.COMPLETED, tasks=[issued]))
    assert billed.item is not None
    assert billed.item.payer == "Blue Cross of Ohio"


def test_work_whose_month_is_kept_no_more_stands_on_the_day_on_which_it_ended() -> None:
    values = {"statement_months": 1}
    for now_ms, day in ((ms(2026, 4, 30, 23), "2026-03-02"), (ms(2026, 5, 1), "2026-05-01")):
        (billed,) = _billed(reporting(accepted(), TrackingStatus.COMPLETED, now_ms=now_ms, values=values))
        assert (billed.day, billed.kept_ms > 0) == (day, True)


def test_a_disputed_line_is_marked_as_it_is_by_now() -> None:
    said = Dispute(K.MILES, 2, 300, 0, "v1")
    grown = dispatch(price_lines=(Line(K.BASE, 4_500), Line(K.MILES, 450, 150, 3.0)))
    assert _line(grown, said).cents == 450
    assert _line(dispatch(price_lines=(Line(K.NO_SHOW, 1_500),)), said).cents == 300, "it is gone"


def test_an_offer_that_nobody_took_is_no_work() -> None:
    asked = offered()
    cancelled = decide(asked, CancelRequest(request_id="r1"), now_ms=NOW + MINUTE_MS)
    assert not _billed(cancelled)
    (billed,) = _billed(decide(accepted(), CancelRequest(request_id="r1"), now_ms=NOW + MINUTE_MS))
    assert billed.item is not None
    assert (billed.item.end, billed.item.lines) == (WorkEnd.CANCELLED, ()), "in time, and it says so"


def _billed(decision: Decision | None) -> tuple[Billed, ...]:
    assert decision is not None
    return decision.billed


def test_what_an_item_is_called_says_what_it_is() -> None:
    for name, kinds in (
        ("ride.1", (False, False)),
        ("ride.1.7", (True, False)),
        ("ride.1.dispute_2", (False, True)),
    ):
        assert (offer_of(name), is_correction(name), disputed_line(name)) == ("ride.1", *kinds)


def test_a_correction_takes_back_what_was_and_puts_what_is() -> None:
    twice = Line(K.EQUIPMENT, 500, 250, 2.0, "E1390")
    was, now = (twice, twice, Line(K.DELIVERY, 3_500)), (twice, Line(K.DELIVERY, 3_500))
    assert list(_difference(was, now)) == [Line(K.EQUIPMENT, -500, -250, 2.0, "E1390")]
    assert not list(_difference(was, was))


def test_equipment_keeps_its_code_when_its_line_is_settled() -> None:
    lines = (Line(K.DELIVERY, 3_500), Line(K.EQUIPMENT, 9_000, note="E1390"))
    once = dispatch(price_lines=lines, price_cents=12_500)
    for number in (1, 2):
        changed: dict[str, Any] = settled(once, 1, 8_000, number)
        once = dispatch(**changed)
        assert once.price_lines[1].note == f"E1390 dispute_{number}"
        assert code_of(once.price_lines[1]) == "E1390"
    assert code_of(dispatch(**settled(dispatch(), 0, 1, 1)).price_lines[0]) == ""


@pytest.mark.parametrize(
    ("kind", "service", "code"),
    [
        (K.BASE, ServiceClass.WHEELCHAIR, "A0130"),
        (K.MILES, ServiceClass.WHEELCHAIR, "S0209"),
        (K.BASE, ServiceClass.STRETCHER, "T2005"),
        (K.MILES, ServiceClass.STRETCHER, "T2049"),
        (K.WAITING, ServiceClass.AMBULATORY, "T2007"),
        (K.WAITING, ServiceClass.BLS, "A0420"),
        (K.MILES, ServiceClass.ALS, "A0425"),
        (K.EQUIPMENT, ServiceClass.EQUIPMENT, "E1390"),
        (K.NIGHT, ServiceClass.WHEELCHAIR, ""),
        (K.WAITING, ServiceClass.EQUIPMENT, ""),
    ],
)
def test_lines_are_billed_under_their_usual_codes(kind: PriceKind, service: ServiceClass, code: str) -> None:
    assert hcpcs_of(kind, service, "E1390") == code
