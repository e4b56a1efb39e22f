"""Proof that work was done: when and where, who signed, what was delivered; pictures beside it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import (
    Day,
    Id,
    Instant,
    Metres,
    Name,
    OfferId,
    Tally,
    Wire,
    refuse_odd_year,
)
from contracts.codes import Hcpcs
from contracts.event_types import event
from contracts.geo import Position
from contracts.outside import refuse_no_name, refuse_odd_line
from contracts.problems import InvalidMessage
from contracts.streams import To

MAX_PICTURE_BYTES = 512 * 1024
MAX_GIVEN = 12  # times that a dispatch's proof is given, corrections included
MAX_PICTURES = 12
MAX_ITEMS = 40
PNG, JPEG = "image/png", "image/jpeg"
MAGIC = {PNG: b"\x89PNG\r\n\x1a\n", JPEG: b"\xff\xd8\xff"}
ZIP = "application/zip"

Miles = Annotated[float, Meta(ge=0, le=2_000_000, description="as the odometer shows them")]
Code = Annotated[str, Meta(max_length=64, description="as it is printed on the item")]


class ProofPart(StrEnum):
    """What is proved: the two ends of a ride, or the delivery of equipment."""

    PICKUP = "pickup"
    DROPOFF = "dropoff"
    DELIVERY = "delivery"


class Picture(StrEnum):
    """What a picture shows."""

    SIGNATURE = "signature"
    PHOTO = "photo"


class Relationship(StrEnum):
    """Who signed, to the patient."""

    SELF = "self"
    SPOUSE = "spouse"
    PARENT = "parent"
    CHILD = "child"
    RELATIVE = "relative"
    GUARDIAN = "guardian"
    CAREGIVER = "caregiver"
    FACILITY_STAFF = "facility_staff"
    OTHER = "other"


class NotSigned(StrEnum):
    """Why there is no signature."""

    DECLINED = "declined"
    UNABLE = "unable"  # to sign: body or mind
    NOBODY_THERE = "nobody_there"
    PRECAUTIONS = "precautions"  # an infection: nothing is handed over
    OTHER = "other"


class Signature(Wire):
    """Who signed, or why nobody did: one of the two. The writing itself is a picture."""

    by: Name | None = None
    relationship: Relationship | None = None
    refused: NotSigned | None = None

    def __post_init__(self) -> None:
        """Refuse one that says neither, or both."""
        if (self.by is None) is (self.refused is None) or (self.by is None) is not (
            self.relationship is None
        ):
            raise ValueError(
                "a signature says `by` and `relationship`, or `refused`\n"
                "Maybe leave the whole signature out where nobody was asked for one."
            )


class DeliveredItem(Wire):
    """One thing that was left: what it is, how many, and what is printed on it."""

    item: Name
    hcpcs: Hcpcs
    quantity: Annotated[int, Meta(ge=1, le=10_000, description="pieces")] = 1
    serial: Code = ""
    lot: Code = ""


class ProofReport(Wire):
    """What the driver or technician says of one part. Given anew it is a correction: both are kept."""

    part: ProofPart
    at: Instant | None = None  # when it happened: not to come, nor before the offer; left out: now
    position: Position | None = None
    odometer_miles: Miles | None = None
    signature: Signature | None = None
    items: Annotated[tuple[DeliveredItem, ...], Meta(max_length=MAX_ITEMS)] = ()
    instruction_given: bool = False  # how to use the equipment was shown, and understood

    def __post_init__(self) -> None:
        """Refuse a time that no calendar of ours holds, and a ride that delivers things."""
        refuse_odd_year("at", self.at)
        if self.part is not ProofPart.DELIVERY and (self.items or self.instruction_given):
            raise ValueError(
                f"{self.part} has no items and no instruction\nMaybe it is the part `delivery` that is meant."
            )

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse names that show nothing, and codes of several lines."""
        if self.signature is not None and self.signature.by is not None:
            refuse_no_name(f"{pointer}/signature/by", self.signature.by)
        for number, each in enumerate(self.items):
            where = f"{pointer}/items/{number}"
            refuse_no_name(f"{where}/item", each.item)
            for name, code in (("serial", each.serial), ("lot", each.lot)):
                if code:
                    refuse_odd_line(f"{where}/{name}", code, f"a {name} number")


class PictureView(Wire, omit_defaults=False):
    """A picture that is kept; its bytes are a call of their own."""

    part: ProofPart
    of: Picture
    number: Annotated[int, Meta(ge=1, description="of those of its part and kind; the last one counts")]
    media: str
    bytes: Tally
    sha256: str
    at: Instant


class PartView(Wire, omit_defaults=False):
    """What was said of one part."""

    report: ProofReport
    number: Annotated[int, Meta(ge=1, description="from 1, in the order in which they came")]
    at: Instant  # when it happened
    received_at: Instant
    by: str  # `vendor:<id>`, or the role
    apart_m: Metres | None = None  # from the door to the position; None: it was not told, or is no matter
    outside: bool = False  # it is farther than the market's `geofence_m`
    counts: bool = True  # no later one corrects it


class ProofView(Wire, omit_defaults=False):
    """The proof of one dispatch: what there is of it, and what is still lacking."""

    offer_id: OfferId
    request_id: Id
    vendor_id: Id
    kind: str
    start_at: Instant
    parts: tuple[PartView, ...] = ()
    pictures: tuple[PictureView, ...] = ()
    required: tuple[str, ...] = ()  # `pickup`, `dropoff_signature`, …: what this market wants
    lacking: tuple[str, ...] = ()  # of that
    kept_until: Instant | None = None


class PictureQuery(Wire):
    """Which picture of a part."""

    of: Picture = Picture.SIGNATURE


class KeptPictureQuery(Wire):
    """Which picture of a part to read; without a number the last one."""

    of: Picture = Picture.SIGNATURE
    number: Annotated[int, Meta(ge=1, le=MAX_PICTURES)] | None = None


class ProofQuery(Wire):
    """Which day's proofs: that of the agreed start."""

    day: Day


@event("dispatch.proof.given", to=To.EVENTS)
class ProofGiven(Wire):
    """A part of a proof was given, or a picture of it. By ids and codes: the rest is read over HTTP."""

    offer_id: OfferId
    request_id: Id
    vendor_id: Id
    part: ProofPart
    picture: Picture | None = None
    outside: bool = False
    lacking: tuple[str, ...] = ()


def refuse_odd_picture(content: bytes, media: str, magic: Mapping[str, bytes] = MAGIC) -> None:
    """Raises InvalidMessage unless the bytes begin as their type says."""
    if not content.startswith(magic[media]):
        raise InvalidMessage.at(
            "",
            f"the body is said to be {media}, and does not begin like one\n"
            f"Maybe it is another type: {' or '.join(magic)} is taken.",
        )
