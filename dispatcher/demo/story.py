"""How the day's episodes went: judged by what was asked and what can be read, by none of the service's rules.

An edge says what goes before what. It is kept when the later work began, by its vendor's own reports, so long
after the earlier one's end (or beginning) as was asked, and the earlier one was done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from math import inf, isinf
from typing import NamedTuple

import msgspec

from contracts.codes import RequestState, TrackingStatus
from contracts.episodes import Edge, SequenceKind
from contracts.request_views import RequestView
from contracts.tasks import TaskView
from simulation.episodes import Episode
from simulation.tally import Tally, percentile

KEPT = frozenset(
    {
        RequestState.ACCEPTED,
        RequestState.IN_PROGRESS,
        RequestState.COMPLETED,
        RequestState.NO_SHOW,
        RequestState.FAILED,
    }
)
Views = Mapping[str, RequestView]
AT_THE_DOOR = (TrackingStatus.AT_PICKUP, TrackingStatus.ON_BOARD)
NEEDS_A_PERSON = frozenset({RequestState.UNMATCHED, RequestState.NO_SHOW, RequestState.FAILED})


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The figures; `None` where there was nothing to judge."""

    episodes: int
    sequence_pairs: int  # of which both were done
    in_sequence: float | None  # share of these that kept their edge
    sequence_broken: int  # pairs of which the later one began and should not have
    released: int  # pairs of which a coordinator said "go anyway"
    put_off: int  # requests that a coordinator asked to be later, for what goes before them
    bundles: int
    bundles_whole: int  # all of it had a vendor, or nothing of it
    will_calls: int  # that were called
    will_call_p90_min: float | None  # until a vendor was on its way; None where too many had none
    duplicates_sent: int
    duplicates_caught: int
    tasks_open: int
    ownerless: int  # requests that need a person, and no task of them is open and owned


class Pair(NamedTuple):
    """An edge of which the later work has begun: whether both are done, and whether it was kept."""

    edge: Edge
    is_done: bool
    is_kept: bool


def told(episodes: Iterable[Episode], views: Views, tasks: Collection[TaskView], tally: Tally) -> Story:
    """The day's story from what can be read at its end."""
    begun = [each for each in episodes if each.id in tally.episodes]
    judged = list(pairs(begun, views, tally.released))
    both = [each for each in judged if each.is_done]
    bundles = [each for each in begun if each.is_bundle]
    calls = list(on_its_way_minutes(begun, views))
    return Story(
        episodes=len(begun),
        sequence_pairs=len(both),
        in_sequence=round(sum(each.is_kept for each in both) / len(both), 4) if both else None,
        sequence_broken=sum(not each.is_kept for each in judged),
        released=len(tally.released),
        put_off=len(tally.put_off),
        bundles=len(bundles),
        bundles_whole=sum(is_whole(each, views) for each in bundles),
        will_calls=len(calls),
        will_call_p90_min=_finite(percentile(calls, 0.9)),
        duplicates_sent=tally.sent_twice,
        duplicates_caught=tally.caught,
        tasks_open=len(tasks),
        ownerless=len(ownerless(views.values(), tasks)),
    )


def pairs(episodes: Iterable[Episode], views: Views, released: Collection[tuple[str, str]]) -> Iterator[Pair]:
    """Every edge whose later work has begun, but for those that a person lifted."""
    for edge in (edge for episode in episodes for edge in episode.edges):
        before, after = views.get(edge.before), views.get(edge.after)
        if before is None or after is None or (edge.before, edge.after) in released:
            continue
        begun = began_at(after)
        if begun is None:
            continue
        is_done = before.state is after.state is RequestState.COMPLETED
        yield Pair(edge, is_done, is_kept(edge, before, begun))


def is_kept(edge: Edge, before: RequestView, begun: datetime) -> bool:
    """Whether work that began then came after the other as was asked; never after what was not done."""
    counts = edge.kind is SequenceKind.START_TO_START
    since = began_at(before) if counts else done_at(before)
    if since is None:
        return False
    lag, most = begun - since, edge.most_lag_minutes
    is_early = lag < timedelta(minutes=edge.least_lag_minutes)
    return not is_early and (most is None or lag <= timedelta(minutes=most))


def began_at(view: RequestView) -> datetime | None:
    """When the crew that had it last came to the door; not reported: at the latest, when it was done."""
    taken = [place for place, step in enumerate(view.history) if step.state is RequestState.ACCEPTED]
    since = view.history[taken[-1] :] if taken else view.history
    at_the_door = [step.at for step in since if step.code in AT_THE_DOOR]
    return at_the_door[0] if at_the_door else done_at(view)


def done_at(view: RequestView) -> datetime | None:
    """When it was completed; None where it was not."""
    return view.history[-1].at if view.state is RequestState.COMPLETED else None


def is_whole(episode: Episode, views: Views) -> bool:
    """Whether all of a bundle had a vendor, or nothing of it."""
    return len({name in views and _had_vendor(views[name]) for name in episode.ids}) == 1


def _had_vendor(view: RequestView) -> bool:
    """To its end; or until a coordinator called it off, for what another part came to."""
    called_off = view.state is RequestState.CANCELLED
    taken = any(step.state is RequestState.ACCEPTED for step in view.history)
    return view.state in KEPT or (called_off and taken)


def on_its_way_minutes(episodes: Iterable[Episode], views: Views) -> Iterator[float]:
    """For each will-call that was called: how long until a vendor comes; for ever if none did."""
    for view in (views.get(name) for episode in episodes for name in episode.ids):
        if view is None or view.activated_at is None:
            continue
        gone = [step.at for step in view.history if step.code == TrackingStatus.EN_ROUTE]
        yield round((gone[-1] - view.activated_at) / timedelta(minutes=1), 1) if gone else inf


def _finite(minutes: float | None) -> float | None:
    return None if minutes is None or isinf(minutes) else minutes


def ownerless(views: Iterable[RequestView], tasks: Collection[TaskView]) -> set[str]:
    """Requests that cannot go on without a person, and are nobody's."""
    owned = {task.request_id for task in tasks if task.owner}
    return {
        view.id for view in views if (view.state in NEEDS_A_PERSON or view.at_risk) and view.id not in owned
    }
