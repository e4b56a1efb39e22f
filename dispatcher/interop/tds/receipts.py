"""What a telegram is answered with, in the call that brought it. Pure.

A receipt repeats the timestamp of what it answers: a telegram that comes twice has the same answer twice.
"""

from __future__ import annotations

from contracts.offers import Offer
from dispatcher.interop.tds.meaning import TAKEN
from dispatcher.interop.tds.reading import Telegram
from dispatcher.interop.tds.writing import Element, element, telegram


def answer(said: Telegram, offer: Offer) -> bytes:
    """The answer, once it had its effect; `offer` as it stands then."""
    name = TAKEN[said.name].answer
    if name == "tripScheduledConfirmation":
        return _answer(
            said, name, element("dataReceived", text="true"), paymentRejected=_is_rejected(said, offer)
        )
    if name == "tripCancelResponse":
        return _answer(
            said,
            name,
            _again(said, "cancellationTime"),
            element("cancellationApproved", text="true"),
            element("cancellationRequestOrigin", text="provider"),
        )
    return telegram(name, said.offer_id, _again(said, "timestamp"), kind=said["telegramType"])


def _answer(said: Telegram, name: str, *children: Element, **attributes: object) -> bytes:
    return telegram(name, said.offer_id, _again(said, "timestamp"), *children, **attributes)


def _again(said: Telegram, name: str) -> Element:
    return element(name, **said.at(name).attributes)


def _is_rejected(said: Telegram, offer: Offer) -> bool:
    """Whether it names another cost than is paid: the price is what was agreed on, with waiting and fees."""
    cost = said["cost"]
    return bool(cost) and round(cost * 100) != offer.price_cents
