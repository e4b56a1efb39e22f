"""Room for a request whose vendors are full: who steps aside, at what price, and who does not."""

from __future__ import annotations

from solvers.planning import BatchPlan
from solvers.room import make_room
from solvers.screening import Screening
from tests.solvers.town import asked, screening, standing_at, supply, trip, vendor


def crowded(
    *standing: tuple[str, int], values: dict[str, float] | None = None, waiting: int = 1
) -> Screening:
    """One unit each at v0, v1, v2. `standing`: where each stands, and vendors that may not take it.

    What waits may go to v0 alone.
    """
    start = {"start_min": 120, "width_min": 0}
    stands = [
        trip(f"s{n}", excluded_vendors=tuple(without.split()), **start)
        for n, (without, _) in enumerate(standing)
    ]
    waits = [trip(f"w{n}", excluded_vendors=("v1", "v2"), **start) for n in range(waiting)]
    vendors = [vendor(f"v{n}") for n in range(3)]
    day = screening([asked(each) for each in [*waits, *stands]], vendors, supply(3, units=1), values)
    first_ms = int(day.facts.earliest_ms[0])
    return standing_at(day, {waiting + n: (at, first_ms) for n, (_, at) in enumerate(standing)})


def places(made: BatchPlan) -> list[tuple[int, int]]:
    """(request, vendor), in the order in which they are committed."""
    return list(zip(made.chosen.request.tolist(), made.chosen.vendor.tolist(), strict=True))


def test_a_neighbour_steps_aside_and_its_move_comes_first() -> None:
    (made,) = make_room(crowded(("", 0)))
    assert places(made) in ([(1, 1), (0, 0)], [(1, 2), (0, 0)])
    assert made.solver == "insertion"


def test_two_neighbours_step_aside_one_after_the_other() -> None:
    (made,) = make_room(crowded(("v2", 0), ("v0", 1)))
    assert sorted(places(made)) == [(0, 0), (1, 1), (2, 2)]
    assert places(made)[-1] == (0, 0)


def test_nobody_does_where_moving_costs_more_than_leaving_the_request_out() -> None:
    assert list(make_room(crowded(("", 0), values={"move_offer_cents": 60_000}))) == []


def test_nobody_does_who_has_no_other_place() -> None:
    assert list(make_room(crowded(("v1 v2", 0)))) == []


def test_who_has_moved_does_not_move_again_for_the_next() -> None:
    assert len(list(make_room(crowded(("", 0), waiting=2)))) == 1


def test_a_place_that_is_free_needs_no_move() -> None:
    (made,) = make_room(crowded(("", 1)))
    assert places(made) == [(0, 0)]
