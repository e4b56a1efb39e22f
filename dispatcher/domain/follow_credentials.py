"""What follows for a vendor's credentials from work that it takes on, or agrees to do later: who sees to it.

In the commit that agrees to it, as far as its papers are known to run out (`jobs.credentials` looks at them);
that job ends the task, too.
"""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.domain.commands.credentials import about_beyond
from dispatcher.domain.context import Context
from dispatcher.domain.credentials import CREDENTIAL_KIND, Beyond, CredentialWatch, beyond, near_end
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord


def with_beyond(decision: Decision, context: Context) -> Decision:
    """With a task for each dispatch that is agreed to now and begins when a paper it requires is over."""
    for change in decision.changes:
        if isinstance(change.after, RequestRecord):
            before = change.before if isinstance(change.before, RequestRecord) else None
            for offer in change.after.live_offers:
                if _is_new(before, offer):
                    decision = _with_beyond(decision, change.after, offer.vendor_id, context)
    return decision


def _is_new(before: RequestRecord | None, offer: OfferRecord) -> bool:
    if offer.unanswered or offer.status is not None:
        return False
    was = next((each for each in before.offers if each.attempt == offer.attempt), None) if before else None
    return was is None or (was.state, was.start_ms, was.level) != (offer.state, offer.start_ms, offer.level)


def _with_beyond(decision: Decision, after: RequestRecord, vendor_id: str, context: Context) -> Decision:
    stored, watch = _watch(decision, vendor_id, context)
    if stored is None or watch is None:
        return decision
    due = near_end(watch.papers, context)
    fresh = [
        each for each in beyond(vendor_id, [after], due, context.tz) if each.offer_id not in watch.beyond
    ]
    for each in fresh:
        decision = _with_task(decision, vendor_id, each, context)
    if not fresh:
        return decision
    names = sorted({*watch.beyond, *(each.offer_id for each in fresh)})
    noted = replace(watch, version=stored.version + 1, beyond=tuple(names))
    others = [each for each in decision.changes if each.after is not watch or watch is stored]
    return replace(decision, changes=(*others, Change(stored, noted)))


def _with_task(decision: Decision, vendor_id: str, each: Beyond, context: Context) -> Decision:
    steps = about_beyond(vendor_id, each, context.related, context)
    return replace(
        decision,
        changes=(*decision.changes, *(change for change, _ in steps)),
        messages=(*decision.messages, *(message for _, message in steps)),
    )


def _watch(
    decision: Decision, vendor_id: str, context: Context
) -> tuple[CredentialWatch | None, CredentialWatch | None]:
    """As it is stored, and with what this decision has changed of it already."""
    for each in decision.changes:
        before, after = each.before, each.after
        if isinstance(before, CredentialWatch) and before.id == vendor_id:
            return before, after if isinstance(after, CredentialWatch) else None
    found = context.related.get(CREDENTIAL_KIND.named_beside(vendor_id))
    watch = found if isinstance(found, CredentialWatch) else None
    return watch, watch
