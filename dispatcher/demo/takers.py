"""How the day's offers found their takers: how many it took, how long, and who was too late."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from contracts.codes import OfferState, RequestState
from contracts.offer_modes import OfferMode
from contracts.request_views import Attempt, RequestView
from dispatcher.domain.offers import NO_CAPACITY, TAKEN
from simulation.tally import percentile

LOST = frozenset({TAKEN, NO_CAPACITY})


def found_takers(views: Collection[RequestView]) -> dict[str, Any]:
    """The figures; `None` where no offer was accepted."""
    asked = [len(each.attempts) for each in views if each.attempts]
    waited = percentile(sorted(accepted_after_s(views)), 0.5)
    return {
        "offers_per_request": round(sum(asked) / len(asked), 2) if asked else None,
        "acceptance_p50_s": None if waited is None else round(waited, 1),
        "broadcast_races": sum(_was_raced_for(each) for each in views),
        "by_mode": {mode.value: sum(_first_mode(each) is mode for each in views) for mode in OfferMode},
    }


def accepted_after_s(views: Collection[RequestView]) -> Iterator[float]:
    """Clock seconds from a request's first offer to its first acceptance."""
    for each in views:
        offered = next((step.at for step in each.history if step.state is RequestState.OFFERED), None)
        taken = next((step.at for step in each.history if step.state is RequestState.ACCEPTED), None)
        if offered is not None and taken is not None:
            yield (taken - offered).total_seconds()


def one_after_the_other(view: RequestView) -> list[Attempt]:
    """Its attempts without those of a broadcast that came to nothing because another vendor had it."""
    return [each for each in view.attempts if not (_of_broadcast(each) and each.code in LOST)]


def _was_raced_for(view: RequestView) -> bool:
    """Whether several were asked at once, and one of them has it, or had."""
    asked = [each for each in view.attempts if _of_broadcast(each)]
    lost = any(each.state is OfferState.CANCELLED and each.code == TAKEN for each in asked)
    return lost and len(asked) > 1


def _first_mode(view: RequestView) -> OfferMode | None:
    return view.attempts[0].mode if view.attempts else None


def _of_broadcast(attempt: Attempt) -> bool:
    return attempt.mode is OfferMode.BROADCAST
