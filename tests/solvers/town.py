"""A small town for tests: vendors, requests and capacity from a few words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from contracts.codes import CredentialKind, LevelOfService, ServiceClass, Skill
from contracts.geo import Circle, Place, Window
from contracts.requests import EquipmentOrder, OrderLine, TripRequest
from contracts.vendors import Credential, Vendor
from solvers.capacity.pools import PoolSupply, bits_of
from solvers.capacity.supply import Supply
from solvers.encoding import NOTHING_KNOWN, VendorBook, encode
from solvers.horizon import Horizon
from solvers.screening import OpenRequest, Screening, Standing, VendorKnowledge

TZ = ZoneInfo("America/New_York")
DAY = date(2026, 11, 23)  # a Monday
NOON = datetime(2026, 11, 23, 12, tzinfo=TZ)
NOW_MS = int(NOON.timestamp() * 1000)
CENTRE = (-74.0, 40.7)
ALL_CREDENTIALS = tuple(Credential(kind=kind, expires_on=date(2027, 6, 1)) for kind in CredentialKind)
HORIZON = Horizon.of(TZ, DAY, 3)


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def vendor(vendor_id: str = "v1", **changes: Any) -> Vendor:
    usual = Vendor(
        id=vendor_id,
        name=f"Vendor {vendor_id}",
        levels_of_service=(LevelOfService.AMBULATORY, LevelOfService.WHEELCHAIR),
        skills=tuple(Skill),
        hcpcs=("E1390", "E0260"),
        max_oxygen_l_min=6.0,
        max_stairs=10,
        service_area=(Circle(centre=CENTRE, radius_m=20_000),),
        credentials=ALL_CREDENTIALS,
    )
    return msgspec.structs.replace(usual, **changes)


def trip(
    request_id: str = "r1", *, start_min: float = 60, width_min: float = 30, **changes: Any
) -> TripRequest:
    """A wheelchair ride of about 4 km whose window opens `start_min` after noon."""
    earliest = NOON.astimezone(UTC) + timedelta(minutes=start_min)
    usual = TripRequest(
        id=request_id,
        pickup=Place(position=CENTRE),
        dropoff=Place(position=(-74.03, 40.72)),
        level_of_service=LevelOfService.WHEELCHAIR,
        pickup_window=Window(earliest=earliest, latest=earliest + timedelta(minutes=width_min)),
    )
    return msgspec.structs.replace(usual, **changes)


def order(request_id: str = "e1", *lines: OrderLine, start_min: float = 60, **changes: Any) -> EquipmentOrder:
    """An oxygen concentrator within two hours."""
    earliest = NOON.astimezone(UTC) + timedelta(minutes=start_min)
    usual = EquipmentOrder(
        id=request_id,
        place=Place(position=CENTRE),
        window=Window(earliest=earliest, latest=earliest + timedelta(hours=2)),
        lines=lines or (OrderLine(hcpcs="E1390"),),
    )
    return msgspec.structs.replace(usual, **changes)


def asked(request: TripRequest | EquipmentOrder, *declined_by: str) -> OpenRequest:
    window = request.wished_window
    assert window is not None
    return OpenRequest(
        request=request,
        earliest_ms=ms(window.earliest),
        latest_ms=ms(window.latest),
        declined_by=frozenset(declined_by),
    )


def supply(
    vendors: int,
    units: int = 2,
    pools: int = 1,
    daily: int = 100,
    serves: Sequence[ServiceClass] = tuple(ServiceClass),
) -> PoolSupply:
    days = len(HORIZON.ordinal)
    return PoolSupply(
        serves=np.full((vendors, pools, days), bits_of(serves), np.int64),
        left=np.full((vendors, pools, HORIZON.buckets), units, np.int64),
        daily_left=np.full((vendors, pools, days), daily, np.int64),
    )


def screening(
    requests: Sequence[OpenRequest],
    vendors: Sequence[Vendor],
    held: Supply | None = None,
    values: Mapping[str, float] | None = None,
    now_ms: int = NOW_MS,
    known: VendorKnowledge = NOTHING_KNOWN,
) -> Screening:
    book = VendorBook.of(vendors, known)
    return encode(requests, book, held or supply(len(vendors)), HORIZON, now_ms=now_ms, values=values or {})


def standing_at(day: Screening, places: Mapping[int, tuple[int, int]]) -> Screening:
    """The day once requests (by row) stand with a vendor (by row) from a start in ms on, for half an hour.

    `day.supply` is what is left without them.
    """
    arrays = {name: np.full(day.requests, -1, np.int64) for name in ("vendor", "start_ms", "first", "end")}
    for row, (at_vendor, start_ms) in places.items():
        bucket = day.horizon.first_bucket(start_ms)
        for name, value in zip(arrays, (at_vendor, start_ms, bucket, bucket + 6), strict=True):
            arrays[name][row] = value
    resource = np.where(arrays["vendor"] >= 0, 0, -1)
    return replace(day, standing=Standing(resource=resource, **arrays))
