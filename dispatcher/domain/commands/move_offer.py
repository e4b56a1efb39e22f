"""offered → offered: an offer that nobody has answered is withdrawn, the request put to another vendor.

One commit does both. The vendor that had it has declined nothing: it may be asked again.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import OfferState, RequestState
from contracts.instants import MINUTE_MS
from contracts.requests import Request
from contracts.tuning import Number, Parameter
from contracts.tuning_sets import Follows, Slider
from dispatcher.domain.commands.make_offer import offered, own_mode, refusal
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.links import in_sequence
from dispatcher.domain.messages import changed, closed, made, matched
from dispatcher.domain.offers import WITHDRAWN, OfferRecord, close
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.sequence import refuse_out_of_sequence

FREEZE = Parameter(
    name="move_freeze_minutes",
    default=90,
    minimum=0,
    maximum=10_080,
    unit="minutes",
    summary="An offer whose start is nearer than this stays where it is.",
    scope="domain.move_offer",
)
SETTLE = Parameter(
    name="move_settle_s",
    default=60,
    minimum=0,
    maximum=86_400,
    unit="seconds",
    summary="An offer made less than this ago stays where it is: its vendor is about to answer.",
    scope="domain.move_offer",
)
LIMIT = Parameter(
    name="move_limit",
    default=3,
    minimum=0,
    maximum=20,
    unit="moves",
    summary="How often a request's unanswered offer may be moved to another vendor. 0: offers never move.",
    scope="domain.move_offer",
)
PARAMETERS = (FREEZE, SETTLE, LIMIT)
SLIDERS = (
    Slider(
        name="steady_moving",
        low="offers stay",
        high="offers move for a better plan",
        summary="How readily an unanswered offer is taken back so that more work has a vendor.",
        follows=(
            Follows(parameter="move_limit", low=0, high=10, even=True),
            Follows(parameter="move_settle_s", low=600, high=5),
            Follows(parameter="move_freeze_minutes", low=360, high=30),
        ),
    ),
)
ANSWER_MS = 10_000  # an offer that expires sooner may be answered while its move is on the way


class MoveOffer(OnOffer, frozen=True, kw_only=True):
    """Withdraw the offer and put a checked match of its request to a vendor instead."""

    request: Request
    proposal: Proposal


def movable_offer(record: RequestRecord, now_ms: int, values: Mapping[str, Number]) -> OfferRecord | None:
    """The offer that a plan may move; None where it must stay.

    It is the only one that is out, and explicit: silence may accept any other. Nobody chose it by hand, and
    its vendor waits for no answer to a counter-offer; it is of no broadcast, and no link of a chain. It is
    neither about to begin nor fresh nor about to expire, and the request may still be moved. What stands in a
    sequence, or beside other rides of its patient, stays: others were planned by it.
    """
    live = record.live_offers
    if (
        len(live) != 1
        or not live[0].unanswered
        or live[0].assumed
        or live[0].chosen_by
        or live[0].wants
        or record.chain
        or live[0].is_countered
        or in_sequence(record)
        or record.apart
    ):
        return None
    offer, moves = live[0], sum(each.withdrawn for each in record.offers)
    frozen = offer.start_ms - now_ms < FREEZE.whole(values) * MINUTE_MS
    fresh = now_ms - offer.made_ms < SETTLE.whole(values) * 1000
    ending = min(offer.expires_ms, record.match_by_ms) - now_ms < ANSWER_MS
    return None if frozen or fresh or ending or moves >= LIMIT.whole(values) else offer


@decides(MoveOffer, REQUEST)
def move_offer(record: RequestRecord, command: MoveOffer, context: Context) -> Decision:
    """Give the old capacity back, book the new, and tell both vendors.

    The request's attempts are as many as before: `max_attempts` counts no offer that was withdrawn.
    Raises NotFound for an unknown offer, WrongState when it must stay (answered, expired, frozen …) or the
    new vendor may not be asked: the plan was made before that was known.
    """
    old = record.offer_named(command.offer_id)
    _refuse_stale_plan(record, old, command, context)
    refuse_out_of_sequence(record, command.proposal.span, context)
    over = close(old, OfferState.CANCELLED, context.now_ms, WITHDRAWN)
    new = offered(record, command.proposal, context, own_mode(record, command.request, context))
    offers = (*record.offers_with(over), new)
    after = moved(record, RequestState.OFFERED, context, WITHDRAWN, offers=offers)
    told = (closed(after, over), made(after, new, command.request), matched(after, new))
    return Decision(
        changes=(Change(record, after),),
        unbook=old.bookings,
        book=new.bookings,
        messages=(*told, changed(after, context.by, WITHDRAWN)),
        preconditions=command.proposal.preconditions,
        at_ms=context.now_ms,
    )


def _refuse_stale_plan(record: RequestRecord, old: OfferRecord, command: MoveOffer, context: Context) -> None:
    reason = refusal(record, command.request, command.proposal, context)
    if movable_offer(record, context.now_ms, context.values) is not old:
        reason = f"it is {old.state}" if not old.unanswered else "it must stay where it is"
    if reason:
        raise WrongState(f"offer {command.offer_id} cannot be moved: {reason}", state=record.state.value)
