"""A line of a statement is disputed: as one of a price while its request is there, else beside the item."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from contracts.prices import DisputeLine
from contracts.statements import SettleLine, StatementItem
from contracts.tasks import TaskView
from dispatcher.domain.commands.dispute_item import DisputeItem, OnItemLine, SettleItem
from dispatcher.domain.commands.dispute_line import DisputePrice
from dispatcher.domain.prices import Line, charged
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, request_id_of
from dispatcher.domain.statement_disputes import ItemLine, standing
from dispatcher.domain.statements import disputed_line, local_day
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor
from dispatcher.service.prices import sealed_for
from dispatcher.service.statements import Statements
from dispatcher.service.tasks import Tasks
from dispatcher.store.idempotency import IdempotencyRecord

CORRECTION_BYTES = 4  # that tell a correction from others of its dispatch
C = TypeVar("C", bound=OnItemLine)


class StatementDisputes:
    """They raise NotFound for what is unknown or another's, WrongState, Invalid, Unavailable."""

    def __init__(self, statements: Statements, tasks: Tasks, executor: Executor, clock: Clock) -> None:
        self.statements, self.tasks, self.executor, self.clock = statements, tasks, executor, clock
        self.markets = statements.markets

    async def dispute(
        self,
        who: Principal,
        market: str,
        about: ItemLine,
        *,
        said: DisputeLine,
        idempotency: IdempotencyRecord | None,
    ) -> StatementItem:
        """A line is wrong; the text is sealed before anything else sees it."""
        await self.statements.vendors.get(who, market, about.vendor_id)
        stored = self.markets.store(market)
        command: DisputePrice | DisputeItem
        if await stored.requests.records.get(request_id_of(about.offer_id)) is not None:
            sealed = stored.tasks.seal(sealed_for(about.offer_id), said.text)
            command = DisputePrice(offer_id=about.offer_id, line=about.line, sealed=sealed)
        else:
            sealed = stored.tasks.seal(about.task_id, said.text)
            command = DisputeItem(about=about, sealed=sealed)

        async def ready(record: Any, _: Any) -> DisputePrice | DisputeItem:
            known = await self._known(market, DisputeItem(about=about, sealed=sealed))
            if isinstance(record, RequestRecord):
                return DisputePrice(
                    offer_id=about.offer_id, line=_number(record, about, known.disputed), sealed=sealed
                )
            await self._refuse_corrected(market, known)
            return known

        await self.executor.execute(who, market, command, idempotency, prepare=ready)
        return await self.statements.item(who, market, about.vendor_id, about.month, about.item_id)

    async def settle(
        self,
        who: Principal,
        market: str,
        about: ItemLine,
        *,
        said: SettleLine,
        idempotency: IdempotencyRecord | None,
    ) -> TaskView:
        """What ops decides about it."""
        sealed = self.markets.store(market).tasks.seal(about.task_id, said.reason)
        command = SettleItem(
            about=about,
            sealed=sealed,
            cents=said.cents,
            reason=said.reason,
            correction=secrets.token_hex(CORRECTION_BYTES),
        )

        async def ready(_: Any, command: Any) -> SettleItem:
            return await self._known(market, command)

        task = await self.executor.execute(who, market, command, idempotency, prepare=ready)
        return self.tasks.shown(market, task)

    async def _known(self, market: str, command: C) -> C:
        """With the item, where that is there."""
        about = command.about
        days = self.statements.period(market, about.month).days
        found = await self.markets.store(market).statements.of(about.vendor_id, days, about.offer_id)
        for each in found:
            if each.name == about.item_id:
                return replace(command, item=each.item, day=each.day)
        return command

    async def _refuse_corrected(self, market: str, known: DisputeItem) -> None:
        """Raises WrongState for a line that a correction of any month took back."""
        line, about = known.disputed, known.about
        assert known.item is not None  # noqa: S101  (told by `disputed`)
        tz = self.markets.zones[market]
        first, today = local_day(known.item.start_ms, tz), local_day(self.clock.now_ms(), tz)
        days = _days(min(first, date.fromisoformat(known.day)), today)
        found = await self.markets.store(market).statements.of(about.vendor_id, days, about.offer_id)
        items = sorted(
            (each.item for each in found if not disputed_line(each.name)), key=lambda each: each.at_ms
        )
        if standing(line for each in items for line in each.lines)[line] < 1:
            raise _is_corrected(about)


def _days(first: date, last: date) -> list[str]:
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def _number(record: RequestRecord, about: ItemLine, line: Line) -> int:
    """Which line of the price it is by now, from 1. Raises WrongState where it is none any more."""
    lines = charged(record.offer_named(about.offer_id)) or ()
    same = [number for number, each in enumerate(lines, 1) if each == line]
    if not same:
        raise _is_corrected(about)
    return about.line if about.line in same else same[0]


def _is_corrected(about: ItemLine) -> WrongState:
    return WrongState(
        f"line {about.line} of item {about.item_id} is charged no more: a correction took it back\n"
        "Maybe dispute the line that the correction put in its place.",
        state="corrected",
    )
