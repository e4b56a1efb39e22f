"""What a yes says: to the offer as it was made, to an amendment, or to other terms, a counter-offer. Pure."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from contracts.codes import LevelOfService
from contracts.counters import Counter
from contracts.offers import Offer
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.interop.tds.moments import Moment
from dispatcher.interop.tds.places import refuse_elsewhere
from dispatcher.interop.tds.reading import Telegram

MOST_CENTS = 100_000_000


def yes(said: Telegram, offer: Offer, tz: ZoneInfo, reference: str = "") -> OnOffer:
    """As it was offered, or otherwise."""
    refuse_other_doors(said, offer)
    start, cents, level = _start(said, offer, tz), _price(said, offer), _level(said, offer)
    is_same = (start, cents, level) == (None, None, None)
    if offer.amendment:
        if not is_same:
            raise said.node.wrong(
                "an amendment is agreed to or refused as it is, and this names something else\n"
                "Maybe tripAvailable false: then the ride is matched again."
            )
        return AgreeToAmendment(offer_id=said.offer_id, number=offer.amendment)
    if is_same:
        return AcceptOffer(offer_id=said.offer_id, reference=reference)
    return CounterOffer.of(said.offer_id, Counter(start_at=start, price_cents=cents, level_of_service=level))


def _start(said: Telegram, offer: Offer, tz: ZoneInfo) -> dt.datetime | None:
    """Another start than was offered; the clock's hour that comes twice is the one that was."""
    time: Moment | None = said["scheduledPickupTime"]
    if time is None or _same([minute(each) for each in time.instants(tz)], offer):
        return None
    return time.instant(tz)


def _same(times: list[dt.datetime], offer: Offer) -> list[dt.datetime]:
    return [each for each in times if each == minute(offer.start_at)]


def _price(said: Telegram, offer: Offer) -> int | None:
    """Another price than was offered; software that has no fare says 0."""
    fare = said["fareAmount"]
    if not fare:
        return None
    cents = round(fare * 100)
    if not 0 < cents <= MOST_CENTS:
        raise said.node.wrong(f"{fare} is no price: {MOST_CENTS // 100:,} is the most", "fareAmount")
    return None if cents == offer.price_cents else cents


def _level(said: Telegram, offer: Offer) -> LevelOfService | None:
    """Another level of service than was asked for."""
    words = [each.lower() for each in said["transportServices"] or ()]
    if not words or offer.level_of_service in words:
        return None
    if len(words) > 1 or words[0] not in tuple(LevelOfService):
        raise said.node.wrong(
            f"it names none, or several, of {', '.join(LevelOfService)}\nMaybe leave it out.",
            "transportServices",
        )
    return LevelOfService(words[0])


def refuse_other_terms(said: Telegram, offer: Offer) -> None:
    """Raises InvalidMessage for a price or level other than was agreed on: a receipt would agree to it."""
    for name, other, agreed in (
        ("fareAmount", _price(said, offer), f"{offer.price_cents / 100:.2f}"),
        ("transportServices", _level(said, offer), offer.level_of_service),
    ):
        if other is not None:
            raise said.node.wrong(
                f"it is not what was agreed on, {agreed}\n"
                "Maybe leave it out; or turn the dispatch back, if that cannot be done.",
                name,
            )


def refuse_other_doors(said: Telegram, offer: Offer) -> None:
    if said["transferPoint"]:
        raise said.at("transferPoint").wrong(
            "a patient is not handed over on the way: a ride goes from door to door\n"
            "Maybe decline it, UNABLE_TO_SERVICE_TRIP."
        )
    refuse_elsewhere(said["scheduledPickupPoint"], offer.pickup_zone)
    refuse_elsewhere(said["scheduledDropoffPoint"], offer.dropoff_zone)


def minute(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(second=0, microsecond=0)
