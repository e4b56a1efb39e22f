"""What is read of a stored day's records: links, bundles, calls, and what people did."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.identifiers import Identifier
from contracts.instants import MINUTE_MS
from contracts.requests import TripRequest
from contracts.will_call import WillCall
from dispatcher.domain.commands.release import RELEASED
from dispatcher.domain.links import Link
from dispatcher.domain.requests import RequestRecord, Transition
from dispatcher.domain.will_call import DayKind
from dispatcher.what_if.care import LEAST_STAY_MS, Care, Together, drawn_call, links_of
from dispatcher.what_if.stored_day import came_ms, care_of, is_playable, submissions
from simulation.day import DATE, at
from tests.what_if.days import TZ, ride
from tests.what_if.test_care import after, called

CAME = at(TZ, -180)


def record(request: TripRequest, *history: Transition, **changes: object) -> RequestRecord:
    first, last = (at(TZ, 0), at(TZ, 24 * 60)) if request.on_call else (at(TZ, 600), at(TZ, 630))
    made = RequestRecord(
        id=request.id, version=1, state=RequestState.COMPLETED, kind="trip", received_ms=CAME,
        match_by_ms=last, earliest_ms=first, latest_ms=last, timer_ms=0, return_of=request.return_of or "",
        history=(Transition(RequestState.RECEIVED, CAME), *history),
    )  # fmt: skip
    return replace(made, **changes)


def day_of(
    *both: tuple[RequestRecord, TripRequest],
) -> tuple[dict[str, RequestRecord], dict[str, TripRequest]]:
    return {one.id: one for one, _ in both}, {one.id: body for one, body in both}


def test_links_come_from_the_request_and_its_episode_and_the_later_comes_with_the_earlier() -> None:
    first, second = ride(0, 600), ride(1, 660)
    by_episode = Link(request_id="ride-0", least_ms=20 * MINUTE_MS, done_ms=5)
    records, bodies = day_of(
        (record(first, received_ms=CAME + 5), first), (record(second, after=(by_episode,)), second)
    )
    bodies = {name: replace(each, identifiers=(Identifier(value="ORD-1"),)) for name, each in bodies.items()}
    (made,) = submissions(records, bodies, Care(), CAME)
    assert (made.at_ms, [each.id for each in made.requests]) == (CAME + 5, ["ride-0", "ride-1"])
    assert not any(each.identifiers for each in made.requests), "they are for nobody who only plays"
    (link,) = links_of(made.requests[1])
    assert (link.request, link.least_lag_minutes) == ("ride-0", 20)


def test_what_was_let_go_and_asked_the_other_way_round_is_no_circle() -> None:
    first = after(ride(0, 600), ride(1, 600))  # let go; then the other after it
    records, bodies = day_of(
        (record(first), first), (record(ride(1, 600), after=(Link(request_id="ride-0"),)), ride(1, 600))
    )
    (made,) = submissions(records, bodies, Care(), CAME)
    assert [(each.id, [link.request for link in each.after]) for each in made.requests] == [
        ("ride-0", []),
        ("ride-1", ["ride-0"]),
    ]


def test_go_anyway_calling_off_calls_and_bundles_are_read_as_they_were() -> None:
    late = Transition(RequestState.RECEIVED, 77, "ops", RELEASED)
    off = Transition(RequestState.CANCELLED, 88, "platform")
    only = Transition(RequestState.CANCELLED, 99, "service", "outbound_no_show")
    one, two, back, gone = (
        ride(0, 600),
        after(ride(1, 660), ride(0, 600)),
        called(ride(0, 600), 2),
        ride(3, 600),
    )
    other_back = called(ride(4, 600), 5)
    ready = at(TZ, 900)
    records, bodies = day_of(
        (record(one, episode="e", bundle_until_ms=CAME + 9), one),
        (record(two, late, episode="e", bundle_until_ms=CAME + 9), two),
        (record(back, activated_ms=ready - 5, earliest_ms=ready), back),
        (record(gone, off, state=RequestState.CANCELLED), gone),
        (record(ride(4, 600), state=RequestState.NO_SHOW), ride(4, 600)),
        (record(other_back, only, state=RequestState.CANCELLED), other_back),
    )
    calls = Counter({(DayKind.of(DATE), 15): 3})
    found = care_of(records, bodies, calls, TZ, seed=1)
    assert found.bundles == (Together("e", ("ride-0", "ride-1"), CAME + 9),)
    assert found.released == {("ride-1", "ride-0"): 77}
    assert found.called_off == {"ride-3": 88}, "what followed from a ride that was not made does so again"
    assert found.calls["ride-2"] == (ready - 5, ready)
    drawn = found.calls["ride-5"]
    assert at(TZ, 15 * 60) <= drawn.ready_ms < at(TZ, 16 * 60), "as calls fell before"
    assert found == care_of(records, bodies, calls, TZ, seed=1)
    assert all(is_playable(each) for each in records.values())


HELD, LIFTED = RequestState.ON_HOLD, RequestState.RECEIVED


@pytest.mark.parametrize(
    ("steps", "came"),
    [
        ([(HELD, 0, "authorization"), (LIFTED, 7, "authorization")], 7),
        ([(HELD, 0, "authorization_used_up"), (LIFTED, 9, "")], 9),
        ([(HELD, 0, "authorization"), (HELD, 0, "predecessor"), (HELD, 5, "authorization_lifted")], 5),
        ([(HELD, 0, "authorization"), (HELD, 2, "predecessor"), (HELD, 4, "authorization_lifted")], 4),
        ([(HELD, 0, "predecessor"), (LIFTED, 5, "predecessor")], 0),
        ([(HELD, 6, "authorization_revoked"), (LIFTED, 8, "authorization")], 0),
        ([(HELD, 0, "authorization"), (RequestState.CANCELLED, 9, "")], None),
    ],
)
def test_who_waited_for_an_authorization_comes_once_that_had_come(
    steps: list[tuple[RequestState, int, str]], came: int | None
) -> None:
    history = [Transition(state, CAME + after_ms, "ops", code) for state, after_ms, code in steps]
    one = record(ride(0, 600), *history)
    assert came_ms(one) == (None if came is None else CAME + came)
    assert is_playable(one) is (came is not None)
    if came is not None:
        (made,) = submissions(*day_of((one, ride(0, 600))), Care(), CAME)
        assert made.at_ms == CAME + came


def test_a_call_that_is_drawn_is_after_its_ride_there_and_none_where_nobody_ever_called() -> None:
    back = called(ride(0, 600), 1)
    always = Counter({(kind, hour): 1 for kind in DayKind for hour in range(24)})
    drawn = [drawn_call(back, always, at(TZ, 700), TZ, seed) for seed in range(20)]
    assert all(each is not None and each.ready_ms >= at(TZ, 700) for each in drawn)
    assert len({each.ready_ms for each in drawn if each is not None}) > 5
    assert drawn_call(back, Counter(), at(TZ, 700), TZ, 1) is None
    over = replace(back, will_call=WillCall(day=DATE))
    assert drawn_call(over, always, at(TZ, 24 * 60) + LEAST_STAY_MS, TZ, 1) is None
