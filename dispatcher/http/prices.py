"""Prices: line by line; waiting that is reported, lines that are disputed and settled."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import OfferId
from contracts.operations import Answer, Body
from contracts.patterns import whole
from contracts.prices import DisputeLine, PriceView, ReadyAt, SettleDispute, Waiting
from dispatcher.domain.commands.dispute_line import DisputePrice, SettlePrice
from dispatcher.domain.commands.waiting import ReportReady, ReportWaiting
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.service.prices import READS_PRICE

Number = Annotated[str, Meta(pattern=whole("[1-9][0-9]{0,3}"), description="which dispute, from 1")]
DISPATCH = f"{MARKET}/dispatches/{{offer_id}}"
PRICE = f"{DISPATCH}/price"
ROUTES = Routes("prices", 62, offer_id=OfferId, number=Number)


@ROUTES.get(PRICE, id="getPrice", roles=READS_PRICE, answers={200: Answer("the price", PriceView)})
async def read(call: Call, parts: Parts) -> Reply:
    """Read the price of an offer or dispatch: its lines, rates, waits and disputes."""
    return Reply(await parts.service.prices.view(call.principal, call.market, call.path["offer_id"]))


@ROUTES.post(
    f"{DISPATCH}/waiting",
    id="reportWaiting",
    command=ReportWaiting,
    body=Body(Waiting, optional=True),
    answers={200: Answer("the price as it stands now", PriceView)},
    problems=("wrong-state", "invalid-request"),
)
async def waiting(call: Call, parts: Parts) -> Reply:
    """Report that you wait at the door: since when, and until when if that is over."""
    name = call.path["offer_id"]
    command = ReportWaiting(offer_id=name, since=call.body.since, until=call.body.until)
    return await _executed(call, parts, name, command)


@ROUTES.post(
    f"{DISPATCH}/ready",
    id="reportReady",
    command=ReportReady,
    body=Body(ReadyAt, optional=True),
    answers={200: Answer("the price as it stands now", PriceView)},
    problems=("wrong-state", "invalid-request"),
)
async def ready(call: Call, parts: Parts) -> Reply:
    """Report that the passenger has come: you wait no more."""
    name = call.path["offer_id"]
    return await _executed(call, parts, name, ReportReady(offer_id=name, at=call.body.at))


@ROUTES.post(
    f"{PRICE}/disputes",
    id="disputePrice",
    command=DisputePrice,
    body=Body(DisputeLine),
    answers={200: Answer("the price, with the dispute", PriceView)},
    problems=("wrong-state", "invalid-request"),
)
async def dispute(call: Call, parts: Parts) -> Reply:
    """Dispute a line of a price; ops settles it. The text is encrypted at rest."""
    name = call.path["offer_id"]
    key = call.idempotency(f"dispute/{name}")
    return Reply(
        await parts.service.prices.dispute(call.principal, call.market, name, said=call.body, idempotency=key)
    )


@ROUTES.post(
    f"{PRICE}/disputes/{{number}}/settle",
    id="settlePrice",
    command=SettlePrice,
    body=Body(SettleDispute),
    answers={200: Answer("the price, with the dispute settled", PriceView)},
    problems=("wrong-state", "invalid-request"),
)
async def settle(call: Call, parts: Parts) -> Reply:
    """Settle a dispute: the line costs what you say, or stays as it is; both sides read your reason."""
    name, number = call.path["offer_id"], int(call.path["number"])
    key = call.idempotency(f"settle/{name}/{number}")
    view = await parts.service.prices.settle(
        call.principal, call.market, name, number, said=call.body, idempotency=key
    )
    return Reply(view)


async def _executed(call: Call, parts: Parts, name: str, command: ReportWaiting | ReportReady) -> Reply:
    after = await execute(call, parts, command)
    return Reply(await parts.service.prices.view(call.principal, call.market, name, after))
