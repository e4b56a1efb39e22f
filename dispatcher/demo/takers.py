"""How the day's offers found their takers: how many it took, how long, and who was too late."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from client.ops import OpsClient
from contracts.codes import OfferState, RequestState
from contracts.counters import CounterState
from contracts.offer_modes import OfferMode
from contracts.request_views import Attempt, RequestView
from contracts.vendors import AssumedAnswer, Vendor
from dispatcher.domain.offers import NO_CAPACITY, TAKEN
from simulation.tally import percentile

LOOK_EVERY_S = 0.2
LOST = frozenset({TAKEN, NO_CAPACITY})


def found_takers(views: Collection[RequestView], answers: Mapping[str, OfferMode]) -> dict[str, Any]:
    """The figures; `None` where no offer was accepted. `answers`: of each vendor, where nothing is said."""
    counters = [each.counter for view in views for each in view.attempts if each.counter is not None]
    first = Counter(_mode(view.attempts[0], answers) for view in views if view.attempts)
    asked = [len(each.attempts) for each in views if each.attempts]
    waited = percentile(sorted(accepted_after_s(views)), 0.5)
    return {
        "offers_per_request": round(sum(asked) / len(asked), 2) if asked else None,
        "acceptance_p50_s": None if waited is None else round(waited, 1),
        "broadcast_races": sum(_was_raced_for(each) for each in views),
        "by_mode": {mode.value: first[mode] for mode in OfferMode},
        "counter_offers": len(counters),
        "counters_taken": sum(each.state is CounterState.TAKEN for each in counters),
    }


def answers_by(vendor: Vendor) -> OfferMode:
    """How it has agreed to answer."""
    return OfferMode.ASSUMED if isinstance(vendor.answer, AssumedAnswer) else OfferMode.EXPLICIT


async def webhooks(ops: OpsClient, within_s: float) -> dict[str, int]:
    """What vendors' servers have taken; what waits is waited for so long, in real time."""
    for _ in range(round(within_s / LOOK_EVERY_S)):
        found = [each async for each in ops.webhooks()]
        if not any(each.waiting for each in found):
            break
        await asyncio.sleep(LOOK_EVERY_S)
    return {
        "webhooks_delivered": sum(each.delivered for each in found),
        "webhooks_failed": sum(each.dead + each.waiting for each in found),
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


def _mode(attempt: Attempt, answers: Mapping[str, OfferMode]) -> OfferMode:
    return attempt.mode or answers.get(attempt.vendor_id, OfferMode.EXPLICIT)


def _of_broadcast(attempt: Attempt) -> bool:
    return attempt.mode is OfferMode.BROADCAST
