"""An episode is open as long as something of it goes on, and is forgotten with its requests."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.episodes import Bundle as BundleKind
from contracts.episodes import EpisodeDraft, SequenceKind
from contracts.instants import HOUR_MS, to_instant
from dispatcher.domain.arranging import Wanted, arranged, drafted
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.episode_views import shown
from dispatcher.domain.episodes import ENDED, EPISODE_KIND, OPEN, Episode
from dispatcher.domain.links import EARLY, Link
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.risks import LATE, NO_VENDOR
from tests.domain import make
from tests.domain.world import World


def arranged_with(record: RequestRecord) -> Episode:
    context = make.context()
    draft = drafted(None, "e", EpisodeDraft(requests=(record.id,)), context)
    decision = arranged(None, Wanted(draft), {record.id: record}, context)
    assert decision is not None
    episode: Episode = decision.after
    return episode


def listed(episode: Episode) -> str:
    (entry,) = EPISODE_KIND.lists(episode)
    return entry.list


def test_it_is_open_until_all_has_ended_and_goes_when_its_requests_have_gone() -> None:
    record = make.received()
    episode = arranged_with(record)
    episode = make.after(make.due(episode, tasks=[record]))
    assert listed(episode) == OPEN
    ended = replace(record, state=RequestState.CANCELLED)
    episode = make.after(make.due(episode, tasks=[ended]))
    assert listed(episode) == ENDED
    episode = make.after(make.due(episode, tasks=[ended]))
    assert episode.timer_ms >= HOUR_MS
    gone = make.due(episode)
    assert gone is not None
    assert gone.after is None


def test_one_without_requests_goes_after_its_retention() -> None:
    context = make.context()
    decision = arranged(None, Wanted(drafted(None, "e", EpisodeDraft(), context)), {}, context)
    assert decision is not None
    episode = make.after(make.due(decision.after))
    assert (listed(episode), episode.timer_ms - decision.after.timer_ms) == (ENDED, 72 * HOUR_MS)
    gone = make.due(episode)
    assert gone is not None
    assert gone.after is None


class Bundle(World):
    """Two rides that are worth something only together, until an hour before they start."""

    def __init__(self) -> None:
        super().__init__({})
        context = make.context()
        receipts = [receive(make.trip(name), context) for name in ("a", "b")]
        draft = EpisodeDraft(
            bundle=BundleKind.ALL_OR_NONE, decide_by=to_instant(make.NOW + 3 * HOUR_MS), requests=("a", "b")
        )
        self.episode = drafted(None, "e", draft, context)
        decision = arranged(None, Wanted(self.episode, taken_in=receipts), {}, context)
        assert decision is not None
        self.episode = decision.after
        for each in decision.changes:
            if isinstance(each.after, RequestRecord):
                self.records[each.after.id] = each.after

    def cancel(self, name: str, now_ms: int = make.NOW) -> None:
        """With all that is beside it."""
        self.now_ms, tasks = now_ms, [self.episode, *self.records.values()]
        decision = make.decide(self.records[name], CancelRequest(request_id=name), tasks=tasks, now_ms=now_ms)
        self.commit(decision)


def test_a_bundle_is_given_back_whole_when_a_part_finally_fails() -> None:
    world = Bundle()
    world.commit(make.offering(world.records["b"]))
    world.cancel("a")
    left = world.records["b"]
    assert (left.state, left.live_offers) == (RequestState.UNMATCHED, ())
    assert left.unmatched is not None
    assert (left.unmatched.last_rule, left.unmatched.waits_for) == ("bundle", "a")
    assert list(world.tasks) == ["a.bundle_failed"], "one task, of all of it"
    assert sum(world.ledger.values()) == 0


def test_after_its_time_each_of_a_bundle_is_for_itself() -> None:
    world = Bundle()
    world.cancel("a", make.NOW + 3 * HOUR_MS)
    assert world.records["b"].state is RequestState.RECEIVED


def test_of_several_before_a_request_the_one_that_it_is_at_risk_of_is_shown() -> None:
    bed = replace(make.accepted(), id="bed")
    oxygen = replace(make.received(), id="oxygen")
    links = (Link("bed", SequenceKind.START_TO_START), Link("oxygen"))
    ride = replace(make.accepted(), id="ride", after=links, risk=NO_VENDOR)
    known = {each.id: each for each in (bed, oxygen, ride)}
    episode = replace(arranged_with(oxygen), requests=("bed", "oxygen", "ride"))

    def stands() -> list[str]:
        view = shown(episode, known, {}, (), (), barriers={})
        return [each.stands for each in view.sequence]

    assert stands() == ["waiting", NO_VENDOR]
    late = replace(bed, offers=(replace(bed.offers[0], start_ms=ride.offers[0].start_ms + HOUR_MS),))
    known |= {"bed": late, "ride": replace(ride, risk=LATE)}
    assert stands() == [LATE, "waiting"]
    known["ride"] = replace(ride, risk=EARLY)
    assert stands() == [EARLY, EARLY]
