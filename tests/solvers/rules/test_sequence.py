"""What stands before and after a request bounds its start; what is not here is waited for."""

from dataclasses import replace

import pytest

from solvers.candidates import screen
from solvers.explain import explain
from solvers.explain.screened import question_of
from solvers.screening import Follows, OpenRequest, sequence_of
from tests.solvers import town

MINUTE = 60_000
OPENS_MS = town.NOW_MS + 60 * MINUTE


def ride(request_id: str = "r1", **changes: object) -> OpenRequest:
    """Its window is half an hour from 13:00 on."""
    return replace(town.asked(town.trip(request_id)), **changes)  # type: ignore[arg-type]


def starts(*asked: OpenRequest) -> list[int]:
    """Of the last request, in minutes after its window opens."""
    found = screen(town.screening(asked, [town.vendor()])).candidates
    return sorted(
        (ms - OPENS_MS) // MINUTE for ms in found.start_ms[found.request == len(asked) - 1].tolist()
    )


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        (None, None, [0, 15, 30]),
        (-10, 90, [0, 15, 30]),
        (7, None, [7, 15, 30]),
        (None, 15, [0, 15]),
        (16, 17, [16]),
        (31, None, []),
        (None, -1, []),
    ],
)
def test_starts_lie_within_the_bounds_and_the_first_that_they_leave_is_tried(
    before: int | None, after: int | None, left: list[int]
) -> None:
    bounds = (None if each is None else OPENS_MS + each * MINUTE for each in (before, after))
    assert starts(ride(**dict(zip(("not_before_ms", "not_after_ms"), bounds, strict=True)))) == left


def test_who_follows_a_request_that_is_not_here_has_no_candidate_and_sequence_is_why() -> None:
    alone = ride("r2", follows=(Follows("r1"),))
    assert starts(alone) == []
    assert starts(ride("r1"), alone) == [0, 15, 30]
    screened = screen(town.screening([alone], [town.vendor()]))
    assert screened.last_rule(0) == "sequence"
    itself = ride("r3", follows=(Follows("r3"),))
    assert starts(itself) == []


def test_a_bound_that_leaves_no_start_is_explained_with_the_minutes_that_are_missing() -> None:
    late = ride(not_before_ms=OPENS_MS + 50 * MINUTE)
    found = explain(question_of(town.screening([ride("other"), late], [town.vendor()]), 1).question)
    assert found.last_rule is not None and found.last_rule.code == "sequence"
    steps = [[(step.code, step.amount) for step in each.steps] for each in found.relaxations]
    assert [("time_window", 20)] in steps and [("sequence", 20)] in steps


def test_pairs_and_bundles_are_told_by_row() -> None:
    pair = Follows("b", "start_to_start", 5 * MINUTE, 9 * MINUTE)
    asked = [ride("a", follows=(pair, Follows("gone")), bundle="y"), ride("b", bundle="x"), ride("c")]
    found = sequence_of(asked)
    assert found is not None
    assert (found.first.tolist(), found.second.tolist(), found.from_start.tolist()) == ([1], [0], [True])
    assert (found.least_ms.tolist(), found.most_ms.tolist()) == ([5 * MINUTE], [9 * MINUTE])
    assert found.bundle.tolist() == [1, 0, -1]
    assert sequence_of([ride("a"), ride("b")]) is None


def test_a_sequence_that_no_start_could_keep_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1 ms, less than its least 2"):
        Follows("a", least_ms=2, most_ms=1)
    with pytest.raises(ValueError, match="'later'"):
        Follows("a", "later")
