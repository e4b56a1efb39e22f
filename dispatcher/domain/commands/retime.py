"""accepted: what goes before it moved, and its vendor is asked for a start that is in sequence again."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.amendments import AmendmentOutcome
from contracts.requests import Request
from dispatcher.domain.amendments import START, Amendment, Facts, Placed
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.links import bounds
from dispatcher.domain.messages import answered, changed, proposed
from dispatcher.domain.offers import AMENDMENT, OfferRecord
from dispatcher.domain.requests import RequestRecord, moved, noted
from dispatcher.domain.retiming import mark_of

O = AmendmentOutcome  # noqa: E741
BY = "service"


class RetimeDispatch(OnRequest, frozen=True, kw_only=True):
    """Ask for `placed`, of `request` as it stands, until `expires_ms`; None: no start of it would do."""

    placed: Placed | None = None
    request: Request | None = None
    expires_ms: int = 0
    rules: tuple[str, ...] = ()  # which its vendor would break at any start


@decides(RetimeDispatch, REQUEST)
def retime(record: RequestRecord, command: RetimeDispatch, context: Context) -> Decision | None:
    """Ask, or keep that nothing fits, once for this bound; None where what stands now is another question."""
    context = replace(context, by=BY, subject="")
    within, dispatch, asked = bounds(record, context.related, context.values), record.dispatch, record.pending
    if not record.retime_ms or dispatch is None:
        return None
    if within is None or (asked is not None and not asked.retimes):
        return Decision(changes=(Change(record, noted(record, context, retime_ms=0)),), at_ms=context.now_ms)
    placed, request = command.placed, command.request
    if placed is not None and not within.hold(placed.start_ms):
        return None  # it moved on while that was worked out: worked out anew
    amendments = record.amendments
    if asked is not None:
        amendments = (*amendments[:-1], asked.settled(O.REPLACED, context.now_ms, made=False))
    entry = _entry(record, dispatch, command, context)
    facts: dict[str, Any] = {
        "amendments": (*amendments, entry),
        "retime_ms": 0,
        "retimed_ms": mark_of(within),
    }
    if placed is None or request is None:
        after = noted(record, context, **facts)
        return Decision(
            changes=(Change(record, after),), messages=(answered(after, entry),), at_ms=context.now_ms
        )
    code = f"{AMENDMENT}proposed"
    after = moved(record, record.state, context, code, **facts)
    told = (proposed(after, dispatch, entry, request), changed(after, context.by, code))
    return Decision(changes=(Change(record, after),), messages=told, at_ms=context.now_ms)


def _entry(
    record: RequestRecord, dispatch: OfferRecord, command: RetimeDispatch, context: Context
) -> Amendment:
    entry = Amendment(
        at_ms=context.now_ms,
        by=context.by,
        subject="",
        fields=(START,),
        outcome=O.PENDING,
        attempt=dispatch.attempt,
        expires_ms=command.expires_ms,
        facts=Facts(
            record.earliest_ms, record.latest_ms, record.match_by_ms, record.service_class, record.priority
        ),
        placed=command.placed,
        rules=command.rules,
    )
    return entry if command.placed is not None else entry.settled(O.UNFIT, context.now_ms, made=False)
