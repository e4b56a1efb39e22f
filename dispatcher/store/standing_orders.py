"""Standing orders of one market: listed by state; their first requests, sealed as bodies of requests are."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.requests import Request
from contracts.standing_orders import StandingOrderState
from dispatcher.domain.standing_orders import STANDING_ORDER, StandingOrderRecord, list_of
from dispatcher.store.aside import Item
from dispatcher.store.bodies import Bodies, key_of_body
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor
from dispatcher.store.node import Node
from dispatcher.store.records import Records

SEALED = "standing order's request"  # what is set aside of one beside its record


class StandingOrderPart:
    """The standing orders of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.vault, self.aside, self.keys = node.vault, node.aside, keys
        self.form = Bodies(node.vault, keys.market)
        self.records = Records(node, keys, STANDING_ORDER)

    async def page(
        self, state: StandingOrderState | None, cursor: str | None, limit: int
    ) -> tuple[list[StandingOrderRecord], str | None]:
        """Up to `limit` after `cursor`. Raises Invalid: no such cursor."""
        states = [state] if state else [StandingOrderState.ACTIVE, StandingOrderState.PAUSED]
        return await self.records.page([list_of(each) for each in states], Cursor.parse(cursor), limit)

    def seal(self, request: Request | None) -> bytes:
        """A first request as it is stored; b"" for none."""
        return self.form.pack(request) if request is not None else b""

    def open(self, order: StandingOrderRecord) -> tuple[Request, Request | None]:
        """The first requests, patients and all. Raises Unreadable."""
        request = self._read(order, order.request)
        return request, self._read(order, order.return_ride) if order.return_ride else None

    def is_under_another_key(self, order: StandingOrderRecord) -> bool:
        """Whether it is sealed under a patient key that is not the one in use."""
        current = self.vault.sealing(self.keys.market)
        return bool(current) and any(
            key_of_body(each) != current for each in (order.request, order.return_ride) if each
        )

    def _read(self, order: StandingOrderRecord, raw: bytes) -> Request:
        return self.aside.read(self.keys.market, Item(SEALED, order.id), raw, self._whole)

    def _whole(self, raw: bytes) -> Request:
        return replace(self.form.request(raw), patient=self.form.patient(raw))
