"""Standing orders: put, read, list, pause, resume, end; one occurrence skipped or at another time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from client.answers import about
from client.http import Connection, segment
from client.pages import pages
from client.posting import STORED
from contracts.base import Wire
from contracts.standing_orders import (
    Shift,
    SkipOccurrence,
    StandingOrder,
    StandingOrderPage,
    StandingOrderState,
    StandingOrderSummary,
    StandingOrderView,
)

ORDERS = "/standing-orders"


class StandingOrderClient(Connection):
    """Calls with a `platform` or `ops` token."""

    async def put_standing_order(
        self, order: StandingOrder, *, version: int | None = None
    ) -> StandingOrderView:
        """Put an order under its first request's id; `version`: of the view that it replaces.

        After Unreachable, call again: the same order once more is no change. Raises Problem 428 when another
        is there and no `version` is given, 412 when that is not current. What was made already stays: `made`.
        """
        condition = {"If-Match": f'"{version}"'} if version is not None else {}
        path = _path(order.request.id)
        view = await self.call("PUT", path, StandingOrderView, statuses=STORED, body=order, headers=condition)
        return about(view, view.id, order.request.id, f"PUT {path}")

    async def standing_order(self, order_id: str) -> StandingOrderView:
        """One with what was made and what is to come. Raises Problem 404."""
        return await self._order("GET", order_id)

    async def standing_orders(
        self, state: StandingOrderState | None = None
    ) -> AsyncIterator[StandingOrderSummary]:
        """All that are active or paused, or in one state, by when they were first put."""
        asked = {"state": state.value} if state else {}
        async for page in pages(self, ORDERS, StandingOrderPage, asked):
            for each in page.standing_orders:
                yield each

    async def pause(self, order_id: str) -> StandingOrderView:
        """Make nothing until it is resumed."""
        return await self._order("POST", order_id, "/pause")

    async def resume(self, order_id: str) -> StandingOrderView:
        """Go on from today."""
        return await self._order("POST", order_id, "/resume")

    async def end(self, order_id: str) -> StandingOrderView:
        """Make nothing more; what is made stays."""
        return await self._order("POST", order_id, "/end")

    async def skip(self, order_id: str, day: date) -> StandingOrderView:
        """Leave one occurrence out. Raises Problem 409 when it is made already."""
        return await self._order("POST", order_id, "/skip", SkipOccurrence(day=day))

    async def shift(self, order_id: str, day: date, minutes: int) -> StandingOrderView:
        """One occurrence so much later. Raises Problem 409 when it is made already."""
        return await self._order("POST", order_id, "/shift", Shift(day=day, minutes=minutes))

    async def _order(
        self, method: str, order_id: str, step: str = "", body: Wire | None = None
    ) -> StandingOrderView:
        path = _path(order_id) + step
        view = await self.call(method, path, StandingOrderView, body=body)
        return about(view, view.id, order_id, f"{method} {path}")


def _path(order_id: str) -> str:
    return f"{ORDERS}/{segment(order_id)}"
