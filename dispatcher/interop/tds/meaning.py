"""What a vendor's telegram means here: commands that there are, what is proved, a word to the coordinator.

Pure: it looks at the telegram, and at the offer as its vendor sees it. What contradicts itself, or would
change the care and cannot be carried, is refused; nothing of that kind is passed over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.codes import (
    DeclineCode,
    OfferState,
    ProviderCancelCode,
    ReportCode,
    TrackingStatus,
)
from contracts.offers import Offer
from contracts.proofs import ProofPart, ProofReport
from contracts.threads import PostedMessage
from dispatcher.domain.commands.answer_amendment import RefuseAmendment
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.refusals import WrongState
from dispatcher.interop.tds.moments import Moment
from dispatcher.interop.tds.places import position
from dispatcher.interop.tds.reading import Read, Telegram
from dispatcher.interop.tds.terms import minute, refuse_other_doors, refuse_other_terms, yes

T, R, P = TrackingStatus, ReportCode, ProviderCancelCode
LONGEST_REFERENCE = 64
HELD = frozenset({OfferState.ACCEPTED, OfferState.COMPLETED})
EARLIEST = dt.timedelta(hours=2)  # before its window, a vehicle that tells where it is is on another trip
Step = OnOffer | ProofReport | PostedMessage
Steps = tuple[Step, ...]


def answered(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Accept, or counter with another time, price or level; decline by its reason; answer an amendment."""
    reason, time, available = said["tripRejectionReason"], said["scheduledPickupTime"], said["tripAvailable"]
    if available is None and reason is None and time is None:
        raise said.node.wrong(
            "it says neither yes nor no\nMaybe tripAvailable is missing; or tripRejectionReason."
        )
    if reason is not None and available:
        raise said.at("tripRejectionReason").wrong(f"tripAvailable is true, and this says {reason}")
    if available is False or reason is not None:
        if time is not None:
            raise said.at("scheduledPickupTime").wrong(
                "the trip is not available, and has a pick-up time\n"
                "Maybe tripAvailable is true: another time is a counter-offer."
            )
        return (_no(said, offer, DeclineCode(reason or DeclineCode.OTHER)),)
    return (yes(said, offer, tz),)


