"""offered → matching: a vendor does not take the work and is not asked again, unless it changes.

Of a cascade the next of its chain is asked in the same commit: offered → offered.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from contracts.codes import DeclineCode, OfferState, RequestState, Role
from contracts.instants import to_instant
from contracts.offer_modes import OfferMode
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.domain.broadcast import all_said
from dispatcher.domain.chain import Following, next_link
from dispatcher.domain.commands.make_offer import USED_UP, exhausted
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, closed, made, matched
from dispatcher.domain.offering import offer_of
from dispatcher.domain.offers import OfferRecord, close
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.scorecards import Outcome, WorkOutcome, outcome_of

DECLINED = "declined"  # the rule that says so, `solvers.rules.declined`
OUTCOMES = {
    OfferState.REJECTED: Outcome.DECLINED,
    OfferState.EXPIRED: Outcome.EXPIRED,
    OfferState.TURNED_BACK: Outcome.TURNED_BACK,
}


class Ended(NamedTuple):
    """An offer before and after its end, and the record with that."""

    offer: OfferRecord
    over: OfferRecord
    left: RequestRecord


class DeclineOffer(OnOffer, frozen=True, kw_only=True):
    """The vendor does not take the work. `passed_over`: see `Context`."""

    code: DeclineCode
    passed_over: int = 0

    @property
    def if_full(self) -> Command:
        """Who is asked next has no room by now, or has changed: the one after it."""
        return replace(self, passed_over=self.passed_over + 1)


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
            f"offer {command.offer_id} is {offer.told_state}; it cannot be declined\nMaybe {advice}.",
            state=offer.state.value,
        )
    _refuse_silence(record, offer, command, context)
    context = replace(context, passed_over=command.passed_over)
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
    """The offer closed as `state`, its capacity free; the request open again unless others are asked.

    Others: who is asked as well, or the next of its chain. The search goes on to the deadline; to the end of
    the window when a dispatch came back after the deadline. Once all offers are used up nobody is left to
    ask: that is known here, the matcher will not look again.
    """
    over = close(offer, state, context.now_ms, code)
    asked = [each for each in record.live_offers if each.attempt != offer.attempt]
    match_by_ms = record.match_by_ms
    if state is OfferState.TURNED_BACK and match_by_ms <= context.now_ms:
        match_by_ms = max(match_by_ms, record.latest_ms)
    offers = record.offers_with(over)
    if record.chain and not asked:
        left = replace(record, offers=offers)
        following = None if exhausted(left, context.values) else next_link(left, context)
        if following is not None:
            return _next_asked(record, Ended(offer, over, left), following, context)
    following_state = record.state if asked else RequestState.MATCHING
    after = moved(
        record,
        following_state,
        context,
        code,
        match_by_ms=match_by_ms,
        offers=offers,
        collect_ms=context.now_ms if record.collect_ms and all_said(asked) else record.collect_ms,
        unmatched=known_already(replace(record, state=following_state, offers=offers), context),
    )
    return Decision(
        changes=(Change(record, after),),
        unbook=offer.bookings,
        messages=(closed(after, over), changed(after, context.by, code)),
        outcomes=_outcomes(record, offer, state, code, context),
        at_ms=context.now_ms,
    )


def _next_asked(record: RequestRecord, ended: Ended, following: Following, context: Context) -> Decision:
    """The next of its chain is asked with the same step."""
    link, rest, request = following
    new = offer_of(ended.left, link, context, OfferMode.CASCADE)
    offers = (*ended.left.offers, new)
    after = moved(record, RequestState.OFFERED, context, ended.over.code, offers=offers, chain=rest)
    told = (closed(after, ended.over), made(after, new, request), matched(after, new))
    return Decision(
        changes=(Change(record, after),),
        unbook=ended.offer.bookings,
        book=new.bookings,
        messages=(*told, changed(after, context.by, ended.over.code)),
        preconditions=link.preconditions,
        outcomes=_outcomes(record, ended.offer, ended.over.state, ended.over.code, context),
        at_ms=context.now_ms,
    )


def _outcomes(
    record: RequestRecord, offer: OfferRecord, state: OfferState, code: str, context: Context
) -> tuple[WorkOutcome, ...]:
    """For its vendor's scorecard. Who does not answer one of many has refused nobody; nor had it no room."""
    if state not in OUTCOMES or (offer.broadcast and state is OfferState.EXPIRED):
        return ()
    return (outcome_of(record, offer, context, OUTCOMES[state], code=code),)


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
