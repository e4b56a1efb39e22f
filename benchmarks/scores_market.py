"""The vendors and the requests of a market of a few, as `bench scores` plays it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contracts.codes import CredentialKind, LevelOfService
from contracts.geo import Circle, Place, Window
from contracts.instants import to_ms
from contracts.requests import TripRequest
from contracts.vendors import BaseFare, Credential, RateCard, Vendor
from solvers.screening import OpenRequest

TZ: Final = ZoneInfo("UTC")
FIRST: Final = date(2026, 3, 1)  # the first bad day
CENTRE: Final = (-74.0, 40.7)
EASY, HARD = LevelOfService.WHEELCHAIR, LevelOfService.STRETCHER
HARD_SHARE: Final = 0.25
FARES: Final = {EASY: 4_000, HARD: 6_500}
VENDORS: Final[Mapping[str, tuple[float, float]]] = {  # where each is at home, degrees off the centre
    "plain1": (-0.05, 0.0), "plain2": (0.05, 0.0), "plain3": (0.0, 0.05), "slump": (0.0, -0.05),
    "honest": (0.0, 0.0), "picky": (0.0, 0.0), "excused": (0.0, 0.0),
}  # fmt: skip
HOME_M, FARTHEST_M, DEADHEAD_MILE_CENTS = 2_000, 50_000, 60


def van_company(name: str, off: tuple[float, float]) -> Vendor:
    """A vendor at home so many degrees off the centre."""
    papers = (Credential(kind=kind, expires_on=date(2027, 6, 1)) for kind in CredentialKind)
    fares = tuple(
        BaseFare(level_of_service=level, base_cents=cents, extra_mile_cents=0)
        for level, cents in FARES.items()
    )
    return Vendor(
        id=name,
        name=name,
        levels_of_service=(EASY, HARD),
        service_area=(Circle(centre=(CENTRE[0] + off[0], CENTRE[1] + off[1]), radius_m=HOME_M),),
        out_of_area_m=FARTHEST_M,
        credentials=tuple(papers),
        rate_card=RateCard(
            fares=fares,
            night_cents=0,
            weekend_cents=0,
            out_of_area_cents=0,
            deadhead_mile_cents=DEADHEAD_MILE_CENTS,
        ),
    )


def requests_of(seed: int, today: date, number: int) -> Iterator[TripRequest]:
    """Through the day, a quarter of them hard."""
    rng = random.Random(f"{seed}/requests/{today}")
    dawn = datetime(today.year, today.month, today.day, 7, tzinfo=UTC)
    for nth in range(number):
        earliest = dawn + timedelta(minutes=rng.randrange(12 * 60))
        lon, lat = (each + rng.uniform(-0.08, 0.08) for each in CENTRE)
        yield TripRequest(
            id=f"{today}-{nth:04}",
            pickup=Place(position=(lon, lat)),
            dropoff=Place(position=(lon + rng.uniform(0.02, 0.06), lat)),
            level_of_service=HARD if rng.random() < HARD_SHARE else EASY,
            pickup_window=Window(earliest=earliest, latest=earliest + timedelta(minutes=20)),
        )


def open_request(request: TripRequest) -> OpenRequest:
    """As the matcher has it."""
    window = request.wished_window
    assert window is not None  # noqa: S101  (they are made with one)
    return OpenRequest(request=request, earliest_ms=to_ms(window.earliest), latest_ms=to_ms(window.latest))
