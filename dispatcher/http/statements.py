"""Statements: what a vendor is owed for a month, to be read and to be taken away."""

from __future__ import annotations

from aiohttp import web

from contracts.base import Id
from contracts.operations import Answer, Body
from contracts.prices import DisputeLine
from contracts.statements import (
    CSV,
    ItemId,
    LineNumber,
    Month,
    SettleLine,
    Statement,
    StatementCsvQuery,
    StatementItem,
    StatementItemPage,
    StatementItemQuery,
    StatementPage,
    StatementQuery,
)
from contracts.tasks import TaskView
from dispatcher.domain.commands.dispute_item import DisputeItem, SettleItem
from dispatcher.domain.rights import READERS
from dispatcher.domain.statement_disputes import ItemLine
from dispatcher.http import turns
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.service.prices import READS_PRICE

STATEMENT = f"{MARKET}/vendors/{{vendor_id}}/statements/{{month}}"
ITEM = f"{STATEMENT}/items/{{item_id}}"
ROUTES = Routes("statements", 33, vendor_id=Id, month=Month, item_id=ItemId, line=LineNumber)


@ROUTES.get(
    f"{MARKET}/statements/{{month}}",
    id="listStatements",
    roles=READERS,
    query=StatementQuery,
    answers={200: Answer("a page", StatementPage)},
)
async def list_all(call: Call, parts: Parts) -> Reply:
    """List what each vendor is owed for a month, by vendor; those with nothing in it are left out."""
    page = parts.service.statements.all
    return Reply(await page(call.principal, call.market, call.path["month"], call.query))


@ROUTES.get(
    STATEMENT,
    id="getStatement",
    roles=READS_PRICE,
    answers={200: Answer("what the month comes to", Statement)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read what a vendor is owed for a month: by how work ended, by who pays, and whether it is final."""
    sums = parts.service.statements.sums
    return Reply(await sums(call.principal, call.market, call.path["vendor_id"], call.path["month"]))


@ROUTES.get(
    f"{STATEMENT}/items",
    id="listStatementItems",
    roles=READS_PRICE,
    query=StatementItemQuery,
    answers={200: Answer("a page", StatementItemPage)},
    problems=("invalid-request",),
)
async def items(call: Call, parts: Parts) -> Reply:
    """List the dispatches and corrections of a month's statement, line by line, by day."""
    page, vendor_id, month = parts.service.statements.page, call.path["vendor_id"], call.path["month"]
    return Reply(await page(call.principal, call.market, vendor_id, month, call.query))


@ROUTES.get(ITEM, id="getStatementItem", roles=READS_PRICE, answers={200: Answer("the item", StatementItem)})
async def item(call: Call, parts: Parts) -> Reply:
    """Read one dispatch or correction of a month's statement, line by line."""
    read_item, where = parts.service.statements.item, call.path
    return Reply(
        await read_item(call.principal, call.market, where["vendor_id"], where["month"], where["item_id"])
    )


@ROUTES.post(
    f"{ITEM}/disputes",
    id="disputeItem",
    command=DisputeItem,
    body=Body(DisputeLine),
    answers={200: Answer("the item, its line disputed", StatementItem)},
    problems=("wrong-state", "invalid-request"),
)
async def dispute(call: Call, parts: Parts) -> Reply:
    """Dispute a line of an item, also once its request is forgotten; ops settles it."""
    about = _line(call, call.body.line)
    key = call.idempotency(f"dispute-item/{about.task_id}")
    given = parts.service.statement_disputes.dispute
    return Reply(await given(call.principal, call.market, about, said=call.body, idempotency=key))


@ROUTES.post(
    f"{ITEM}/disputes/{{line}}/settle",
    id="settleItem",
    command=SettleItem,
    body=Body(SettleLine),
    answers={200: Answer("its task, done", TaskView)},
    problems=("wrong-state", "invalid-request"),
)
async def settle(call: Call, parts: Parts) -> Reply:
    """Settle a dispute of a line whose request is forgotten: by a correction of today, or none."""
    about = _line(call, int(call.path["line"]))
    key = call.idempotency(f"settle-item/{about.task_id}")
    given = parts.service.statement_disputes.settle
    return Reply(await given(call.principal, call.market, about, said=call.body, idempotency=key))


@ROUTES.get(
    f"{STATEMENT}/csv",
    id="exportStatement",
    roles=READS_PRICE,
    query=StatementCsvQuery,
    answers={200: Answer("a row a line, amounts in cents", None, media=CSV)},
)
async def export(call: Call, parts: Parts) -> web.Response:
    """Take away a month's statement as CSV: a row a line, with service, miles, payer and authorization."""
    turns.over(call.raw)  # a month of a large vendor takes a while
    vendor_id, month = call.path["vendor_id"], call.path["month"]
    body = await parts.service.statements.csv(call.principal, call.market, vendor_id, month, call.query)
    headers = {
        "Cache-Control": "no-store",
        "X-Request-Id": call.call_id,
        "Content-Disposition": f'attachment; filename="statement-{call.market}-{vendor_id}-{month}.csv"',
    }
    return web.Response(body=body, content_type=CSV, charset="utf-8", headers=headers)


def _line(call: Call, line: int) -> ItemLine:
    return ItemLine(call.path["vendor_id"], call.path["month"], call.path["item_id"], line)
