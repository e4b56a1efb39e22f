"""Statements: what a vendor is owed for a month, as sums, line by line, as CSV; a line that is disputed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client.answers import about
from client.http import Connection, segment
from client.pages import pages
from contracts.prices import DisputeLine
from contracts.statements import (
    CSV,
    MOST_ITEMS,
    SettleLine,
    Statement,
    StatementItem,
    StatementItemPage,
    StatementPage,
)
from contracts.tasks import TaskView


class StatementReader(Connection):
    """Calls with a token of a vendor, for its own; of who reads requests, for all. A month is `yyyy-mm`."""

    async def statement(self, vendor_id: str, month: str) -> Statement:
        """What the month comes to; `final` once nothing is added any more. Raises Problem 404."""
        path = _path(vendor_id, month)
        found = await self.call("GET", path, Statement)
        return about(found, found.vendor_id, vendor_id, f"GET {path}")

    async def statement_items(
        self, vendor_id: str, month: str, payer: str | None = None
    ) -> AsyncIterator[StatementItem]:
        """Its dispatches and corrections, by day; `payer`: those that it pays; "": without one."""
        asked = {"limit": str(MOST_ITEMS)} | ({} if payer is None else {"payer": payer})
        async for page in pages(self, f"{_path(vendor_id, month)}/items", StatementItemPage, asked):
            for one in page.items:
                yield one

    async def statement_item(self, vendor_id: str, month: str, item_id: str) -> StatementItem:
        """One of them. Raises Problem 404."""
        path = f"{_path(vendor_id, month)}/items/{segment(item_id)}"
        found = await self.call("GET", path, StatementItem)
        return about(found, found.id, item_id, f"GET {path}")

    async def statements(self, month: str) -> AsyncIterator[Statement]:
        """Of every vendor that has work in the month, by id. Not for vendors."""
        async for page in pages(self, f"/statements/{segment(month)}", StatementPage, {}):
            for one in page.statements:
                yield one

    async def statement_csv(self, vendor_id: str, month: str, payer: str | None = None) -> bytes:
        """All of it, a row a line, amounts in cents."""
        asked = {} if payer is None else {"payer": payer}
        received = await self.bytes_of("GET", f"{_path(vendor_id, month)}/csv", params=asked)
        return received.bytes_in(CSV)

    async def dispute_item(
        self, vendor_id: str, month: str, item_id: str, line: int, text: str, *, key: str | None = None
    ) -> StatementItem:
        """Say that a line (from 1) is wrong, as long as the month is kept: by vendor, platform or ops.

        Raises Problem 409 when it is disputed already, or a correction took it back.
        """
        path = f"{_path(vendor_id, month)}/items/{segment(item_id)}/disputes"
        body = DisputeLine(line=line, text=text)
        found = await self.call("POST", path, StatementItem, body=body, key=key)
        return about(found, found.id, item_id, f"POST {path}")


class StatementSettler(StatementReader):
    """Calls with a token of ops."""

    async def settle_item(
        self,
        vendor_id: str,
        month: str,
        item_id: str,
        line: int,
        reason: str,
        *,
        cents: int | None = None,
        key: str | None = None,
    ) -> TaskView:
        """End a dispute of a line whose request is forgotten: it costs `cents`, or, None, stays as it is.

        The reason stands in the audit as it is: name no patient in it.
        """
        path = f"{_path(vendor_id, month)}/items/{segment(item_id)}/disputes/{line}/settle"
        body = SettleLine(reason=reason, cents=cents)
        return await self.call("POST", path, TaskView, body=body, key=key)


def _path(vendor_id: str, month: str) -> str:
    return f"/vendors/{segment(vendor_id)}/statements/{segment(month)}"
