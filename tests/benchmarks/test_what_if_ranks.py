"""The rank correlation of the bench is Spearman's: by ranks, and ties share theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.what_if import correlation, predicted, ranks_of
from contracts.what_if import WhatIfChange
from simulation import small


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks_of([10, 30, 20, 20]).tolist() == [1, 4, 2.5, 2.5]


@pytest.mark.parametrize(("real", "expected"), [([1, 5, 90], 1.0), ([9, 8, 7], -1.0)])
def test_only_the_order_counts(real: list[int], expected: float) -> None:
    rows = [
        {"predicted": {"late": told}, "simulated": {"late": each}}
        for told, each in zip((1, 2, 3), real, strict=True)
    ]
    assert correlation(rows, "late") == expected


def test_a_setting_is_predicted_by_a_day_in_memory() -> None:
    whole = small.generate(1)
    first = whole.submissions[0]
    some = replace(first, requests=first.requests[:4])
    day = replace(whole, submissions=(some,), cancel_share=0.0)
    as_it_is, nobody = (
        predicted(day, WhatIfChange(pause=pause), 1) for pause in ((), tuple(each.id for each in day.vendors))
    )
    assert 2 <= as_it_is.matched <= 4
    assert nobody == (0, 0, 0)
