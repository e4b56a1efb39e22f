"""An episode is open as long as something of it goes on, and is forgotten with its requests."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.episodes import EpisodeDraft
from contracts.instants import HOUR_MS
from dispatcher.domain.arranging import Wanted, arranged, drafted
from dispatcher.domain.episodes import ENDED, EPISODE_KIND, OPEN, Episode
from dispatcher.domain.requests import RequestRecord
from tests.domain import make


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
