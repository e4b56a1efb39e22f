"""Offers: what is open, and the answers to it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from contracts.codes import DeclineCode, LevelOfService, OfferState
from contracts.counters import Counter
from contracts.dispatches import Dispatch
from contracts.offers import Offer
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.reading import an_instant, dollars, names, said_of
from dispatcher.cli._vendor.shown import facts, money, place, table, what, when

if TYPE_CHECKING:
    from client.vendor import VendorClient

HEADS = ("offer", "start", "minutes", "what", "from", "price", "answer by", "")


def add(subjects: Subjects) -> None:
    """offers, accept, decline, counter, agree, refuse."""
    subjects.word("offers", "what you are offered, and until when you may answer", _offers, offer=False)
    parser = subjects.word("accept", "take the work", _accept)
    parser.add_argument("--reference", default="", metavar="TEXT", help="your own number of it")
    parser = subjects.word("decline", "leave the work; you are not asked for it again", _decline)
    parser.add_argument(
        "code", type=str.upper, choices=names(DeclineCode), metavar="CODE", help=said_of(DeclineCode)
    )
    parser = subjects.word("counter", "do it otherwise; the offer stays good meanwhile", _counter)
    parser.add_argument("--start", type=an_instant, metavar="INSTANT", help="2026-03-02T10:20:00-05:00")
    parser.add_argument("--price", type=dollars, metavar="DOLLARS", help="for all of it: 52.50")
    levels, said = names(LevelOfService), said_of(LevelOfService)
    parser.add_argument("--level", choices=levels, metavar="LEVEL", help=said)
    for name, said in (("agree", "keep the work as it is wanted now"), ("refuse", "do not do it so")):
        subjects.word(name, f"{said}: the answer to an amendment", _amended)


async def _offers(vendor: VendorClient, args: Namespace) -> Told:
    found = [each for each in await vendor.offers() if each.state is OfferState.REQUESTED]
    rows = [
        (
            each.id,
            when(each.start_at),
            each.duration_minutes,
            what(each),
            place(each.pickup_zone),
            money(each.price_cents),
            when(each.expires_at),
            _note(each),
        )
        for each in found
    ]
    return Told(found, table(HEADS, rows, empty="nothing is offered to you now"))


async def _accept(vendor: VendorClient, args: Namespace) -> Told:
    taken = await vendor.accept(args.offer, reference=args.reference)
    if isinstance(taken, Dispatch):
        return Told(taken, [f"{taken.id} is yours, {when(taken.offer.start_at)}; `show` tells its door"])
    return Told(taken, [f"{taken.id}: noted; the best of those who say yes has it {when(taken.decided_by)}"])


async def _decline(vendor: VendorClient, args: Namespace) -> Told:
    left = await vendor.decline(args.offer, DeclineCode(args.code))
    return Told(left, [f"{left.id} is declined: {args.code}"])


async def _counter(vendor: VendorClient, args: Namespace) -> Told:
    level = LevelOfService(args.level) if args.level else None
    made = Counter(start_at=args.start, price_cents=args.price, level_of_service=level)
    offer = await vendor.counter(args.offer, made)
    if offer.state is OfferState.ACCEPTED:
        return Told(offer, [f"{offer.id} is yours, {when(offer.start_at)}, {money(offer.price_cents)}"])
    until = when(offer.expires_at)
    return Told(offer, [f"{offer.id}: a person decides; until {until} you may accept or decline it as it is"])


async def _amended(vendor: VendorClient, args: Namespace) -> Told:
    """To what is wanted at this moment: its number is asked for first."""
    asked = await vendor.amendment(args.offer)
    answer = vendor.agree if args.word == "agree" else vendor.refuse
    offer = await answer(args.offer, asked.number)
    return Told(offer, facts([("offer", offer.id), ("state", offer.state), ("start", when(offer.start_at))]))


def _note(offer: Offer) -> str:
    if offer.willing:
        return f"you said yes; decided {when(offer.decided_by)}"
    if offer.counter is not None:
        return f"your counter-offer: {offer.counter.state}"
    if offer.decided_by is not None:
        return f"the best has it {when(offer.decided_by)}"
    return "silence is yes" if offer.assumed else ""
