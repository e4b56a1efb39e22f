"""A request is cancelled until its passenger sits in the vehicle; then its vendor says how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Requirement, Role, TrackingStatus
from contracts.prices import PriceChanged, PriceLine
from dispatcher.domain.commands import table
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.rights import ALONE
from dispatcher.domain.scorecards import Outcome
from dispatcher.domain.views import request_view
from tests.domain import make
from tests.domain.make import after, decide, reporting

T = TrackingStatus
CANCEL = CancelRequest(request_id="r1")


def test_with_the_passenger_on_board_nothing_is_cancelled_and_what_may_help_is_said() -> None:
    riding = after(reporting(make.accepted(), T.ON_BOARD))
    with pytest.raises(WrongState, match=r"on board of vendor v1.*\nMaybe call the vendor.*r1\.1") as refused:
        decide(riding, CANCEL)
    assert refused.value.facts == {"state": "in_progress", "tracking_status": "on_board"}
    assert after(reporting(riding, T.COMPLETED)).state == "completed"


@pytest.mark.parametrize("status", [T.EN_ROUTE, T.AT_PICKUP])
def test_until_then_a_ride_that_is_under_way_is_cancelled(status: TrackingStatus) -> None:
    under_way = after(reporting(make.accepted(), status))
    cancelled = decide(under_way, CANCEL)
    assert cancelled is not None
    assert (cancelled.after.state, cancelled.unbook) == ("cancelled", under_way.offers[0].bookings)


@pytest.mark.parametrize("command", [CANCEL, T.TURNED_BACK])
def test_all_who_follow_hear_that_what_is_taken_or_given_back_costs_nothing_by_now(command: Any) -> None:
    agreed = make.accepted()
    over = reporting(agreed, command) if isinstance(command, T) else decide(agreed, command)
    assert over is not None
    assert priced(over) == [("r1.1", 0, ())]
    (attempt,) = request_view(over.after).attempts
    assert (agreed.offers[0].price_cents > 0, attempt.price_cents, attempt.price_lines) == (True, 0, ())
    assert Outcome.CHARGED not in [each.outcome for each in over.outcomes]


def test_of_an_offer_that_nobody_accepted_there_is_no_price_and_no_news() -> None:
    over = decide(make.offered(), CANCEL)
    assert over is not None
    assert (priced(over), request_view(over.after).attempts[0].price_cents) == ([], None)


def priced(decision: Decision) -> list[tuple[str, int, tuple[PriceLine, ...]]]:
    """What all who follow requests are told of prices."""
    told = [each.data for each in decision.messages if isinstance(each.data, PriceChanged)]
    return [(each.offer_id, each.price_cents, each.price_lines) for each in told]


def test_all_but_vendors_and_facilities_may_cancel_hold_and_resume() -> None:
    for command in (CancelRequest, HoldRequest, ResumeRequest):
        assert table.row(command).roles == set(Role) - ALONE


def test_a_history_tells_two_dispatchers_of_one_role_apart() -> None:
    hold = HoldRequest(request_id="r1", requirement=Requirement.PREDECESSOR)
    held = after(decide(make.received(), hold, by="ops", subject="ana"))
    resumed = after(decide(held, ResumeRequest(request_id="r1"), by="ops", subject="ben"))
    steps = request_view(resumed).history[1:]
    assert [(step.by, step.subject) for step in steps] == [("ops", "ana"), ("ops", "ben")]
