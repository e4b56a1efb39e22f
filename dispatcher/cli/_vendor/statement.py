"""What a month's work comes to: its sums, its dispatches, all of it as CSV; a line that is wrong."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from contracts.base import Wire
from contracts.statements import Statement, StatementItem
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.own import myself
from dispatcher.cli._vendor.reading import a_text, write
from dispatcher.cli._vendor.shown import money, table
from dispatcher.cli._vendor.work import MOST_LINE
from dispatcher.runtime.arguments import whole

if TYPE_CHECKING:
    from client.vendor import VendorClient

MONTH = re.compile("2[01][0-9]{2}-(0[1-9]|1[0-2])")
HEADS = ("item", "day", "end", "what", "miles", "for", "is", "")


class WholeStatement(Wire):
    """A statement with all its items, for programs."""

    statement: Statement
    items: tuple[StatementItem, ...]


def add(subjects: Subjects) -> None:
    """statement, dispute-item."""
    parser: ArgumentParser = subjects.word(
        "statement", "what a month's work comes to, dispatch by dispatch", _statement, offer=False
    )
    parser.add_argument("--month", type=a_month, metavar="YYYY-MM", help="of your market; left out: this one")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write it to this file, a row a line")
    parser = subjects.word(
        "dispute-item", "say that a line of a statement is wrong; ops looks at it", _dispute, offer=False
    )
    parser.add_argument("month", type=a_month, metavar="YYYY-MM", help="of your market")
    parser.add_argument("item", metavar="ITEM", help="its id, as `statement` shows it")
    parser.add_argument("line", type=whole(1, MOST_LINE), metavar="LINE", help="its number, from 1")
    parser.add_argument("text", metavar="TEXT", help="why; - reads it from standard input")


def a_month(text: str) -> str:
    """Reads a month."""
    if MONTH.fullmatch(text) is None:
        raise ArgumentTypeError(f"'{text}' is no month such as 2026-03")
    return text


async def _statement(vendor: VendorClient, args: Namespace) -> Told:
    me = (await myself(vendor)).vendor.id
    found = await _sums_of(vendor, me, args.month)
    month = found.month
    items = tuple([each async for each in vendor.statement_items(me, month)])
    if args.csv is not None:
        write(args.csv, await vendor.statement_csv(me, month))
    empty = f"nothing of {month} is over yet"
    lines = [*table(HEADS, [row for each in items for row in _rows(each)], empty=empty), *_sums(found)]
    return Told(WholeStatement(statement=found, items=items), lines)


def month_at(time_zone: str, now: datetime) -> str:
    """The month that it is there."""
    return f"{now.astimezone(ZoneInfo(time_zone)):%Y-%m}"


async def _dispute(vendor: VendorClient, args: Namespace) -> Told:
    me, text = (await myself(vendor)).vendor.id, a_text(args.text)
    item = await vendor.dispute_item(me, args.month, args.item, args.line, text)
    return Told(item, [f"line {args.line} of {item.id}: disputed; ops looks at it"])


async def _sums_of(vendor: VendorClient, me: str, month: str | None) -> Statement:
    """Of the month; None: of this one where the market is, which it says itself."""
    now = datetime.now(UTC)
    if month is not None:
        return await vendor.statement(me, month)
    found = await vendor.statement(me, f"{now:%Y-%m}")
    there = month_at(found.time_zone, now)
    return found if there == found.month else await vendor.statement(me, there)


def _rows(item: StatementItem) -> list[tuple[object, ...]]:
    """A row a line; what it is about stands in the first."""
    about: tuple[object, ...] = (item.id, item.day, item.end, item.service, item.miles or "")
    if item.kind == "correction":
        about = (item.id, item.day, "corrected", item.service, "")
    said = [
        (f"{each.kind} {each.hcpcs}".strip(), money(each.cents), "disputed" if each.disputed else each.note)
        for each in item.lines
    ]
    first, *more = said or [("", money(0), "")]
    return [(*about, *first), *(("", "", "", "", "", *each) for each in more)]


def _sums(found: Statement) -> list[str]:
    said = [f"{each.name}: {each.items}, {money(each.cents)}" for each in found.by_end]
    if found.corrections:
        said.append(f"corrections: {found.corrections}, {money(found.corrections_cents)}")
    open_now = f", {found.open_work} not over" if found.open_work else ""
    state = "final" if found.final else "not final yet"
    disputes = f", {found.open_disputes} disputed" if found.open_disputes else ""
    return [*said, f"together {money(found.cents)}, {state}{open_now}{disputes}"]
