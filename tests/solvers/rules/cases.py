"""Random requests and vendors for the rules, and the two ways in which a rule judges them."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from contracts.codes import Acquisition, CredentialKind, DoorLevel, LevelOfService, Skill
from contracts.geo import Circle, Place, Polygon
from contracts.needs import PassengerNeeds
from contracts.onboarding import Onboarding, OnboardingState
from contracts.requests import OrderLine
from contracts.vendors import BaseFare, Credential, EquipmentFare, Hours, OpsPause, RateCard, Signed, Vendor
from solvers.acceptance import CELLS, tables
from solvers.capacity.pools import PoolSupply
from solvers.durations import durations
from solvers.encoding import VendorBook
from solvers.rules.base import Candidate, Candidates, View
from solvers.rules.cap import ANY, CapLeft
from solvers.rules.pool_limits import PoolLimit
from solvers.screening import CLASSES, OpenRequest, Screening
from tests.solvers import town

CODES = ("E1390", "E0260", "E0431", "K0001")
positions = st.tuples(st.floats(-74.4, -73.6), st.floats(40.4, 41.0))
subsets = lambda values: st.lists(st.sampled_from(values), unique=True, max_size=4).map(tuple)  # noqa: E731


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    """A star-shaped ring around a point: no edges cross."""
    lon, lat = draw(positions)
    radii = draw(st.lists(st.floats(0.02, 0.3), min_size=3, max_size=7))
    turn = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return Polygon(
        ring=tuple(
            (float(lon + r * np.cos(a)), float(lat + r * np.sin(a))) for r, a in zip(radii, turn, strict=True)
        )
    )


circles = st.builds(Circle, centre=positions, radius_m=st.integers(500, 40_000))
spans = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda span: span[0] < span[1])
hours = st.builds(
    lambda weekday, span: Hours(weekday=weekday, opens_minute=span[0], closes_minute=span[1]),
    st.integers(0, 6),
    spans | st.just((0, 1440)),
)
SEEN = Signed(by="ops", at=datetime(2026, 1, 1, tzinfo=UTC))
SUSPENDED = Onboarding(state=OnboardingState.SUSPENDED, by="ops", at=SEEN.at, reason="no belts")
OPS_PAUSE = OpsPause(by="ops", at=SEEN.at, reason="late, again and again")
credentials = st.builds(
    Credential,
    kind=st.sampled_from(CredentialKind),
    expires_on=st.integers(-3, 4).map(lambda days: town.DAY + timedelta(days=days)),
    verified=st.none() | st.just(SEEN),
)
rate_cards = st.builds(
    RateCard,
    fares=subsets(tuple(LevelOfService)).map(
        lambda levels: tuple(
            BaseFare(level_of_service=each, base_cents=1_000 + 777 * n) for n, each in enumerate(levels)
        )
    ),
    equipment=st.lists(
        st.builds(
            EquipmentFare,
            hcpcs=st.sampled_from(CODES),
            rental_cents=st.integers(0, 3).map(lambda n: n * 1_234),
            purchase_cents=st.integers(0, 3).map(lambda n: n * 23_456),
            used_cents=st.integers(0, 1).map(lambda n: n * 3_456),
        ),
        max_size=4,
    ).map(tuple),
    included_miles=st.integers(0, 20),
    deadhead_mile_cents=st.sampled_from([0, 175]),
    attendant_cents=st.sampled_from([0, 2_000]),
)


@st.composite
def vendors(draw: st.DrawFn, number: int = 0) -> Vendor:
    kinds = tuple(Credential(kind=kind, expires_on=date(2027, 1, 1)) for kind in CredentialKind)
    return Vendor(
        id=f"v{number}",
        name="Any",
        levels_of_service=draw(subsets(tuple(LevelOfService))),
        hcpcs=draw(subsets(CODES)),
        skills=draw(st.lists(st.sampled_from(Skill), unique=True).map(tuple)),
        max_oxygen_l_min=draw(st.sampled_from([0.0, 2.0, 6.0])),
        max_stairs=draw(st.integers(0, 4)),
        max_weight_kg=draw(st.integers(80, 160)),
        max_escorts=draw(st.integers(0, 2)),
        service_area=tuple(draw(st.lists(circles | polygons(), min_size=1, max_size=3))),
        out_of_area_m=draw(st.sampled_from([0, 3_000, 20_000])),
        hours=tuple(draw(st.lists(hours, max_size=6))),
        rate_card=draw(rate_cards),
        credentials=draw(st.just(kinds) | st.lists(credentials, max_size=9).map(tuple)),
        paused=draw(st.booleans()),
        ops_pause=draw(st.none() | st.just(OPS_PAUSE)),
        onboarding=draw(st.none() | st.just(SUSPENDED)),
    )


@st.composite
def requests(draw: st.DrawFn, number: int = 0) -> OpenRequest:
    common: dict[str, Any] = {
        "excluded_vendors": draw(subsets(("v0", "v1", "v9"))),
        "preferred_vendors": draw(subsets(("v0", "v1", "v9"))),
        "start_min": draw(st.integers(-200, 2_200)),
        "payer": draw(st.sampled_from((None, "medicaid", "medicare"))),
    }
    declined = draw(subsets(("v0", "v1", "v2")))
    if draw(st.booleans()):
        return _bounded(draw, town.asked(_order(draw, number, common), *declined))
    needs = PassengerNeeds(
        attendants=draw(st.integers(0, 2)),
        escorts=draw(st.integers(0, 2)),
        oxygen_l_min=draw(st.sampled_from([0.0, 2.0, 5.5])),
        stairs=draw(st.integers(0, 4)),
        weight_kg=draw(st.none() | st.integers(80, 160)),
        infectious_precautions=draw(st.booleans()),
        door_level=draw(st.sampled_from(DoorLevel)),
    )
    trip = town.trip(
        f"r{number}",
        pickup=Place(position=draw(positions)),
        dropoff=Place(position=draw(positions)),
        level_of_service=draw(st.sampled_from(LevelOfService)),
        needs=needs,
        width_min=draw(st.integers(0, 90)),
        **common,
    )
    return _bounded(draw, town.asked(trip, *declined))


def _bounded(draw: st.DrawFn, asked: OpenRequest) -> OpenRequest:
    """With bounds on its start near its earliest, or one of them, or none."""
    before, after = (draw(st.none() | st.integers(-60, 150)) for _ in range(2))
    return replace(
        asked,
        not_before_ms=None if before is None else asked.earliest_ms + before * 60_000,
        not_after_ms=None if after is None else asked.earliest_ms + after * 60_000,
    )


def _order(draw: st.DrawFn, number: int, common: dict[str, Any]) -> Any:
    lines = draw(
        st.lists(
            st.builds(
                OrderLine,
                hcpcs=st.sampled_from(CODES),
                quantity=st.integers(1, 3) | st.just(10_000),
                acquisition=st.sampled_from(Acquisition),
            ),
            min_size=1,
            max_size=3,
        )
    )
    skills = draw(subsets(tuple(Skill)))
    return town.order(f"r{number}", *lines, place=Place(position=draw(positions)), skills=skills, **common)


def many(kind: Any, most: int = 4) -> st.SearchStrategy[list[Any]]:
    """1 to `most` of a composite that takes a number."""
    return st.integers(1, most).flatmap(lambda n: st.tuples(*(kind(number) for number in range(n)))).map(list)


@dataclass
class Case:
    """A screening, all its candidates, and each in the words of the messages."""

    screening: Screening
    asked: list[OpenRequest]
    vendors: list[Vendor]
    candidates: Candidates
    book: VendorBook

    def view(self, code: str) -> View:
        return View(self.screening, slice(0, len(self.asked)), code)

    def candidate(self, row: int) -> Candidate:
        one, horizon, book = self.candidates.at(row), self.screening.horizon, self.book
        vendor = book.vendors[one.vendor]
        return Candidate(
            asked=self.asked[one.request],
            vendor=vendor,
            start_ms=one.start_ms,
            end_ms=one.start_ms + one.service_ms,
            free_ms=one.start_ms + one.taken_ms,
            metres=one.metres,
            room=self.screening.supply.room(one.vendor, one.resource, horizon.day_at(one.start_ms)),
            known=book.known_of(vendor.id),
            now_ms=self.screening.now_ms,
            horizon=horizon,
            values=self.screening.values,
            resource=one.resource,
        )


def every_candidate(screening: Screening, pools: int, starts: list[int]) -> Candidates:
    """Each request at each vendor and pool, at minutes after its earliest; some beyond its window."""
    facts, vendors = screening.facts, screening.vendors
    shape = (len(facts), vendors, pools, len(starts))
    request, vendor, pool, nth = (axis.reshape(-1) for axis in np.indices(shape))
    start_ms = facts.earliest_ms[request] + np.array(starts)[nth] * 60_000
    start_ms = np.clip(start_ms, screening.horizon.start_ms, screening.horizon.end_ms - 1)
    hour = screening.horizon.minute_of_day(start_ms) // 60
    ride = screening.travel.between(facts.pickup[request], facts.dropoff[request], hour)
    trips = facts.is_trip[request]
    lasts = durations(trips, facts.onsite_min[request], np.where(trips, ride.seconds, 0), screening.values)
    return Candidates(
        request, vendor, pool, start_ms, lasts.service_ms, lasts.taken_ms, np.where(trips, ride.metres, 0.0)
    )


@st.composite
def expected(draw: st.DrawFn) -> dict[str, bytes]:
    """Nothing, or what is expected of one vendor whose answers are drawn by a seed, and of all others."""
    seed = draw(st.one_of(st.none(), st.integers(0, 2**32 - 1)))
    if seed is None:
        return {}
    asked = np.random.default_rng(seed).integers(0, 9, (2, CELLS)).astype(np.float64)
    sure = np.full((1, len(CLASSES)), 0.6)
    return tables({"v1": asked.min(axis=0)}, {"v1": asked[0]}, unknown=0.8, weight=10, sure=sure)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    asked, held = draw(many(requests)), draw(many(vendors, 3))
    values = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "service_area_slack_m": st.sampled_from([0, 5_000]),
                "service_area_enforced": st.integers(0, 1),
                "hours_enforced": st.integers(0, 1),
                "hours_overrun_minutes": st.integers(0, 60),
                "credentials_grace_days": st.integers(0, 3),
                "credentials_enforced": st.integers(0, 1),
                "credentials_verified_only": st.integers(0, 1),
                "night_from_hour": st.integers(0, 24),
                "night_to_hour": st.integers(0, 24),
                "price_weight": st.sampled_from([0.5, 1.0]),
                "bucket_minutes": st.sampled_from([5, 15]),
            },
        )
    )
    of_vendor = st.sampled_from(("v0", "v1", "v9"))
    known: dict[str, Any] = {
        "scorecards": draw(st.dictionaries(of_vendor, st.floats(0, 1))),
        "pool_limits": draw(st.dictionaries(of_vendor, pool_limits())),
        "acceptance": draw(expected()),
        "caps": draw(st.dictionaries(of_vendor, caps())),
    }
    supply = _supply(draw, len(held))
    made = town.screening(asked, held, supply, values, known=known)
    starts = draw(st.lists(st.integers(0, 120), min_size=1, max_size=3, unique=True))
    candidates = every_candidate(made, supply.serves.shape[1], starts)
    return Case(made, asked, held, candidates, VendorBook.of(held, known))


def caps() -> st.SearchStrategy[list[CapLeft]]:
    """What is left of a few: nothing, or far more or less than any price, to the cent."""
    first = town.DAY.toordinal()
    return st.lists(
        st.builds(
            CapLeft,
            payer=st.sampled_from(("medicaid", "other")),
            period=st.just(""),
            first=st.integers(first, first + 1),
            last=st.integers(first, first + 2),
            trips=st.sampled_from([-1, 0, 1, ANY]),
            cents=st.sampled_from([-5, 0, 2**50, ANY]),
        ),
        max_size=4,
    )


def pool_limits() -> st.SearchStrategy[list[PoolLimit]]:
    """Of two pools over a few days, each once."""
    days = st.integers(town.DAY.toordinal(), town.DAY.toordinal() + 2)
    most = st.tuples(*(st.sampled_from([0.0, 2.0, 100.0, math.inf]) for _ in range(4)))
    limit = st.builds(PoolLimit, st.integers(0, 1), days, most)
    return st.lists(limit, max_size=4, unique_by=lambda each: each[:2])


def _supply(draw: st.DrawFn, number: int) -> PoolSupply:
    """Two pools each, with holes in capacity drawn by a seed."""
    supply = town.supply(number, pools=2)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    supply.left[:] = rng.random(supply.left.shape) < 0.995
    supply.serves[:] = rng.integers(0, 256, supply.serves.shape)
    supply.daily_left[:] = rng.integers(0, 3, supply.daily_left.shape)
    return supply
