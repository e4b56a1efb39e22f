"""Statements as vendors, hospitals and ops read them: a month's sums, items in pages, lines as CSV."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.instants import to_instant
from contracts.statements import (
    Statement,
    StatementCsvQuery,
    StatementItem,
    StatementItemPage,
    StatementItemQuery,
    StatementPage,
    StatementQuery,
    StatementSum,
)
from dispatcher.domain.prices import Line
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.statements import (
    LATE,
    MONTHS,
    Item,
    disputed_line,
    is_correction,
    month_after,
    offer_of,
)
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.csv_rows import csv_of
from dispatcher.service.markets import Markets
from dispatcher.service.statement_items import COLUMNS, is_same, item_of, rows_of
from dispatcher.service.vendors import Vendors
from dispatcher.store.listing import Cursor
from dispatcher.store.statements import Entered


class Period(NamedTuple):
    """A month of a market's calendar."""

    first: date
    tz: ZoneInfo

    @property
    def start_ms(self) -> int:
        """When it begins."""
        return month_after(self.first, 0, self.tz)

    @property
    def end_ms(self) -> int:
        """Where the next begins."""
        return month_after(self.first, 1, self.tz)

    @property
    def days(self) -> list[str]:
        """Its days, yyyy-mm-dd."""
        days = (self.first + timedelta(days=number) for number in range(31))
        return [each.isoformat() for each in days if each.month == self.first.month]


class Statements:
    """They raise NotFound for what is unknown or another's, in the same words, and Unavailable."""

    def __init__(self, markets: Markets, vendors: Vendors, clock: Clock) -> None:
        self.markets, self.vendors, self.clock = markets, vendors, clock

    async def sums(self, who: Principal, market: str, vendor_id: str, month: str) -> Statement:
        """What a month comes to, and whether it is final."""
        period = await self._period(who, market, vendor_id, month)
        return await self._statement(market, vendor_id, period)

    async def all(self, who: Principal, market: str, month: str, query: StatementQuery) -> StatementPage:
        """A page of vendors, by id: those that have, or had, anything to do in the month."""
        self.markets.authorize_requests(who, market)
        period = self.period(market, month)
        vendors, cursor = await self.vendors.page(who, market, query.cursor, query.limit)
        found = [await self._statement(market, each.value.id, period) for each in vendors]
        some = tuple(each for each in found if each.work or each.corrections or each.open_work)
        return StatementPage(statements=some, cursor=cursor or "")

    async def _statement(self, market: str, vendor_id: str, period: Period) -> Statement:
        stored, now_ms = self.markets.store(market), self.clock.now_ms()
        found, kept_ms = await self._found(market, vendor_id, period)
        open_work = await stored.requests.count_starting(vendor_id, period.start_ms, period.end_ms)
        entered = [each for each in found if not disputed_line(each.name)]
        corrections = [each.item for each in entered if is_correction(each.name)]
        work = [each.item for each in entered if not is_correction(each.name)]
        return Statement(
            vendor_id=vendor_id,
            month=f"{period.first:%Y-%m}",
            time_zone=period.tz.key,
            first_at=to_instant(period.start_ms),
            end_at=to_instant(period.end_ms),
            work=len(work),
            corrections=len(corrections),
            corrections_cents=sum(each.cents for each in corrections),
            cents=sum(each.item.cents for each in entered),
            by_end=_sums(work, lambda each: each.end),
            by_payer=_sums(work + corrections, lambda each: each.payer),
            open_work=open_work,
            open_disputes=len(found) - len(entered),
            final=now_ms >= period.end_ms and not open_work,
            kept_until=to_instant(kept_ms),
        )

    async def _found(
        self, market: str, vendor_id: str, period: Period, offer_id: str = ""
    ) -> tuple[list[Entered], int]:
        """What stands in it, and until when (ms): all of a month goes at once, even if less is kept now.

        `offer_id`: about this dispatch.
        """
        months = MONTHS.whole((await self.markets.tuning(market)).values)
        kept_ms = month_after(period.first, 1 + months, period.tz)
        if self.clock.now_ms() >= kept_ms:
            return [], kept_ms
        return await self.markets.store(market).statements.of(vendor_id, period.days, offer_id), kept_ms

    async def page(
        self, who: Principal, market: str, vendor_id: str, month: str, query: StatementItemQuery
    ) -> StatementItemPage:
        """A page of its items, by day. Raises Invalid for what is no cursor."""
        period = await self._period(who, market, vendor_id, month)
        after = Cursor.parse(query.cursor)
        found, _ = await self._found(market, vendor_id, period)
        items = [
            each
            for each in found
            if (each.place_ms, each.name) > after
            and not disputed_line(each.name)
            and query.payer in (None, each.item.payer)
        ]
        page = items[: query.limit]
        cursor = str(Cursor(page[-1].place_ms, page[-1].name)) if len(items) > len(page) else ""
        return StatementItemPage(items=tuple(_views(page, found, period.tz, who)), cursor=cursor)

    async def item(
        self, who: Principal, market: str, vendor_id: str, month: str, item_id: str
    ) -> StatementItem:
        """One item, as it is read."""
        period = await self._period(who, market, vendor_id, month)
        found, _ = await self._found(market, vendor_id, period, offer_of(item_id))
        one = [each for each in found if each.name == item_id]
        if not one:
            raise NotFound(
                f"the statement of {vendor_id} for {month} has no item {item_id}\nMaybe read it again."
            )
        return next(_views(one, found, period.tz, who))

    async def csv(
        self, who: Principal, market: str, vendor_id: str, month: str, query: StatementCsvQuery
    ) -> bytes:
        """Every line of it, with what it is a line of; work that costs nothing has a line of nothing."""
        period = await self._period(who, market, vendor_id, month)
        found, _ = await self._found(market, vendor_id, period)
        entered = [
            each for each in found if not disputed_line(each.name) and query.payer in (None, each.item.payer)
        ]

        def made() -> bytes:
            views = _views(entered, found, period.tz, who)
            return csv_of(COLUMNS, (row for each in views for row in rows_of(each, vendor_id, month)))

        return await asyncio.to_thread(made)

    async def _period(self, who: Principal, market: str, vendor_id: str, month: str) -> Period:
        await self.vendors.get(who, market, vendor_id)
        return self.period(market, month)

    def period(self, market: str, month: str) -> Period:
        """A month (yyyy-mm) of the market's."""
        return Period(date.fromisoformat(f"{month}-01"), self.markets.zones[market])


