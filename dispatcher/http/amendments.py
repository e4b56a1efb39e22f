"""Amendments: what is asked of a request changes; the vendor that has the work agrees, or not."""

from __future__ import annotations

from functools import partial

from contracts.amendments import Amend, AnswerAmendment, ProposedAmendment
from contracts.base import Id, OfferId
from contracts.codes import Role
from contracts.instants import to_instant
from contracts.offers import Offer
from contracts.operations import Answer, Body
from contracts.quotes import QuotedStart
from contracts.request_views import AmendedRequest
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment, RefuseAmendment
from dispatcher.domain.prices import lines_view
from dispatcher.domain.views import request_view
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.offers import OFFER, with_offer
from dispatcher.http.parts import Parts
from dispatcher.http.requests import REQUEST
from dispatcher.http.routing import ETAG, Routes
from dispatcher.http.versions import etag

ROUTES = Routes("amendments", 55, request_id=Id, offer_id=OfferId)


@ROUTES.post(
    f"{REQUEST}/amend",
    id="amendRequest",
    conditional=True,
    command=AmendRequest,
    body=Body(Amend),
    answers={200: Answer("as it stands now; with `requote`: what it would cost", AmendedRequest, ETAG)},
    problems=("wrong-state", "invalid-request", "possible-duplicate"),
)
async def amend(call: Call, parts: Parts) -> Reply:
    """Amend a request: time, places, needs, lines, notes; a vendor that has the work is asked to agree."""
    command = AmendRequest(request_id=call.path["request_id"], patch=call.body)
    prepare = partial(parts.quoter.amended, call.market)
    if call.body.requote:
        return await _quoted(call, parts, command)
    record = await execute(call, parts, command, prepare)
    return Reply(AmendedRequest(request=request_view(record)), headers=etag(record.version))


async def _quoted(call: Call, parts: Parts, command: AmendRequest) -> Reply:
    """What it would cost now: of the vendor that has the work, and of all. Nothing changes."""
    record = await parts.service.requests.record(call.principal, call.market, command.request_id)
    ready = (await parts.quoter.amended(call.market, record, command)).ready
    assert ready is not None  # noqa: S101  (worked out)
    kept = ready.placed
    answer = AmendedRequest(
        request=request_view(record),
        quotes=await parts.quoter.quote(call.market, ready.request),
        kept=QuotedStart(
            start_at=to_instant(kept.start_ms),
            price_cents=kept.price_cents,
            price_lines=lines_view(kept.price_lines),
        )
        if kept
        else None,
    )
    return Reply(answer, headers=etag(record.version))


@ROUTES.get(
    f"{OFFER}/amendment",
    id="getAmendment",
    roles={Role.VENDOR},
    answers={200: Answer("the dispatch as it would be", ProposedAmendment)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the amendment of your dispatch that waits for your answer."""
    return Reply(await parts.service.offers.proposed(call.principal, call.market, call.path["offer_id"]))


@ROUTES.post(
    f"{OFFER}/amendment/agree",
    id="agreeToAmendment",
    command=AgreeToAmendment,
    body=Body(AnswerAmendment),
    answers={200: Answer("your dispatch as it is now; cancelled, if there was no room for it", Offer)},
    problems=("wrong-state",),
)
async def agree(call: Call, parts: Parts) -> Reply:
    """Agree to an amendment: you keep the work, as it is wanted now."""
    command = AgreeToAmendment(offer_id=call.path["offer_id"], number=call.body.number)
    return Reply(await with_offer(call, parts, command))


@ROUTES.post(
    f"{OFFER}/amendment/refuse",
    id="refuseAmendment",
    command=RefuseAmendment,
    body=Body(AnswerAmendment),
    answers={
        200: Answer("your dispatch: cancelled; yours as it was, on board or asked for a start alone", Offer)
    },
    problems=("wrong-state",),
)
async def refuse(call: Call, parts: Parts) -> Reply:
    """Refuse an amendment: another is sought; on board, or asked for `start_at` alone, you keep the work."""
    command = RefuseAmendment(offer_id=call.path["offer_id"], number=call.body.number)
    return Reply(await with_offer(call, parts, command))
