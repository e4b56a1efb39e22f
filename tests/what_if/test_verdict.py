"""The sentence of an answer says no less than its figures do."""

from __future__ import annotations

import pytest

from dispatcher.what_if.answer import Compared, answer_of
from solvers.compare import Side
from tests.solvers.test_compare import R, asked, flipped


def verdict(before: Side, again: Side, after: Side) -> str:
    names = [str(number) for number in range(R)]
    compared = Compared(names, ["v1", "v2"], ["price", "distance"], asked(), before, again, after)
    return answer_of(compared, "now", 0.0).verdict


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (flipped(range(10, 20)), "no difference beyond noise: 20 "),
        (flipped(range(100, 110)), "no difference beyond noise: 20 "),
        (flipped(range(100, 120)), "the same outcome within noise, for other requests: 30 "),
        (flipped(range(100, 125)), "matched 390 → 375"),
    ],
)
def test_what_another_seed_does_as_well_is_noise(after: Side, says: str) -> None:
    assert verdict(flipped(range(10)), flipped(range(10, 20)), after).startswith(says)


def test_who_has_no_vendor_now_is_told_though_as_many_have_one() -> None:
    before, after = flipped(range(40)), flipped(range(40, 80))
    says = "the same outcome within noise, for other requests: 80 fare otherwise, 0 with another seed alone"
    assert verdict(before, before, after) == says
