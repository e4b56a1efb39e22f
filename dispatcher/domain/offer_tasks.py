"""Tasks about one offer: a report that is missing, a counter-offer, a disputed line of a price."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.amendments import AmendmentOutcome
from contracts.tasks import TaskKind
from dispatcher.domain.context import Context
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.tasks import TaskRecord, opened


def overdue_reports(of: RequestRecord, context: Context) -> list[TaskRecord]:
    """One for each dispatch whose report is missing now, as new: by the last that there was before it."""
    found = []
    for offer in of.offers:
        if offer.live and offer.overdue:
            code = offer.status.value if offer.status else ""
            since = "_".join(filter(None, (code, number_of(_agreed(of, offer)))))
            about: dict[str, Any] = {"offer_id": offer_id(of, offer), "code": code, "since": since}
            found.append(opened(TaskKind.OVERDUE, of.id, context, **about, priority=of.priority))
    return found


def unanswered_counters(of: RequestRecord, context: Context) -> list[TaskRecord]:
    """One for each counter-offer that nobody has answered; it is due before its offer ends."""
    found = []
    for offer in of.live_offers:
        if offer.is_countered and offer.counter is not None:
            name, number = offer_id(of, offer), number_of(offer.counter.number - 1)
            task = opened(
                TaskKind.COUNTER_OFFER, of.id, context, offer_id=name, since=number, priority=of.priority
            )
            ends_ms = min(offer.expires_ms, of.collect_ms or offer.expires_ms)
            due_ms = max(context.now_ms, min(task.due_ms, ends_ms))
            found.append(replace(task, due_ms=due_ms, timer_ms=due_ms))
    return found


def open_disputes(after: RequestRecord, context: Context) -> list[TaskRecord]:
    """A task for each dispute of a line that ops has not settled."""
    return [
        opened(
            TaskKind.PRICE_DISPUTE,
            after.id,
            context,
            offer_id=offer_id(after, offer),
            code=said.kind.value,
            since=number_of(number),
            priority=after.priority,
        )
        for offer in after.offers
        for number, said in enumerate(offer.disputes, start=1)
        if said.open
    ]


def _agreed(record: RequestRecord, offer: OfferRecord) -> int:
    """How often its vendor agreed to an amendment: each time its reports are waited for anew."""
    outcomes = [each.outcome for each in record.amendments if each.attempt == offer.attempt]
    return outcomes.count(AmendmentOutcome.AGREED)


def number_of(number: int) -> str:
    """What tells a task apart from one of before; "" for 0."""
    return str(number) if number else ""
