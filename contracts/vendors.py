"""A vendor: what it may serve, where, when, at what price, and how it answers.

What ops says of a vendor stands in its document and is kept by the service: a change of the document takes it
over as it stands, whatever is sent.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from contracts.base import Cents, Day, Id, Instant, Kilograms, Name, Version, Wire
from contracts.codes import CredentialKind, Hcpcs, LevelOfService, Npi, Skill
from contracts.geo import Area
from contracts.onboarding import Onboarding, OnboardingState, Reason
from contracts.outside import refuse_no_name, refuse_odd_line, refuse_repeated, refuse_wrong_npi
from contracts.paging import PageSize
from contracts.papers import PaperFile, Sha256
from contracts.patterns import whole

AnswerSeconds = Annotated[int, Meta(ge=10, le=604_800, description="seconds")]
MinuteOfDay = Annotated[int, Meta(ge=0, le=1440, description="minutes after local midnight")]
VendorCursor = Annotated[
    str, Meta(pattern=whole("[A-Za-z0-9_-]{0,64}"), description="of the page before: its last id")
]
Document = Annotated[
    str, Meta(max_length=200, description="a paper's number and issuer, or its address; nothing of patients")
]
MAX_CREDENTIALS = 32


class Hours(Wire):
    """Open from `opens` to `closes` (local minutes of the day) on one weekday (0 = Monday)."""

    weekday: Annotated[int, Meta(ge=0, le=6)]
    opens_minute: MinuteOfDay = 0
    closes_minute: MinuteOfDay = 1440

    def __post_init__(self) -> None:
        """Refuse hours that close before they open."""
        if self.closes_minute <= self.opens_minute:
            raise ValueError(
                f"closes_minute {self.closes_minute} is not after opens_minute {self.opens_minute}\n"
                "Maybe split hours over midnight into two days."
            )


class BaseFare(Wire):
    """The fare of one level of service up to the included distance."""

    level_of_service: LevelOfService
    base_cents: Cents
    extra_mile_cents: Cents = 150


class EquipmentFare(Wire):
    """The price of a piece of one HCPCS code, by rental month or purchase; used, if not told, as new."""

    hcpcs: Hcpcs
    rental_cents: Cents = 0
    purchase_cents: Cents = 0
    used_cents: Cents = 0


class RateCard(Wire):
    """What a vendor charges (defaults: a broker's published card)."""

    fares: Annotated[tuple[BaseFare, ...], Meta(max_length=16)] = ()
    equipment: Annotated[tuple[EquipmentFare, ...], Meta(max_length=200)] = ()
    included_miles: Annotated[int, Meta(ge=0, le=500)] = 15
    delivery_cents: Cents = 3_500
    night_cents: Cents = 4_500
    weekend_cents: Cents = 2_250
    out_of_area_cents: Cents = 2_500
    deadhead_mile_cents: Cents = 0  # each mile by which the further end lies beyond its area
    attendant_cents: Cents = 0  # each attendant beyond the driver
    waiting_half_hour_cents: Cents = 1_000  # each that has begun, after
    waiting_free_minutes: Annotated[int, Meta(ge=0, le=240, description="minutes")] = 15
    turn_back_cents: Cents = 0  # what it owes when it gives accepted work back
    late_cancel_cents: Cents = 0  # what it is owed when accepted work is taken back later than
    late_cancel_minutes: Annotated[int, Meta(ge=0, le=10_080, description="minutes")] = 60  # before its start
    no_show_cents: Cents = 0  # what it is owed when it was there and the passenger was not


class Signed(Wire):
    """Who did something, and when: a role or a vendor, and whom of it the token names (`sub`)."""

    by: str
    subject: str = ""
    at: Instant


class OpsPause(Signed):
    """Ops sends a vendor no new work; ops alone ends it. The vendor's own `paused` is another matter."""

    reason: str


class Paper(Wire):
    """One credential by what it says: its kind and its last valid day."""

    kind: CredentialKind
    expires_on: Day


class Credential(Paper):
    """Proof that expires. Whoever sends it claims it, ops verifies it; changed, it is another and unverified.

    `claimed`, `verified` and `file` are kept by the service: what is sent of them is not taken.
    """

    claimed: Signed | None = None  # none: from before this was noted
    verified: Signed | None = None
    document: Document = ""  # which paper it is, for ops to look at: its number and issuer, or where it lies
    file: PaperFile | None = None  # kept by the service, too: a picture of it, or a PDF


class ExplicitAnswer(Wire, tag="explicit", tag_field="mode"):
    """The vendor must accept within the limit, or the offer expires."""

    time_limit_s: AnswerSeconds = 600


class AssumedAnswer(Wire, tag="assumed", tag_field="mode"):
    """Silence is acceptance: the vendor has this long to reject."""

    reject_within_s: AnswerSeconds = 600


class Vendor(Wire):
    """A transport or equipment vendor of one market."""

    id: Id
    name: Name
    npi: Npi | None = None
    levels_of_service: Annotated[tuple[LevelOfService, ...], Meta(max_length=16)] = ()
    hcpcs: Annotated[tuple[Hcpcs, ...], Meta(max_length=500)] = ()
    skills: Annotated[tuple[Skill, ...], Meta(max_length=32)] = ()
    max_oxygen_l_min: Annotated[float, Meta(ge=0, le=15)] = 0.0
    max_stairs: Annotated[int, Meta(ge=0, le=100)] = 0
    max_weight_kg: Kilograms = 136
    max_escorts: Annotated[int, Meta(ge=0, le=10)] = 1
    service_area: Annotated[tuple[Area, ...], Meta(min_length=1, max_length=50)]
    out_of_area_m: Annotated[int, Meta(ge=0, le=200_000)] = 0  # how far beyond it goes, for a surcharge
    hours: Annotated[tuple[Hours, ...], Meta(max_length=50)] = ()  # none listed: always open
    rate_card: RateCard = RateCard()
    credentials: Annotated[tuple[Credential, ...], Meta(max_length=MAX_CREDENTIALS)] = ()
    answer: ExplicitAnswer | AssumedAnswer = ExplicitAnswer()
    paused: bool = False  # by the vendor itself
    ops_pause: OpsPause | None = None  # kept by the service: what is sent of it is not taken
    onboarding: Onboarding | None = None  # kept by the service, too; none: active
    max_attendants: Annotated[int, Meta(ge=0, le=4)] = 4  # crew beyond the driver

    @property
    def as_claimed(self) -> Vendor:
        """Without what the service keeps: as it is sent, and as two may be compared."""
        papers = tuple(replace(each, claimed=None, verified=None, file=None) for each in self.credentials)
        return replace(self, credentials=papers, ops_pause=None, onboarding=None)

    @property
    def state(self) -> OnboardingState:
        """How far it is on its way to work; who was there before there were states is active."""
        return self.onboarding.state if self.onboarding is not None else OnboardingState.ACTIVE

    @property
    def is_active(self) -> bool:
        """Whether ops lets it be offered work."""
        return self.state is OnboardingState.ACTIVE

    @property
    def is_paused(self) -> bool:
        """Whether it, or ops, has paused it."""
        return self.paused or self.ops_pause is not None

    @property
    def takes_work(self) -> bool:
        """Whether it is active, and nobody has paused it."""
        return self.is_active and not self.is_paused

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a name that cannot be read, an NPI that was mistyped, and two prices for one thing."""
        refuse_no_name(f"{pointer}/name", self.name)
        self._refuse_repeated(pointer)
        for number, paper in enumerate(self.credentials):
            if paper.document:
                refuse_odd_line(f"{pointer}/credentials/{number}/document", paper.document, "a document")
        if self.npi is not None:
            refuse_wrong_npi(f"{pointer}/npi", self.npi)

    def _refuse_repeated(self, pointer: str) -> None:
        card, papers = self.rate_card, [f"{each.kind} until {each.expires_on}" for each in self.credentials]
        levels, codes = (
            [each.level_of_service for each in card.fares],
            [each.hcpcs for each in card.equipment],
        )
        one = "Maybe keep one of the two: only the first would count."
        refuse_repeated(f"{pointer}/rate_card/fares", levels, one)
        refuse_repeated(f"{pointer}/rate_card/equipment", codes, one)
        refuse_repeated(f"{pointer}/credentials", papers, "Maybe the other has another last day.")


class Posted(Wire, omit_defaults=False):
    """A version is stored; the same number is its ETag."""

    version: Annotated[int, Meta(ge=1)]


class VendorQuery(Wire):
    """A page of the vendors, by id."""

    cursor: VendorCursor = ""
    limit: PageSize = 50


class StoredVendor(Wire, omit_defaults=False):
    """A vendor and the version (its ETag) that it stands at."""

    version: Version
    vendor: Vendor


class VendorPage(Wire, omit_defaults=False):
    """Vendors by id; `cursor` is empty on the last page."""

    vendors: tuple[StoredVendor, ...] = ()
    cursor: str = ""


class PauseVendor(Wire):
    """Ops sends the vendor no new work; what it has, it keeps."""

    reason: Reason


class SeenPaper(Paper):
    """`sha256`: the document that was looked at; where the vendor has sent another since, it is refused."""

    sha256: Sha256 | None = None


class VerifyCredentials(Wire):
    """Ops has seen these papers, or (`verified` false) takes back that it has."""

    credentials: Annotated[tuple[SeenPaper, ...], Meta(min_length=1, max_length=MAX_CREDENTIALS)]
    verified: bool = True
