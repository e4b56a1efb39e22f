"""The rank correlation of the bench is Spearman's: by ranks, and ties share theirs."""

from __future__ import annotations

import pytest

from benchmarks.what_if import correlation, ranks_of


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks_of([10, 30, 20, 20]).tolist() == [1, 4, 2.5, 2.5]


@pytest.mark.parametrize(("real", "expected"), [([1, 5, 90], 1.0), ([9, 8, 7], -1.0)])
def test_only_the_order_counts(real: list[int], expected: float) -> None:
    rows = [
        {"predicted": {"late": told}, "simulated": {"late": each}}
        for told, each in zip((1, 2, 3), real, strict=True)
    ]
    assert correlation(rows, "late") == expected
