"""Whether episodes and their requests agree, and bundles are whole, as it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.codes import RequestState, Requirement
from dispatcher.domain.bundles import FAILED
from dispatcher.domain.episodes import EPISODE_KIND, Episode
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.store.survey import Survey, of_kind

NOTED = "noted"  # the step of an episode that arranges nothing
Records = Mapping[str, RequestRecord]
Finding = tuple[str, str]
LATER = frozenset({Requirement.ACTIVATION.value, Requirement.PREDECESSOR.value})


def out_of_episode(found: Survey) -> Iterator[Finding]:
    """A request and its episode both say that they belong together, and until when all or none of it goes."""
    episodes = found.of_kind(EPISODE_KIND, Episode)
    requests = found.of_kind(REQUEST_KIND, RequestRecord)
    hidden = found.damaged.get(EPISODE_KIND.name, set())
    for record in requests.values():
        if not record.episode or record.state in TERMINAL or record.episode in hidden:
            continue  # what has ended may have been taken out of it, and says still where it was
        episode = episodes.get(record.episode)
        if episode is None:
            yield record.id, f"belongs to episode {record.episode}, which is not there"
        elif record.id not in episode.requests:
            yield record.id, f"belongs to episode {episode.id}, which does not say so"
        elif record.bundle_until_ms != episode.decide_by_ms:
            yield (
                record.id,
                f"is all or none until {record.bundle_until_ms}, its episode until {episode.decide_by_ms}",
            )
    for episode in episodes.values():
        for record in _members(episode, requests):
            if record.episode != episode.id and record.received_ms <= _arranged_ms(episode):
                yield episode.id, f"names request {record.id}, which does not say so"


def in_halves(found: Survey) -> Iterator[Finding]:
    """Where one of a bundle finally failed while it was one, only those go on whose vendor had begun."""
    requests = found.of_kind(REQUEST_KIND, RequestRecord)
    for episode in of_kind(found, EPISODE_KIND.name, Episode):
        members = [each for each in _members(episode, requests) if each.episode == episode.id]
        failed_ms = min((at_ms for each in members if (at_ms := _failed_ms(each))), default=0)
        if not failed_ms or failed_ms < _arranged_ms(episode):
            continue
        for each in members:
            had_begun = any(0 < offer.arrived_ms <= failed_ms for offer in each.offers)
            if each.state not in TERMINAL and each.bundle_until_ms > failed_ms and not had_begun:
                yield each.id, f"goes on, and its bundle {episode.id} has failed"
    yield from _offered_in_part(found, requests)


def _offered_in_part(found: Survey, requests: Records) -> Iterator[Finding]:
    """What the matcher offered of a bundle first, it offered in the commit that offered all of it."""
    for episode in of_kind(found, EPISODE_KIND.name, Episode):
        members = [each for each in _members(episode, requests) if each.bundle_until_ms]
        first = [each.offers[0] for each in members if each.offers]
        at_ms = min((each.made_ms for each in first if not each.chosen_by), default=0)
        if not _arranged_ms(episode) < at_ms < episode.decide_by_ms:
            continue
        for each in members:
            sought = each.received_ms < at_ms and not _came_later(each, at_ms)
            if not each.offers and sought and each.state is not RequestState.CANCELLED:
                yield each.id, f"was never offered, and others of its bundle {episode.id} were"


def _came_later(record: RequestRecord, at_ms: int) -> bool:
    """Whether it was on hold at that moment for what comes only once others are done (`comes_later`)."""
    before = [step for step in record.history if step.at_ms <= at_ms]
    held = bool(before) and before[-1].state is RequestState.ON_HOLD
    return held and any(step.code in LATER for step in before)


def _members(episode: Episode, requests: Records) -> list[RequestRecord]:
    return [requests[each] for each in episode.requests if each in requests]


def _arranged_ms(episode: Episode) -> int:
    """When what belongs to it, or how, changed last."""
    return max((each.at_ms for each in episode.history if each.what != NOTED), default=episode.opened_ms)


def _failed_ms(record: RequestRecord) -> int:
    """When it finally failed, if it was in a bundle then; else 0."""
    at_ms = record.history[-1].at_ms if record.state in FAILED and record.history else 0
    return at_ms if at_ms < record.bundle_until_ms else 0
