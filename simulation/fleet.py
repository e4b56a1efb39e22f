"""The twelve vendors of the made-up day: what each may serve, with how many units."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from contracts.codes import CredentialKind, LevelOfService, ServiceClass, Skill
from contracts.geo import Circle, Position
from contracts.vendors import AssumedAnswer, BaseFare, EquipmentFare, ExplicitAnswer, RateCard, Vendor
from simulation.day import DATE
from simulation.licences import valid_credentials

CENTRE: Position = (-75.16, 39.95)
L, S = LevelOfService, ServiceClass
RIDES = (L.AMBULATORY, L.WHEELCHAIR)
HEAVY = (*RIDES, L.BARIATRIC_WHEELCHAIR, L.STRETCHER)
AMBULANCE = (L.STRETCHER, L.BLS, L.ALS)
BASE_CENTS = {
    L.AMBULATORY: 3_500,
    L.WHEELCHAIR: 4_500,
    L.BARIATRIC_WHEELCHAIR: 7_500,
    L.STRETCHER: 12_000,
    L.BLS: 22_200,
    L.ALS: 26_700,
}
DEVICE_CENTS = {
    "E1390": 18_000,
    "E0260": 15_000,
    "E0431": 4_000,
    "K0001": 5_000,
    "E0601": 9_000,
    "E0630": 11_000,
}
CREW = (
    Skill.OXYGEN,
    Skill.STAIRS,
    Skill.DOOR_THROUGH_DOOR,
    Skill.HAND_TO_HAND,
    Skill.ATTENDANT,
    Skill.BARIATRIC,
)
TECHNICIAN = (Skill.OXYGEN, Skill.RESPIRATORY_THERAPIST, Skill.EQUIPMENT_EDUCATION, Skill.STAIRS)
Strength = dict[tuple[ServiceClass, ...], int]


def small_vendors(date: dt.date = DATE) -> list[tuple[Vendor, Strength]]:
    """Each vendor with the units of each of its pools at full strength."""
    vans = [_rides(number, name, units) for number, (name, units) in enumerate(_VANS, 1)]
    others = [
        _vendor(
            "heavy-1", "Steady Lift", HEAVY, {(S.BARIATRIC_WHEELCHAIR, S.WHEELCHAIR): 4, (S.STRETCHER,): 3}
        ),
        _vendor(
            "heavy-2", "Broad Door", HEAVY, {(S.BARIATRIC_WHEELCHAIR, S.WHEELCHAIR): 4, (S.STRETCHER,): 3}
        ),
        _vendor(
            "ambulance-1", "River Ambulance", AMBULANCE, {(S.STRETCHER,): 2, (S.BLS,): 3, (S.ALS, S.BLS): 2}
        ),
        *suppliers(),
    ]
    lapsed = _vendor("lapsed-1", "Lapsed Papers", RIDES, {(S.AMBULATORY, S.WHEELCHAIR): 8})
    papers = valid_credentials(date=date)
    held = [(replace(vendor, credentials=papers), pools) for vendor, pools in (*vans, *others)]
    expired = valid_credentials(CredentialKind.AUTO_INSURANCE, date)
    return [*held, (replace(lapsed[0], credentials=expired), lapsed[1])]


_VANS = (("North Wheels", 12), ("Harbour Ride", 12), ("Careful Vans", 10), ("Green Cab", 10), ("Sunrise", 8))


def _rides(number: int, name: str, units: int) -> tuple[Vendor, Strength]:
    pools: Strength = {(S.WHEELCHAIR, S.AMBULATORY): units // 2, (S.AMBULATORY,): units - units // 2}
    return _vendor(f"vans-{number}", name, RIDES, pools, offset=0.03 * (number - 3), assumed=number == 5)


def _vendor(
    vendor_id: str,
    name: str,
    levels: tuple[LevelOfService, ...],
    pools: Strength,
    *,
    offset: float = 0.0,
    assumed: bool = False,
) -> tuple[Vendor, Strength]:
    fares = tuple(BaseFare(level_of_service=level, base_cents=BASE_CENTS[level]) for level in levels)
    vendor = Vendor(
        id=vendor_id,
        name=name,
        levels_of_service=levels,
        skills=CREW,
        max_oxygen_l_min=6.0,
        max_stairs=20,
        max_weight_kg=300 if L.STRETCHER in levels else 136,
        max_escorts=2,
        service_area=(Circle(centre=(CENTRE[0] + offset, CENTRE[1]), radius_m=16_000),),
        out_of_area_m=8_000,
        rate_card=RateCard(fares=fares),
        answer=AssumedAnswer(reject_within_s=900) if assumed else ExplicitAnswer(time_limit_s=600),
    )
    return vendor, pools


def suppliers(centre: Position = CENTRE) -> list[tuple[Vendor, Strength]]:
    """Three that deliver every device of the day, round that place; their papers are not here."""
    names = ("Home Breath", "Bedside", "Set & Ready")
    return [_supplier(number, name, centre) for number, name in enumerate(names, 1)]


def _supplier(number: int, name: str, centre: Position) -> tuple[Vendor, Strength]:
    fares = tuple(EquipmentFare(hcpcs=code, rental_cents=cents) for code, cents in DEVICE_CENTS.items())
    vendor = Vendor(
        id=f"equipment-{number}",
        name=name,
        hcpcs=tuple(DEVICE_CENTS),
        skills=TECHNICIAN,
        service_area=(Circle(centre=centre, radius_m=25_000),),
        rate_card=RateCard(equipment=fares),
        answer=ExplicitAnswer(time_limit_s=900),
    )
    return vendor, {(S.EQUIPMENT,): 6}
