"""A saved plan under a change: who was told stays pinned, and what was not saved cannot be changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from contracts.what_if import AddedVendor, WhatIfChange, WhatIfRequest
from dispatcher.domain.refusals import Invalid
from dispatcher.what_if.answers import AsRecorded
from dispatcher.what_if.moment import compare_moment
from dispatcher.what_if.play import Play
from dispatcher.what_if.saved import moment_asked
from dispatcher.what_if.solving import Solver
from solvers.screening import Screening
from tests.what_if.days import RELIABLE, day, ride, vendor

VENDORS = ("cheap", "dear")
RIDES = [ride(number, 600 + 60 * number) for number in range(4)]


@pytest.fixture
def screening(monkeypatch: pytest.MonkeyPatch) -> Screening:
    """What the first batch of a day was planned from."""
    seen, plan = list[Screening](), Solver.plan

    def kept(self: Solver, given: Screening) -> Any:
        seen.append(given)
        return plan(self, given)

    monkeypatch.setattr(Solver, "plan", kept)
    Play(
        day([vendor("cheap", 3_000), vendor("dear", 5_000)], RIDES), AsRecorded(1, {}, RELIABLE), Solver(1)
    ).run()
    monkeypatch.undo()
    return seen[0]


def asked(screening: Screening, **change: Any) -> Any:
    ids = [each.id for each in RIDES]
    return moment_asked(screening, ids, VENDORS, WhatIfRequest(change=WhatIfChange(**change)))


def test_without_the_cheap_vendor_the_plan_goes_to_the_dear_one(screening: Screening) -> None:
    answer = compare_moment(asked(screening, pause=("cheap",)))
    assert {(each.from_vendor, each.to_vendor, each.cents) for each in answer.rows} == {
        ("cheap", "dear", 2_000)
    }
    assert answer.changed == len(RIDES)
    assert answer.proof is not None
    assert answer.proof.verdict == "dearer"


def test_a_tenth_less_of_plenty_is_no_difference(screening: Screening) -> None:
    answer = compare_moment(asked(screening, capacity_percent=-10))
    assert answer.verdict == "no difference: not one request would fare otherwise"
    assert answer.proof is not None
    assert answer.proof.verdict == "no difference proven"


def test_other_weights_have_no_proof_for_their_cents_are_others(screening: Screening) -> None:
    assert compare_moment(asked(screening, values={"price_weight": 2})).proof is None


def test_what_was_not_saved_cannot_be_changed(screening: Screening) -> None:
    new = AddedVendor(
        vendor=vendor("new", 1), capacity=next(iter(day([vendor("v", 1)], []).capacity.values()))
    )
    with pytest.raises(Invalid, match=r"holds no vendor that was not there\nMaybe"):
        asked(screening, add=(new,))
    with pytest.raises(Invalid, match=r"knows no vendor nobody\nMaybe"):
        asked(screening, pause=("nobody",))


def test_all_that_stands_is_pinned_and_keeps_its_units(screening: Screening) -> None:
    wanted = asked(screening)
    assert wanted.pinned == 0
    assert np.array_equal(wanted.before.left, wanted.after.left)
