"""What stands in sequence, in a bundle, or waits for a call is played so: outcomes known by construction."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as written

from contracts.codes import RequestState, ServiceClass
from contracts.episodes import After
from contracts.instants import MINUTE_MS
from contracts.pools import Pool, Pools
from contracts.requests import TripRequest
from contracts.what_if import WhatIfAnswer, WhatIfChange
from contracts.will_call import WillCall
from dispatcher.what_if.answers import AsRecorded, Rates
from dispatcher.what_if.care import Call, Care, Together
from dispatcher.what_if.days import DayAsked, compare_day, play_side
from simulation.day import DATE, Day, at
from tests.what_if.days import FAR, RELIABLE, TZ, day, figure, ride, vendor

NEAR, WIDE = vendor("near", 3_000), vendor("wide", 4_000, radius_m=300_000)
LATE = Rates(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 40.0)


def asked(played: Day, care: Care, rates: Rates = RELIABLE, /, **change: object) -> DayAsked:
    """A day with what it had beside its requests, and what is tried on it."""
    return DayAsked(played, WhatIfChange(**change), AsRecorded(1, {}, rates), steps=20_000, care=care)  # type: ignore[arg-type]


def compared(played: Day, care: Care, rates: Rates = RELIABLE, /, **change: object) -> WhatIfAnswer:
    """What a change does to it."""
    return compare_day(asked(played, care, rates, **change))


def after(request: TripRequest, before: TripRequest, least_minutes: int = 0) -> TripRequest:
    """The same, after the other."""
    return written(request, after=(After(request=before.id, least_lag_minutes=least_minutes),))


def lost(answer: WhatIfAnswer) -> set[str]:
    return {each.request_id for each in answer.rows if each.kind == "lost"}


def test_what_goes_after_a_ride_that_nobody_takes_any_more_is_lost_with_it() -> None:
    first = ride(0, 600, FAR)
    rides = [first, after(ride(1, 720), first), ride(2, 720)]
    answer = compared(day([NEAR, WIDE], rides), Care(), pause=("wide",))
    assert lost(answer) == {"ride-0", "ride-1"}, "the third stands by itself"
    assert figure(answer, "in_sequence") == (100, 100, "no difference")
    alone = compared(day([NEAR, WIDE], [first, ride(1, 720), ride(2, 720)]), Care(), pause=("wide",))
    assert lost(alone) == {"ride-0"}
    assert "in_sequence" not in {each.name for each in alone.figures}, "of nothing nothing is told"


def test_a_gap_is_kept_and_without_its_rule_it_is_broken() -> None:
    first, next_ = ride(0, 600), after(ride(1, 615), ride(0, 600), least_minutes=20)
    played = play_side(asked(day([NEAR], [first, next_]), Care()), 0).requests
    one, two = (played[each].dispatch for each in ("ride-0", "ride-1"))
    assert one is not None
    assert two is not None
    assert two.start_ms - one.end_ms >= 20 * MINUTE_MS
    late = play_side(asked(day([NEAR], [first, next_]), Care(), LATE), 0).requests
    begun = [each.dispatch.arrived_ms for each in late.values() if each.dispatch is not None]
    done = late["ride-0"].history[-1].at_ms
    assert begun[1] - done >= 20 * MINUTE_MS, "its crew waits for what goes before it, however late that is"


def test_of_a_bundle_all_is_lost_with_one_and_all_is_given_back() -> None:
    rides = [ride(0, 600), ride(1, 660, FAR), ride(2, 720)]
    together = Care(bundles=(Together("e", ("ride-0", "ride-1"), at(TZ, 590)),))
    answer = compared(day([NEAR, WIDE], rides), together, pause=("wide",))
    assert lost(answer) == {"ride-0", "ride-1"}
    assert lost(compared(day([NEAR, WIDE], rides), Care(), pause=("wide",))) == {"ride-1"}


def called(there: TripRequest, number: int) -> TripRequest:
    """The way back of it, as a will-call."""
    return written(
        there.with_doors(there.dropoff.position, there.pickup.position),
        id=f"ride-{number}", pickup_window=None, will_call=WillCall(day=DATE), return_of=there.id,
    )  # fmt: skip


def not_between(played: Day, name: str, first: int, last: int) -> Day:
    """Of one vendor nobody is there in those hours."""
    units = tuple(0 if first <= hour < last else 10 for hour in range(24))
    pools = Pools(pools=(Pool(id="cars", serves=(ServiceClass.AMBULATORY,), units=units),))
    return replace(played, capacity={**played.capacity, (name, DATE): pools})


def test_a_way_back_comes_when_it_is_called_and_later_where_only_others_are_there_by_then() -> None:
    there, half_past_three = ride(0, 600), at(TZ, 15 * 60 + 30)
    care = Care(calls={"ride-1": Call(half_past_three, half_past_three)})
    answer = compared(
        not_between(day([NEAR, WIDE], [there, called(there, 1)]), "wide", 12, 16), care, pause=("near",)
    )
    today, without, verdict = figure(answer, "will_call_p90")
    assert (today < 15, without >= 30, verdict) == (True, True, "more")
    assert figure(answer, "matched")[:2] == (2, 2)


def test_nobody_calls_before_the_way_there_is_over_nor_where_there_was_none() -> None:
    there = ride(0, 600)
    minute = at(TZ, 610)
    care = Care(calls={"ride-1": Call(minute, minute)})
    played = play_side(asked(day([NEAR], [there, called(there, 1)]), care, LATE), 0).requests
    there_done = played["ride-0"].history[-1].at_ms
    assert played["ride-1"].activated_ms >= there_done
    assert played["ride-1"].state is RequestState.COMPLETED
    nobody = play_side(asked(day([NEAR], [ride(0, 600, FAR), called(ride(0, 600, FAR), 1)]), care), 0)
    assert not nobody.requests["ride-1"].activated_ms


def test_where_a_person_said_go_anyway_it_goes_from_then_on() -> None:
    first = ride(0, 600, FAR)
    played = day([NEAR], [first, after(ride(1, 720), first)])
    let_go = Care(released={("ride-1", "ride-0"): at(TZ, 640)})
    assert [play_side(asked(played, each), 0).requests["ride-1"].state for each in (Care(), let_go)] == [
        RequestState.UNMATCHED,
        RequestState.COMPLETED,
    ]


def test_two_rides_of_one_patient_are_not_at_once() -> None:
    rides = [ride(0, 600), ride(1, 600)]
    apart = Care(apart={"ride-0": ("ride-1",), "ride-1": ("ride-0",)})
    taken = [play_side(asked(day([NEAR], rides), each), 0).requests.values() for each in (Care(), apart)]
    spans = [sorted((e.dispatch.start_ms, e.dispatch.end_ms) for e in side if e.dispatch) for side in taken]
    assert spans[0][1][0] < spans[0][0][1], "two patients' rides may be"
    assert len(spans[1]) < 2 or spans[1][1][0] >= spans[1][0][1]


def test_the_same_day_is_played_the_same_again_and_a_change_that_nobody_meets_is_no_difference() -> None:
    first = ride(0, 600)
    rides = [first, after(ride(1, 660), first, 10), called(first, 2), ride(3, 700)]
    minute = at(TZ, 840)
    care = Care(
        bundles=(Together("e", ("ride-0", "ride-1"), at(TZ, 500)),), calls={"ride-2": Call(minute, minute)}
    )
    answer = compared(day([NEAR, WIDE], rides), care, LATE, values={"unmatched_stat_cents": 999_999})
    assert (answer.changed, answer.verdict[:13]) == (0, "no difference")
    assert figure(answer, "matched")[0] == 4
