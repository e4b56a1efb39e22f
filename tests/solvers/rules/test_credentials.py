"""Which papers count: those that a vendor claims, or only those that ops has verified."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from contracts.vendors import OpsPause, Signed
from solvers.candidates import screen
from solvers.planning import plan
from tests.solvers import town
from tests.solvers.town import asked, screening, trip, vendor

SEEN = Signed(by="ops", at=datetime(2026, 1, 1, tzinfo=UTC))
VERIFIED = tuple(replace(each, verified=SEEN) for each in town.ALL_CREDENTIALS)


@pytest.mark.parametrize(
    ("only", "papers", "matched"),
    [
        (0, town.ALL_CREDENTIALS, 1),
        (0, VERIFIED, 1),
        (1, town.ALL_CREDENTIALS, 0),
        (1, VERIFIED, 1),
        (1, (*VERIFIED[1:], town.ALL_CREDENTIALS[0]), 0),
    ],
)
def test_claimed_papers_count_or_verified_ones_only(only: int, papers: tuple, matched: int) -> None:  # type: ignore[type-arg]
    day = screening([asked(trip())], [vendor(credentials=papers)], values={"credentials_verified_only": only})
    assert len(plan(day).chosen) == matched
    assert screen(day).last_rule(0) == ("" if matched else "credentials")


def test_a_vendor_that_ops_has_paused_gets_no_work_whatever_it_says_itself() -> None:
    pause = OpsPause(by="ops", at=SEEN.at, reason="late")
    day = screening([asked(trip())], [vendor(paused=False, ops_pause=pause)])
    assert screen(day).last_rule(0) == "paused"