def _sums(items: Iterable[Item], name_of: Callable[[Item], str]) -> tuple[StatementSum, ...]:
    many, cents = Counter[str](), Counter[str]()
    for each in items:
        many[name_of(each)] += 1
        cents[name_of(each)] += each.cents
    return tuple(StatementSum(name=name, items=many[name], cents=cents[name]) for name in sorted(many))


def _views(
    page: Sequence[Entered], found: Sequence[Entered], tz: ZoneInfo, who: Principal
) -> Iterator[StatementItem]:
    disputed = _disputed(found)
    return (item_of(each, disputed.get(each.name, ()), tz, tells_number=not who.is_vendor) for each in page)


def _disputed(found: Sequence[Entered]) -> Mapping[str, list[Line]]:
    """By item, the lines of it that are disputed: one that was put anew is disputed where it is now."""
    marks = [each for each in found if disputed_line(each.name)]
    about = {offer_of(each.name) for each in marks}
    items = [each for each in found if not disputed_line(each.name) and offer_of(each.name) in about]
    newest = sorted(items, key=lambda each: each.item.at_ms, reverse=True)
    lines: dict[str, list[Line]] = {}
    for mark in marks:
        for each in filter(partial(_is_about, mark), newest):
            lines.setdefault(each.name, []).append(mark.item.lines[0])
            break
    return lines


def _is_about(mark: Entered, one: Entered) -> bool:
    """Whether a mark is about this item: a late one names it."""
    about, _, which = mark.name.rpartition(".")
    if which.startswith(LATE):
        return one.name == about
    return offer_of(one.name) == about and any(map(partial(is_same, mark.item.lines[0]), one.item.lines))
