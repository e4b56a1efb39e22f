"""Why a vendor gets no offers: what it lost to which rule, and what would change that."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from contracts.why_vendor import MAX_DAYS, VendorWhy
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.own import myself
from dispatcher.cli._vendor.shown import clean, table
from dispatcher.runtime.arguments import whole

if TYPE_CHECKING:
    from client.vendor import VendorClient

DAYS = 7
HEADS = ("rule", "requests", "why", "services")


def add(subjects: Subjects) -> None:
    """why."""
    parser = subjects.word("why", "why you get no offers, and what would change it", _why, offer=False)
    days = whole(1, MAX_DAYS)
    parser.add_argument(
        "--days", type=days, default=DAYS, metavar="N", help="of how many (default: %(default)s)"
    )


async def _why(vendor: VendorClient, args: Namespace) -> Told:
    me = (await myself(vendor)).vendor.id
    found = await vendor.why(me, days=args.days)
    return Told(found, list(_lines(found)))


def _lines(why: VendorWhy) -> Iterator[str]:
    yield f"{why.first_day} to {why.last_day}: {why.decided} requests were decided"
    yield f"{why.offered} were offered to you, {why.others} went to another though you could have had them"
    rows = [(each.rule, each.requests, each.says, ", ".join(each.services)) for each in why.lost]
    yield from table(HEADS, rows, empty="you lost none to a rule")
    for lost in why.lost:
        for remedy in lost.remedies:
            yield clean(f"{lost.rule}: {remedy.says} ({remedy.requests} requests)")
