"""Counter-offers: a vendor would do the work otherwise; a person takes that, or does not."""

from __future__ import annotations

from functools import partial

from contracts.base import OfferId
from contracts.counters import AnswerCounter, Counter
from contracts.offers import Offer
from contracts.operations import Answer, Body
from contracts.request_views import RequestView
from dispatcher.domain.commands.answer_counter import RefuseCounter, TakeCounter
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.views import request_view
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.offers import OFFER, with_offer
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, Routes
from dispatcher.http.versions import etag

ROUTES = Routes("counter-offers", 52, offer_id=OfferId)


@ROUTES.post(
    f"{OFFER}/counter",
    id="counterOffer",
    command=CounterOffer,
    body=Body(Counter),
    answers={200: Answer("the offer: accepted so, or open as it was, with your counter-offer", Offer)},
    problems=("wrong-state", "invalid-request", "does-not-fit"),
)
async def counter(call: Call, parts: Parts) -> Reply:
    """Offer to do it otherwise: another start, price or vehicle; the offer stays good meanwhile."""
    command = CounterOffer.of(call.path["offer_id"], call.body)
    return Reply(await with_offer(call, parts, command, partial(parts.quoter.countered, call.market)))


@ROUTES.post(
    f"{OFFER}/counter/take",
    id="takeCounter",
    command=TakeCounter,
    body=Body(AnswerCounter),
    answers={200: Answer("the request: its vendor has the work so", RequestView, ETAG)},
    problems=("wrong-state", "invalid-request", "does-not-fit", "possible-duplicate"),
)
async def take(call: Call, parts: Parts) -> Reply:
    """Take a counter-offer: the vendor has the work as it would do it, the window widened where need be."""
    command = TakeCounter(offer_id=call.path["offer_id"], number=call.body.number)
    record = await execute(call, parts, command, partial(parts.quoter.counter_taken, call.market))
    return Reply(request_view(record), headers=etag(record.version))


@ROUTES.post(
    f"{OFFER}/counter/refuse",
    id="refuseCounter",
    command=RefuseCounter,
    body=Body(AnswerCounter),
    answers={200: Answer("the request: the offer is open as it was made", RequestView, ETAG)},
    problems=("wrong-state",),
)
async def refuse(call: Call, parts: Parts) -> Reply:
    """Refuse a counter-offer: the offer stays good as it was made, until its time."""
    record = await execute(
        call, parts, RefuseCounter(offer_id=call.path["offer_id"], number=call.body.number)
    )
    return Reply(request_view(record), headers=etag(record.version))
