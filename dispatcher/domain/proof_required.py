"""Which proof a market wants of a dispatch, and what of it is lacking."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag

from msgspec.structs import replace

from contracts.proofs import ProofPart
from contracts.tuning import Number, Parameter
from dispatcher.domain.offers import OfferRecord

RIDE = Parameter(
    name="proof_ride_required",
    default=0,
    minimum=0,
    maximum=3,
    unit="level",
    summary="Proof of a completed ride, without which there is a task. 0: none; 1: of the drop-off; 2: of "
    "both ends; 3: and a signature at the drop-off, or why there is none.",
    scope="domain.proof_required",
)
DELIVERY = Parameter(
    name="proof_delivery_required",
    default=0,
    minimum=0,
    maximum=3,
    unit="level",
    summary="Proof of delivered equipment, without which there is a task. 0: none; 1: of the delivery; 2: "
    "and a signature, or why there is none; 3: and that its use was explained.",
    scope="domain.proof_required",
)
PARAMETERS = (RIDE, DELIVERY)
EQUIPMENT = "equipment"


class Proved(IntFlag):
    """What is there of a proof."""

    PICKUP = 1
    DROPOFF = 2
    DELIVERY = 4
    PICKUP_SIGNATURE = 8  # or why there is none
    DROPOFF_SIGNATURE = 16
    DELIVERY_SIGNATURE = 32
    INSTRUCTION = 64
    PICKUP_OUTSIDE = 128  # its vendor was too far from the door, by its own position

    @classmethod
    def of(cls, part: ProofPart) -> Proved:
        """That something was said of a part."""
        return cls[part.name]

    @classmethod
    def signed(cls, part: ProofPart) -> Proved:
        """That it was signed for, or why it was not."""
        return cls[f"{part.name}_SIGNATURE"]


_RIDE = ((Proved.DROPOFF, 1), (Proved.PICKUP, 2), (Proved.DROPOFF_SIGNATURE, 3))
_DELIVERY = ((Proved.DELIVERY, 1), (Proved.DELIVERY_SIGNATURE, 2), (Proved.INSTRUCTION, 3))


def parts_of(kind: str) -> tuple[ProofPart, ...]:
    """What may be proved of work of this kind."""
    return (ProofPart.DELIVERY,) if kind == EQUIPMENT else (ProofPart.PICKUP, ProofPart.DROPOFF)


def required(kind: str, values: Mapping[str, Number]) -> tuple[Proved, ...]:
    """What the market wants of work of this kind, in the order in which it comes to be."""
    wanted, level = (_DELIVERY, DELIVERY) if kind == EQUIPMENT else (_RIDE, RIDE)
    return tuple(sorted(each for each, least in wanted if level.whole(values) >= least))


def names(proved: tuple[Proved, ...]) -> tuple[str, ...]:
    """As they are told: `dropoff`, `dropoff_signature`."""
    return tuple(str(each.name).lower() for each in proved)


def lacking(kind: str, proved: int, values: Mapping[str, Number]) -> tuple[str, ...]:
    """What is wanted and not there."""
    return names(tuple(each for each in required(kind, values) if not proved & each))


def ended(offer: OfferRecord, kind: str, values: Mapping[str, Number]) -> OfferRecord:
    """An offer whose work is over; if it was done, with what there is no proof of."""
    lacks = lacking(kind, offer.proved, values) if offer.is_done else ()
    return replace(offer, lacking=",".join(lacks)) if lacks else offer


def noted(offer: OfferRecord, proved: int) -> OfferRecord:
    """With what is proved of it; of what was lacking when it ended, the rest is lacking still."""
    still = [each for each in offer.lacking.split(",") if each and not proved & Proved[each.upper()]]
    return replace(offer, proved=int(proved), lacking=",".join(still))


def proved_as(offer: OfferRecord, before: OfferRecord) -> OfferRecord:
    """The same, with what was proved of it before."""
    return replace(offer, proved=before.proved, lacking=before.lacking)
