"""Prices: read line by line, a line disputed; by ops settled."""

from __future__ import annotations

from client.answers import about
from client.http import Connection, segment
from contracts.base import Wire
from contracts.prices import DisputeLine, PriceView, SettleDispute


class Prices(Connection):
    """Calls with a token of the vendor, the platform or ops."""

    async def price(self, offer_id: str) -> PriceView:
        """The price of an offer or dispatch: lines, rates, waits, disputes. Raises Problem 404."""
        path = f"/dispatches/{segment(offer_id)}/price"
        found = await self.call("GET", path, PriceView)
        return about(found, found.offer_id, offer_id, f"GET {path}")

    async def dispute(self, offer_id: str, line: int, text: str, *, key: str | None = None) -> PriceView:
        """Say that a line (from 1) is wrong, and why. Raises Problem 409 when it is disputed already."""
        said = DisputeLine(line=line, text=text)
        return await self._about_price(offer_id, "price/disputes", said, key)

    async def _about_price(self, offer_id: str, step: str, body: Wire, key: str | None) -> PriceView:
        """One dispatch's price as it stands after a call about it."""
        path = f"/dispatches/{segment(offer_id)}/{step}"
        view = await self.call("POST", path, PriceView, body=body, key=key)
        return about(view, view.offer_id, offer_id, f"POST {path}")


class Settling(Prices):
    """Calls with a token of ops."""

    async def settle(
        self, offer_id: str, number: int, reason: str, *, cents: int | None = None, key: str | None = None
    ) -> PriceView:
        """End a dispute: the line costs `cents`, or, None, stays as it is. Both sides read the reason."""
        said = SettleDispute(reason=reason, cents=cents)
        return await self._about_price(offer_id, f"price/disputes/{number}/settle", said, key)
