"""The fairness floor: whom it counts, who lies behind, and by how much."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts.codes import DeclineCode, LevelOfService, RequestState, Requirement
from contracts.geo import Place
from contracts.unmatched import Unmatched
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.fairness import (
    EQUIPMENT,
    Fared,
    GroupCount,
    behind,
    days,
    group_of,
    parts_of,
    with_waiting,
)
from tests.domain import make
from tests.domain.make import after, decide, due
from tests.solvers.town import order

OTHERS = Fared(asked=1_000, unmatched=50, waited_s=1_000 * 600)
GROUP = "wheelchair@-73.9,40.7"


def fared(asked: int, *, unmatched: int = 0, minutes: int = 10) -> Fared:
    return Fared(asked, unmatched, asked * minutes * 60)


def times(own: Fared, **values: float) -> float:
    return behind({"others": OTHERS, "own": own}, values).get("own", 0.0)


def test_a_group_is_a_level_of_service_in_an_area_of_some_8_km() -> None:
    one = group_of(make.trip("r1"))
    level, (lon, lat) = parts_of(one)
    assert level == make.trip("r1").service_class
    pickup = make.trip("r1").doors[0]
    assert abs(lon - pickup[0]) < 0.06
    assert abs(lat - pickup[1]) < 0.04
    assert group_of(order("o1")).startswith(EQUIPMENT + "@")
    assert group_of(replace(make.trip("r1"), level_of_service=LevelOfService.STRETCHER)) != one


def test_a_door_counts_where_its_zone_cell_lies_which_is_all_that_the_board_knows_of_it() -> None:
    beyond = (-74.00273894774483, 40.72474553239437)  # by itself in the area around -74.04689, 40.716
    assert coarse_position(beyond) == (-73.99752, 40.725)
    request = make.trip("r1", pickup=Place(position=beyond))
    assert parts_of(group_of(request))[1] == (-73.95189, 40.716)


def test_who_fares_worse_lies_behind_the_more_the_farther_and_at_the_floor_by_all_that_counts() -> None:
    assert times(fared(100, minutes=11)) == 0.0
    waits = [times(fared(100, minutes=each)) for each in (14, 25, 38, 48, 400)]
    assert waits == sorted(waits)
    assert 0 < waits[0] < waits[1] < waits[2] < waits[3] == waits[4] == 1.0
    left = [times(fared(100, unmatched=each)) for each in (5, 7, 12, 40)]
    assert left[0] == 0.0 < left[1] < left[2] < left[3] == 1.0
    assert times(fared(100, minutes=400), fairness_most=2.5) == 2.5
    assert times(fared(100, minutes=400), fairness_most=0.0) == 0.0


def test_few_requests_say_little_and_one_group_alone_lies_behind_nobody() -> None:
    assert times(fared(1, unmatched=1)) < times(fared(20, unmatched=20))
    assert times(fared(1, unmatched=1)) < 1.0
    assert behind({"own": fared(100, minutes=999)}, {}) == {} == behind({}, {})


def test_no_more_than_all_go_unmatched_though_a_first_offer_was_by_hand() -> None:
    assert Fared(asked=2, unmatched=5, waited_s=0).share_unmatched == 1.0
    assert (Fared().share_unmatched, Fared().wait_min) == (0.0, 0.0)


def test_who_waits_now_counts_with_those_that_waited() -> None:
    hour_ms = 3_600_000
    found = with_waiting({"own": fared(10)}, {"own": [hour_ms] * 10, "new": [2 * hour_ms]})
    assert (found["own"].asked, found["own"].wait_min, found["new"]) == (20, 35.0, Fared(1, 0, 7_200))


def test_of_some_groups_it_is_the_same_as_of_all() -> None:
    groups = {"others": OTHERS, "own": fared(300, minutes=40), "more": fared(200, unmatched=90)}
    whole = behind(groups, {})
    assert whole.keys() >= {"own", "more"}
    assert behind(groups, {}, ["own", "others"]) == {name: whole[name] for name in ("own",)}


def test_the_days_that_count_end_with_today() -> None:
    found = days(1_772_409_600_000)  # 2026-03-02T00:00Z
    assert (found[0], found[-1], len(found)) == ("2026-02-24", "2026-03-02", 7)


def test_the_first_offer_counts_with_its_wait_and_no_other_does() -> None:
    record = make.received()
    plan = make.proposal(record, make.vendor())
    command = MakeOffer(
        request_id="r1", request=make.trip("r1"), proposal=plan, group=GROUP, waited_ms=90_000
    )
    made = decide(record, command)
    assert made is not None
    assert [(each.group, each.waited_s, each.asked, each.unmatched) for each in made.groups] == [
        (GROUP, 90, True, False)
    ]
    refused = after(
        decide(make.offered(), DeclineOffer(offer_id="r1.1", code=DeclineCode.OTHER), vendor="v1")
    )
    again = decide(refused, replace(command, proposal=make.proposal(refused, make.vendor("v2"))))
    assert again is not None
    assert again.groups == ()


@pytest.mark.parametrize("counted", [True, False])
def test_who_ends_without_a_vendor_counts_unless_the_matcher_never_looked_or_it_was_held(
    counted: bool,
) -> None:
    why = Unmatched(vendors=1, group=GROUP)
    waits = replace(make.received(), state=RequestState.MATCHING, unmatched=why)
    held = replace(waits, requirements=(Requirement.AUTHORIZATION,), state=RequestState.ON_HOLD)
    for record in (waits,) if counted else (held, replace(waits, unmatched=None)):
        ended = due(record)
        assert ended is not None
        assert ended.after.state is RequestState.UNMATCHED
        expected = (GroupCount(ended.groups[0].day, GROUP, unmatched=True),) if counted else ()
        assert ended.groups == expected
