"""Dispatches: the list of the coming days, doors, reports, waiting, prices, messages."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from contracts.codes import OfferState, ReportCode, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.offers import Offer, Offers
from contracts.prices import PriceView
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.reading import a_text, an_instant, names, said_of
from dispatcher.cli._vendor.shown import facts, money, place, table, what, when
from dispatcher.runtime.arguments import a_date, whole

if TYPE_CHECKING:
    from client.vendor import VendorClient

HEADS = ("dispatch", "start", "minutes", "what", "from", "price", "")
DAY_HEADS = ("dispatch", "start", "status", "what", "name", "from", "price", "")
MOST_LINE = 500


def add(subjects: Subjects) -> None:
    """list, rides, show, report, waiting, ready, price, dispute, messages."""
    parser = subjects.word("list", "what you have to do, in its order", _list, offer=False)
    parser.add_argument(
        "--day", type=a_date, metavar="YYYY-MM-DD", help="of that day, by this machine's clock"
    )
    parser = subjects.word(
        "rides", "a day's rides, those that are over too; that you looked is kept", _rides, offer=False
    )
    parser.add_argument(
        "--day", type=a_date, metavar="YYYY-MM-DD", help="by the market's clock; left out: today"
    )
    subjects.word("show", "door, name and phone of what you took; that you looked is kept", _show)
    parser = subjects.word("report", "say where the work stands", _report)
    statuses, said = names(TrackingStatus), said_of(TrackingStatus)
    parser.add_argument("status", choices=statuses, metavar="STATUS", help=said)
    codes, said = names(ReportCode), f"why it did not go as agreed: {said_of(ReportCode)}"
    parser.add_argument("--code", type=str.upper, choices=codes, metavar="CODE", help=said)
    _at(parser, "--at", "when it was; left out: now")
    parser = subjects.word("waiting", "you wait at the door", _waiting)
    _at(parser, "--since", "since when; left out: now")
    _at(parser, "--until", "until when, if it is over")
    _at(subjects.word("ready", "the passenger has come: you wait no more", _ready), "--at", "since when")
    subjects.word("price", "the price line by line, waits and disputes", _price)
    parser = subjects.word("dispute", "say that a line of the price is wrong; ops looks at it", _dispute)
    parser.add_argument(
        "line", type=whole(1, MOST_LINE), metavar="LINE", help="its number, as `price` shows it"
    )
    parser.add_argument("text", metavar="TEXT", help="why; - reads it from standard input")
    parser = subjects.word("messages", "what is written about a dispatch", _messages)
    parser.add_argument("--say", metavar="TEXT", help="write this to the others first; - reads it")


async def _list(vendor: VendorClient, args: Namespace) -> Told:
    listed = await vendor.listed()
    found = [each for each in listed.offers if each.state is not OfferState.REQUESTED]
    if args.day:
        found = [each for each in found if each.start_at.astimezone().date() == args.day]
    rows = [
        (
            each.id,
            when(each.start_at),
            each.duration_minutes,
            what(each),
            place(each.pickup_zone),
            money(each.price_cents),
            _note(each, listed.unread.get(each.id, 0)),
        )
        for each in found
    ]
    unread = {each.id: listed.unread[each.id] for each in found if each.id in listed.unread}
    return Told(
        Offers(offers=tuple(found), unread=unread), table(HEADS, rows, empty="you have nothing to do")
    )


async def _rides(vendor: VendorClient, args: Namespace) -> Told:
    found = await vendor.day(args.day)
    rows = [
        (
            each.id,
            when(each.offer.start_at),
            each.status or ("cancelled" if each.offer.state is OfferState.CANCELLED else "agreed"),
            what(each.offer),
            each.patient.name if each.patient else "",
            place(each.pickup) if each.pickup else "",
            money(sum(line.cents for line in each.price_lines)) if each.price_lines else "",
            _note(each.offer, each.unread),
        )
        for each in found.dispatches
    ]
    cents = sum(line.cents for each in found.dispatches for line in each.price_lines)
    bill = [f"together {money(cents)}"] if rows else []
    return Told(found, [*table(DAY_HEADS, rows, empty=f"you had and have nothing on {found.day}"), *bill])


def _note(offer: Offer, unread: int) -> str:
    """What waits for the vendor."""
    asks = "asks for an answer: agree or refuse" if offer.amendment else ""
    news = f"{unread} new {'message' if unread == 1 else 'messages'}" if unread else ""
    return "; ".join(filter(None, (asks, news)))


async def _show(vendor: VendorClient, args: Namespace) -> Told:
    found = await vendor.dispatch(args.offer)
    patient, offer = found.patient, found.offer
    said = [
        ("dispatch", found.id),
        ("reference", found.reference),
        ("identifiers", ", ".join(f"{each.system} {each.value}".strip() for each in found.identifiers)),
        ("status", found.status or "agreed"),
        ("start", when(offer.start_at)),
        ("what", what(offer)),
        ("from", place(found.pickup)),
        ("to", place(found.dropoff) if found.dropoff else None),
        ("price", money(sum(each.cents for each in found.price_lines))),
    ]
    if patient is not None:
        said += [
            ("name", patient.name),
            ("phone", patient.phone),
            ("door", patient.pickup_address),
            ("to door", patient.dropoff_address),
            ("notes", patient.notes),
        ]
    return Told(found, facts(said))


async def _report(vendor: VendorClient, args: Namespace) -> Told:
    code = ReportCode(args.code) if args.code else None
    update = StatusUpdate(status=TrackingStatus(args.status), at=args.at, code=code)
    offer = await vendor.report(args.offer, update)
    return Told(offer, [f"{offer.id}: {args.status}"])


async def _waiting(vendor: VendorClient, args: Namespace) -> Told:
    return _priced(await vendor.waiting(args.offer, args.since, args.until))


async def _ready(vendor: VendorClient, args: Namespace) -> Told:
    return _priced(await vendor.ready(args.offer, args.at))


async def _price(vendor: VendorClient, args: Namespace) -> Told:
    return _priced(await vendor.price(args.offer))


async def _dispute(vendor: VendorClient, args: Namespace) -> Told:
    return _priced(await vendor.dispute(args.offer, args.line, a_text(args.text)))


def _priced(price: PriceView) -> Told:
    lines = [
        (number, each.kind, f"{each.quantity:g}", money(each.unit_cents), money(each.cents), each.note)
        for number, each in enumerate(price.price_lines, 1)
    ]
    said = table(("line", "for", "how many", "each", "is", ""), lines, empty="it has no lines")
    said.append(f"together {money(price.price_cents)}")
    said += [f"waited {when(each.since)} to {when(each.until)}" for each in price.waits]
    said += [
        f"dispute {each.number} of line {each.line} ({each.kind}): {each.outcome}" for each in price.disputes
    ]
    return Told(price, said)


async def _messages(vendor: VendorClient, args: Namespace) -> Told:
    if args.say is not None:
        await vendor.post_message(args.offer, a_text(args.say))
    thread = await vendor.messages(args.offer)
    rows = [(each.number, when(each.at), each.by, each.text) for each in thread.messages]
    return Told(thread, table(("", "at", "by", "message"), rows, empty="nobody has written"))


def _at(parser: ArgumentParser, name: str, said: str) -> None:
    parser.add_argument(name, type=an_instant, metavar="INSTANT", help=said)