def confirmed(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Of an open offer: accept or counter, its reference the vehicle; of a dispatch: the vehicle is told."""
    if offer.state is OfferState.REQUESTED:
        return (yes(said, offer, tz, reference=_reference(said)),)
    _refuse_unagreed(said, offer)
    refuse_other_terms(said, offer)
    refuse_other_doors(said, offer)
    times = [minute(each) for each in said["scheduledPickupTime"].instants(tz)]
    first, last = minute(offer.window.earliest), offer.window.latest
    if not any(first <= each <= last for each in times):
        raise said.at("scheduledPickupTime").wrong(
            f"it is outside the window that was agreed on, {first.isoformat()} to {last.isoformat()}\n"
            "Maybe cancel the trip (tripCancelRequest), or write to the coordinator."
        )
    return vehicle(said, offer, tz)


def vehicle(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """The coordinator reads which vehicle and driver come, as a message on the dispatch."""
    _refuse_over(said, offer)
    told = {
        "Vehicle": said["vehicleNumber"],
        "driver": said["driverId"],
        "": said["vehicleInformation"],
        "model": said["vehicleModel"],
        "with": " and ".join(
            name for name, has in (("ramp", said["hasRamp"]), ("lift", said["hasLift"])) if has
        ),
    }
    words = [f"{name} {value.strip()}".strip() for name, value in told.items() if value and value.strip()]
    return (PostedMessage(text=", ".join(words)[:1_000]),) if words else ()


def task_done(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Report by tripStatus: `performed` completed, `no show` no_show, `no pickup` failed."""
    status, code = {
        "performed": (T.COMPLETED, None),
        "no show": (T.NO_SHOW, R.NO_CLIENT),
        "no pickup": (T.FAILED, R.PROVIDER_ADMIN_CANCEL),
    }[said["tripStatus"]]
    return (_report(said, status, said["nodePerformedTime"].instant(tz), code),)


def on_the_way(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Report en_route, unless that is known; where the vehicle is is not kept."""
    at: Moment = said["timecode"] or said.sent
    instant = at.instant(tz)
    if offer.state is OfferState.ACCEPTED and instant < offer.window.earliest - EARLIEST:
        return ()
    return (_report(said, T.EN_ROUTE, instant),)


def noted(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Nothing is done: where a vehicle is is not kept."""
    return ()


def arrived(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Report at_pickup, or on_board once the passenger has boarded; with the position as proof."""
    at, where = said.sent.instant(tz), position(said["GPS"])
    proof = (ProofReport(part=ProofPart.PICKUP, at=at, position=where),) if where else ()
    return (*proof, _report(said, T.ON_BOARD if said["passengerBoarded"] else T.AT_PICKUP, at))


def completed(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Report on_board and completed at their times; what was performed is proof of both ends."""
    start, end = (_performed(said, which, tz) for which in ("Pickup", "Dropoff"))
    if end < start:
        raise said.at("dropoffTime").wrong(
            f"the drop-off at {end.isoformat()} is before the pick-up at {start.isoformat()}\n"
            "Maybe one of them has another time zone."
        )
    proofs = (
        ProofReport(part=part, at=at, position=_where(said[f"performed{which}Point"]))
        for part, which, at in ((ProofPart.PICKUP, "Pickup", start), (ProofPart.DROPOFF, "Dropoff", end))
        if said[f"performed{which}Time"] or said[f"performed{which}Point"]
    )
    return (*proofs, _report(said, T.ON_BOARD, start), _report(said, T.COMPLETED, end))


def scheduled(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Nothing is done: it is a receipt; that a payment is rejected is a dispute, of a line."""
    if said["paymentRejected"]:
        raise said.node.wrong(
            "what is wrong about a price is said of its line, and not by telegram\n"
            "Maybe POST …/dispatches/{offer_id}/price/disputes.",
            "paymentRejected",
        )
    return ()


def cancelled(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """Decline an open offer; turn a dispatch back."""
    said["cancellationTime"].instants(tz)
    code = CANCELS.get(said["reason"], DeclineCode.OTHER)
    if offer.state is OfferState.REQUESTED:
        return (DeclineOffer(offer_id=said.offer_id, code=code),)
    return (_report(said, T.TURNED_BACK, None, ReportCode(code)),)


def cancel_answered(said: Telegram, offer: Offer, tz: ZoneInfo) -> Steps:
    """By the provider: no_show by its reason, else turned back. To a cancellation of ours: a receipt."""
    at = said["cancellationTime"].instant(tz)
    if said["cancellationRequestOrigin"] == "client":
        return _receipt(said, offer)
    if not said["cancellationApproved"]:
        raise said.at("cancellationApproved").wrong("the provider cancels, and does not approve it")
    code = P(said["reason"] or P.PROVIDER_ADMIN_CANCEL)
    if code is not P.PROVIDER_ADMIN_CANCEL:
        return (_report(said, T.NO_SHOW, at, ReportCode(code)),)
    if offer.state is OfferState.REQUESTED:
        return (DeclineOffer(offer_id=said.offer_id, code=DeclineCode.OTHER),)
    return (_report(said, T.TURNED_BACK, None, R.PROVIDER_ADMIN_CANCEL),)


CANCELS: Mapping[str | None, DeclineCode] = {  # TCRP has a client's reasons alone for tripCancelRequest
    "UNABLE_TO_MAKE_TRIP": DeclineCode.UNABLE_TO_SERVICE_TRIP,
    "BOOKING_TIME": DeclineCode.INVALID_SERVICE_HOURS,
}


class Taken(NamedTuple):
    """What becomes of one kind of telegram: its number in the report, what it means, what is answered."""

    number: str
    meaning: Callable[[Telegram, Offer, ZoneInfo], Steps]
    answer: str = "telegram"


TAKEN: Mapping[str, Taken] = {
    "tripRequestResponse": Taken("1B", answered),
    "providerOrderConfirmation": Taken("2B", confirmed),
    "vehicleConfirmation": Taken("2BB", vehicle),
    "tripTaskConfirmation": Taken("3B", task_done),
    "tripTaskCompletion": Taken("4A", completed, "tripScheduledConfirmation"),
    "tripScheduledConfirmation": Taken("4B", scheduled),
    "tripTaskStatus": Taken("5", on_the_way),
    "tripCancelRequest": Taken("6A", cancelled, "tripCancelResponse"),
    "tripCancelResponse": Taken("6B", cancel_answered),
    "realtimeTripUpdate": Taken("8B", on_the_way),
    "realtimeVehiclePosition": Taken("9B", noted),
    "tripPickupArrivalConfirmation": Taken("10B", arrived),
}


def _no(said: Telegram, offer: Offer, code: DeclineCode) -> OnOffer:
    if offer.amendment:
        return RefuseAmendment(offer_id=said.offer_id, number=offer.amendment)
    return DeclineOffer(offer_id=said.offer_id, code=code)


def _refuse_unagreed(said: Telegram, offer: Offer) -> None:
    """Raises WrongState for what its sender may take for a yes, and is none."""
    _refuse_over(said, offer)
    if offer.amendment:
        raise WrongState(
            f"dispatch {said.offer_id} is to be changed, and this is no answer to that\n"
            "Maybe answer its tripRequest first: tripRequestResponse, tripAvailable true or false.",
            state=offer.state.value,
        )


def _refuse_over(said: Telegram, offer: Offer) -> None:
    """Raises WrongState for work that is not its vendor's, not yet or no more."""
    if offer.state not in HELD:
        raise WrongState(
            f"offer {said.offer_id} is {offer.state}: its work is not yours\n"
            "Maybe it is open still: accept it first. Else send no vehicle; GET …/offers has what is yours.",
            state=offer.state.value,
        )


def _reference(said: Telegram) -> str:
    number = (said["vehicleNumber"] or "").strip()
    if len(number) > LONGEST_REFERENCE:
        raise said.node.wrong(
            f"it has {len(number)} characters, the limit is {LONGEST_REFERENCE}", "vehicleNumber"
        )
    return number


def _report(
    said: Telegram, status: TrackingStatus, at: dt.datetime | None, code: ReportCode | None = None
) -> ReportStatus:
    return ReportStatus(offer_id=said.offer_id, status=status, at=at, code=code)


def _performed(said: Telegram, which: str, tz: ZoneInfo) -> dt.datetime:
    time: Moment = said[f"performed{which}Time"] or said[f"{which.lower()}Time"]
    return time.instant(tz)


def _where(address: Read | None) -> tuple[float, float] | None:
    return position(address["geographicLocation"]) if address is not None else None


def _receipt(said: Telegram, offer: Offer) -> Steps:
    is_over = offer.state in (OfferState.CANCELLED, OfferState.EXPIRED, OfferState.TURNED_BACK)
    if is_over and said["cancellationApproved"]:
        return ()
    what = "is not cancelled" if not is_over else "is cancelled, whether or not its provider approves"
    hint = "origin `provider` is meant" if not is_over else "ask the coordinator what is owed for it"
    raise WrongState(f"offer {said.offer_id} {what}\nMaybe {hint}.", state=offer.state.value)
