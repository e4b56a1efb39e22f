"""The judge of the demo's story, by itself: what is in sequence, whole, on its way, somebody's."""

import datetime as dt
from math import inf

import msgspec
import pytest

from contracts.codes import RequestState
from contracts.episodes import Edge, SequenceKind
from contracts.request_views import RequestView, Transition
from contracts.tasks import OwnerRole, TaskKind, TaskState, TaskView
from dispatcher.demo.story import on_its_way_minutes, ownerless, pairs, told
from simulation import small
from simulation.episodes import Episode, Plot
from simulation.stories import with_episodes
from simulation.tally import Tally

NINE = dt.datetime(2026, 9, 16, 9, tzinfo=dt.UTC)
R = RequestState
DAY = with_episodes(small.generate(1, trips=40, orders=0), 7, 1)
DISCHARGE = next(each for each in DAY.episodes if each.plot is Plot.DISCHARGE and each.is_bundle)
OXYGEN, BED, RIDE = DISCHARGE.ids


def minute(number: float) -> dt.datetime:
    return NINE + dt.timedelta(minutes=number)


def view(
    name: str, *steps: tuple[float, str], ends: RequestState = R.COMPLETED, **facts: object
) -> RequestView:
    """Reports so many minutes after nine; `completed` and the like end it."""
    history = tuple(
        Transition(state=ends if code == ends else R.IN_PROGRESS, at=minute(at), code=code)
        for at, code in steps
    )
    plain = {"kind": "trip", "owner": "", "version": 1, "received_at": NINE, "match_by": NINE}
    return RequestView(id=name, state=ends, history=history, **plain | facts)


def done(name: str, begun: float, ended: float, **facts: object) -> RequestView:
    return view(name, (begun - 5, "en_route"), (begun, "at_pickup"), (ended, "completed"), **facts)


def judged(*views: RequestView, released=()):
    found = pairs([DISCHARGE], {each.id: each for each in views}, released)
    return {pair.edge.before: pair.is_kept for pair in found}


@pytest.mark.parametrize(("begun", "kept"), [(60, True), (50, True), (49.9, False), (30, False)])
def test_a_pair_is_kept_when_the_later_work_began_so_long_after_the_end_of_the_other(begun, kept):
    assert judged(done(OXYGEN, 0, 40), done(BED, 0, 20), done(RIDE, begun, 90)) == {
        OXYGEN: kept,
        BED: True if begun >= 30 else kept,
    }


def test_what_began_before_the_other_was_done_at_all_is_broken_and_what_never_began_is_not():
    failed = view(OXYGEN, (10, "failed"), ends=R.FAILED)
    assert judged(failed, done(BED, 0, 20), done(RIDE, 60, 90)) == {OXYGEN: False, BED: True}
    assert judged(failed, done(BED, 0, 20), view(RIDE, (60, "cancelled"), ends=R.CANCELLED)) == {}


def test_what_counts_is_when_the_last_crew_came_to_the_door():
    steps = [(10, "at_pickup"), (20, "turned_back"), (48, "at_pickup"), (52, "on_board"), (90, "completed")]
    ride = view(RIDE, *steps)
    assert judged(done(OXYGEN, 0, 40), done(BED, 0, 10), ride) == {OXYGEN: False, BED: False}
    taken = Transition(state=R.ACCEPTED, at=minute(30), code="")
    again = msgspec.structs.replace(ride, history=(*ride.history[:2], taken, *ride.history[2:]))
    assert judged(done(OXYGEN, 0, 40), done(BED, 0, 10), again) == {OXYGEN: False, BED: True}


def test_what_a_person_let_go_is_not_judged():
    failed = view(BED, (10, "failed"), ends=R.FAILED)
    assert judged(done(OXYGEN, 0, 40), failed, done(RIDE, 60, 90), released={(BED, RIDE)}) == {OXYGEN: True}


def test_what_travels_along_counts_from_where_it_began():
    along = Edge(before="tank", after="ride", kind=SequenceKind.START_TO_START, least_lag_minutes=10)

    class Along(Episode):
        edges = (along,)

    told_of = Along("e", Plot.DISCHARGE, 0, ())
    for begun, kept in ((10, True), (9, False)):
        views = {"tank": done("tank", 0, 60), "ride": done("ride", begun, 90)}
        assert [pair.is_kept for pair in pairs([told_of], views, ())] == [kept]


def test_the_story_counts_what_was_done_in_sequence_and_what_is_whole():
    tally = Tally(planned=3, episodes={DISCHARGE.id}, sent_twice=3, caught=2)
    views = [done(OXYGEN, 0, 40), done(BED, 0, 20), done(RIDE, 45, 90)]
    story = told(DAY.episodes, {each.id: each for each in views}, [], tally)
    assert (story.episodes, story.sequence_pairs, story.in_sequence, story.sequence_broken) == (1, 2, 0.5, 1)
    assert (story.bundles, story.bundles_whole) == (1, 1)
    assert (story.duplicates_sent, story.duplicates_caught) == (3, 2)
    views[1] = view(BED, (10, "sequence"), ends=R.UNMATCHED)
    story = told(DAY.episodes, {each.id: each for each in views}, [], tally)
    assert (story.bundles_whole, story.ownerless) == (0, 1)


def test_a_will_call_waits_from_its_call_until_a_vendor_is_on_its_way():
    dialysis = next(each for each in DAY.episodes if each.plot is Plot.DIALYSIS)
    there, back = dialysis.ids
    views = {there: done(there, 0, 30), back: done(back, 240, 260, activated_at=minute(215))}
    assert list(on_its_way_minutes([dialysis], views)) == [20.0]
    views[back] = view(back, (275, "capacity"), ends=R.UNMATCHED, activated_at=minute(215))
    assert list(on_its_way_minutes([dialysis], views)) == [inf]
    story = told(DAY.episodes, views, [], Tally(planned=2, episodes={dialysis.id}))
    assert (story.will_calls, story.will_call_p90_min) == (1, None)


@pytest.mark.parametrize(
    "facts", [{"ends": R.NO_SHOW}, {"ends": R.UNMATCHED}, {"at_risk": "predecessor_late"}]
)
def test_what_needs_a_person_is_nobodys_until_a_task_says_whose_it_is(facts):
    needs = view("ride", (10, "no_show"), **facts)
    task = TaskView(
        id="ride.no_show",
        kind=TaskKind.NO_SHOW,
        request_id="ride",
        state=TaskState.OPEN,
        version=1,
        owner=OwnerRole.CARE_COORDINATOR,
        opened_at=NINE,
        due_at=NINE,
    )
    assert ownerless([needs, done("other", 0, 30)], []) == {"ride"}
    assert ownerless([needs, done("other", 0, 30)], [task]) == set()
