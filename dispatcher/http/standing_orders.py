"""Standing orders: put, listed, read; paused, resumed, ended; one occurrence skipped or shifted."""

from __future__ import annotations

from typing import Any

from contracts.operations import Answer, Body
from contracts.problems import InvalidMessage
from contracts.standing_orders import (
    OrderId,
    Shift,
    SkipOccurrence,
    StandingOrder,
    StandingOrderPage,
    StandingOrderQuery,
    StandingOrderView,
)
from dispatcher.domain.commands.standing_orders import (
    ROLES,
    EndStandingOrder,
    OnStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
    ShiftStandingOrder,
    SkipStandingOrder,
)
from dispatcher.domain.rights import READERS
from dispatcher.domain.standing_orders import StandingOrderRecord
from dispatcher.http import versions
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes

ORDERS = f"{MARKET}/standing-orders"
ORDER = f"{ORDERS}/{{order_id}}"
ROUTES = Routes("standing orders", 35, order_id=OrderId)


@ROUTES.put(
    ORDER,
    id="putStandingOrder",
    roles=ROLES,
    body=Body(StandingOrder),
    versioned=True,
    answers={
        200: Answer("the standing order; what is made already stays as it is", StandingOrderView, ETAG),
        201: Answer("it is new", StandingOrderView, ETAG),
    },
    problems=("invalid-request", "wrong-state"),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Put a standing order: the first request and a rule; changed, it counts for what is not made yet."""
    body, order_id = call.body, call.path["order_id"]
    _refuse_other_ids(body, order_id)
    orders, who, market = parts.service.standing_orders, call.principal, call.market

    async def put_over(version: int) -> StandingOrderRecord:
        return await orders.put(who, market, order_id, body, version)

    async def current() -> int:
        return (await orders.get(who, market, order_id)).version

    order, status = await versions.put(call, put_over, current)
    return await _shown(call, parts, order, status)


@ROUTES.get(
    ORDERS,
    id="listStandingOrders",
    roles=READERS,
    query=StandingOrderQuery,
    answers={200: Answer("a page", StandingOrderPage)},
)
async def list_orders(call: Call, parts: Parts) -> Reply:
    """List standing orders by when they were first put; those that have ended only if asked."""
    found, cursor = await parts.service.standing_orders.page(call.principal, call.market, call.query)
    return Reply(StandingOrderPage(standing_orders=tuple(found), cursor=cursor or ""))


@ROUTES.get(
    ORDER,
    id="getStandingOrder",
    roles=READERS,
    answers={200: Answer("the standing order", StandingOrderView, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a standing order: what it asks for, what was made, what is to come; without the patient."""
    order = await parts.service.standing_orders.get(call.principal, call.market, call.path["order_id"])
    return await _shown(call, parts, order)


@ROUTES.post(
    f"{ORDER}/pause",
    id="pauseStandingOrder",
    command=PauseStandingOrder,
    answers={200: Answer("the standing order, paused", StandingOrderView, ETAG)},
    problems=("wrong-state",),
)
async def pause(call: Call, parts: Parts) -> Reply:
    """Pause a standing order: nothing is made until it is resumed."""
    return await _executed(call, parts, PauseStandingOrder(**_on(call, parts)))


@ROUTES.post(
    f"{ORDER}/resume",
    id="resumeStandingOrder",
    command=ResumeStandingOrder,
    answers={200: Answer("the standing order, active", StandingOrderView, ETAG)},
    problems=("wrong-state",),
)
async def resume(call: Call, parts: Parts) -> Reply:
    """Resume a standing order from today."""
    return await _executed(call, parts, ResumeStandingOrder(**_on(call, parts)))


@ROUTES.post(
    f"{ORDER}/end",
    id="endStandingOrder",
    command=EndStandingOrder,
    answers={200: Answer("the standing order, ended", StandingOrderView, ETAG)},
)
async def end(call: Call, parts: Parts) -> Reply:
    """End a standing order: nothing more is made; what is made stays, and is cancelled by itself."""
    return await _executed(call, parts, EndStandingOrder(**_on(call, parts)))


@ROUTES.post(
    f"{ORDER}/skip",
    id="skipOccurrence",
    command=SkipStandingOrder,
    body=Body(SkipOccurrence),
    answers={200: Answer("the standing order without that day", StandingOrderView, ETAG)},
    problems=("wrong-state", "invalid-request"),
)
async def skip(call: Call, parts: Parts) -> Reply:
    """Skip one occurrence that is not made yet."""
    return await _executed(call, parts, SkipStandingOrder(**_on(call, parts), day=call.body.day))


@ROUTES.post(
    f"{ORDER}/shift",
    id="shiftOccurrence",
    command=ShiftStandingOrder,
    body=Body(Shift),
    answers={200: Answer("the standing order, that day at another time", StandingOrderView, ETAG)},
    problems=("wrong-state", "invalid-request"),
)
async def shift(call: Call, parts: Parts) -> Reply:
    """Shift one occurrence that is not made yet: so many minutes later, all its rides."""
    body: Shift = call.body
    return await _executed(
        call, parts, ShiftStandingOrder(**_on(call, parts), day=body.day, minutes=body.minutes)
    )


def _on(call: Call, parts: Parts) -> dict[str, Any]:
    """What a command is about; a market that is not served is refused before its zone is needed."""
    parts.service.markets.authorize(call.principal, call.market)
    return {"order_id": call.path["order_id"], "tz": parts.service.markets.zones[call.market]}


def _refuse_other_ids(body: StandingOrder, order_id: str) -> None:
    """The first requests are called by the order: what is made has ids that follow from it."""
    for name, each in (("request", body.request), ("return_ride", body.return_ride)):
        if each is not None and each.id != order_id:
            raise InvalidMessage.at(
                f"/{name}/id",
                f"the id is {each.id}, and the path says {order_id}\nMaybe a slip in one of them.",
            )


async def _executed(call: Call, parts: Parts, command: OnStandingOrder) -> Reply:
    return await _shown(call, parts, await execute(call, parts, command))


async def _shown(call: Call, parts: Parts, order: StandingOrderRecord, status: int = 200) -> Reply:
    view = await parts.service.standing_orders.view(call.market, order)
    return Reply(view, status, versions.etag(order.version))
