"""offered → matching: a vendor does not take the work and is not asked again, unless it changes."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import DeclineCode, OfferState, RequestState, Role
from contracts.instants import to_instant
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.domain.commands.make_offer import USED_UP, exhausted
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, closed
from dispatcher.domain.offers import OfferRecord, close
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.scorecards import Outcome, outcome_of

DECLINED = "declined"  # the rule that says so, `solvers.rules.declined`
OUTCOMES = {
    OfferState.REJECTED: Outcome.DECLINED,
    OfferState.EXPIRED: Outcome.EXPIRED,
    OfferState.TURNED_BACK: Outcome.TURNED_BACK,
}


class DeclineOffer(OnOffer, frozen=True, kw_only=True):
    """The vendor does not take the work."""

    code: DeclineCode


@decides(DeclineOffer, REQUEST, roles={Role.VENDOR})
def decline(record: RequestRecord, command: DeclineOffer, context: Context) -> Decision | None:
    """Give the capacity back and look on; None when its vendor had declined it before.

    Raises NotFound unless the offer is that vendor's, WrongState when it is no longer open.
    """
    offer = record.offer_named(command.offer_id, context.vendor_id)
    if offer.state is OfferState.REJECTED:
        return None
    if not offer.unanswered:
        advice = "turn the dispatch back" if offer.state is OfferState.ACCEPTED else "nothing is left to do"
        raise WrongState(
            f"offer {command.offer_id} is {offer.state}; it cannot be declined\nMaybe {advice}.",
            state=offer.state.value,
        )
    _refuse_silence(record, offer, command, context)
    return given_back(record, offer, OfferState.REJECTED, context, command.code.value)


def _refuse_silence(
    record: RequestRecord, offer: OfferRecord, command: DeclineOffer, context: Context
) -> None:
    """Its vendor's silence has accepted, or another's has."""
    first = record.accepted_by_silence(context.now_ms)
    if first is None:
        return
    if first.attempt != offer.attempt:
        raise WrongState(
            f"offer {command.offer_id} was taken by another vendor; nothing is left to decline",
            state=OfferState.CANCELLED.value,
        )
    raise WrongState(
        f"offer {command.offer_id} was yours by silence at {to_instant(offer.expires_ms).isoformat()}\n"
        "Maybe turn the dispatch back.",
        state=OfferState.ACCEPTED.value,
    )


def given_back(
    record: RequestRecord, offer: OfferRecord, state: OfferState, context: Context, code: str
) -> Decision:
    """The offer closed as `state`, its capacity free; the request open again unless others are still asked.

    The search goes on to the deadline; to the end of the window when a dispatch came back after the deadline.
    Once all offers are used up nobody is left to ask: that is known here, the matcher will not look again.
    """
    over = close(offer, state, context.now_ms, code)
    asked = [each for each in record.live_offers if each.attempt != offer.attempt]
    match_by_ms = record.match_by_ms
    if state is OfferState.TURNED_BACK and match_by_ms <= context.now_ms:
        match_by_ms = max(match_by_ms, record.latest_ms)
    offers = record.offers_with(over)
    following = record.state if asked else RequestState.MATCHING
    after = moved(
        record,
        following,
        context,
        code,
        match_by_ms=match_by_ms,
        offers=offers,
        unmatched=known_already(replace(record, state=following, offers=offers), context),
    )
    return Decision(
        changes=(Change(record, after),),
        unbook=offer.bookings,
        messages=(closed(after, over), changed(after, context.by, code)),
        outcomes=(outcome_of(offer, context.now_ms, OUTCOMES[state], code),),
        at_ms=context.now_ms,
    )


def only_asked(record: RequestRecord, last_rule: str, context: Context) -> Unmatched:
    """Reasons that follow from the offers alone, where no matcher has counted."""
    number = len(record.asked)
    return Unmatched(
        vendors=number,
        removed=(RuleCount(rule=DECLINED, vendors=number),) if number else (),
        last_rule=last_rule,
        asked=record.asked,
        explained_at=to_instant(context.now_ms),
    )


def known_already(record: RequestRecord, context: Context) -> Unmatched | None:
    """Why there is no vendor, if its own offers say so; what was known, where the matcher will say."""
    if record.state is not RequestState.MATCHING or not exhausted(record, context.values):
        return record.unmatched
    return replace(only_asked(record, USED_UP, context), nobody_left=True)
