"""What the vendor charges by its rate card: fare, extra miles, night, weekend, out of area, equipment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from contracts.codes import Acquisition, ServiceClass
from contracts.requests import OrderLine
from contracts.tuning import Number, Parameter
from contracts.vendors import EquipmentFare, Vendor
from solvers.arrays import Arrays, Ints
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.rules.price_arrays import UNLISTED_FARES, encode_lines, encode_vendors, line_cents
from solvers.rules.service_area import beyond_m, beyond_one_m
from solvers.screening import OpenRequest

WEIGHT = Parameter(
    name="price_weight",
    default=1.0,
    minimum=0.0,
    maximum=10.0,
    unit="ratio",
    summary="How much a cent of the vendor's price counts beside the other cost terms.",
    scope="rules.price",
)
NIGHT_FROM = Parameter(
    name="night_from_hour",
    default=20,
    minimum=0,
    maximum=24,
    unit="hour",
    summary="The night surcharge applies to starts from this local hour.",
    scope="rules.price",
)
NIGHT_TO = Parameter(
    name="night_to_hour",
    default=6,
    minimum=0,
    maximum=24,
    unit="hour",
    summary="The night surcharge applies to starts before this local hour.",
    scope="rules.price",
)
UNLISTED_LINE = Parameter(
    name="unlisted_line_cents",
    default=20_000,
    minimum=0,
    maximum=10_000_000,
    unit="cents",
    summary="Taken as the price of a piece of equipment that the vendor delivers but gives no price for.",
    scope="rules.price",
)
PARAMETERS = (WEIGHT, NIGHT_FROM, NIGHT_TO, UNLISTED_LINE)
METRES_PER_MILE = 1_609.344
MOST_CENTS = 10_000_000_000  #: no price is higher: costs are counted exactly up to some hundred times as much


class Price(CostTerm):
    """Rate card x weight."""

    code = "price"
    order = 80
    parameters = PARAMETERS

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`item`, `quantity`: R x most lines, item being code and acquisition in one number, -1 for none."""
        return encode_lines(asked)

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`base`, `mile` (classes x V), surcharges (V), and a list of equipment prices."""
        return encode_vendors(vendors)

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        return whole(price_cents(view, candidates) * WEIGHT.of(view.values))

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        return whole_cents(price_of(one) * WEIGHT.of(one.values))


def price_cents(view: View, candidates: Candidates) -> Ints:
    """(n); what the vendor would charge, whole cents."""
    view = view.seen_by(Price.code)
    card, horizon, vendor = view.vendor, view.screening.horizon, candidates.vendor
    level = view.facts.service_class[candidates.request]
    extra_miles = np.maximum(0.0, candidates.metres / METRES_PER_MILE - card["included_miles"][vendor])
    price = card["base"][level, vendor] + extra_miles * card["mile"][level, vendor]
    unlisted = UNLISTED_LINE.of(view.values)
    lines = view.once("line_cents", lambda: line_cents(view.request, card, view.vendors, unlisted))
    price = price + lines[candidates.request, vendor]
    hour = horizon.minute_of_day(candidates.start_ms) // 60
    price = price + _is_night(hour, view.values) * card["night"][vendor]
    price = price + (horizon.weekday_of(candidates.start_ms) >= 5) * card["weekend"][vendor]
    outside = beyond_m(view)[candidates.request, vendor] > 0
    return whole(np.minimum(price + outside * card["out_of_area"][vendor], MOST_CENTS))


@lru_cache(maxsize=8)  # asked for as a term of the cost, and as the price
def price_of(one: Candidate) -> int:
    """What the vendor charges for one candidate, from its rate card; whole cents."""
    card, values = one.vendor.rate_card, one.values
    price: float = card.delivery_cents
    if one.asked.request.is_trip:
        base, mile = _fare(one)
        price = base + mile * max(0.0, one.metres / METRES_PER_MILE - card.included_miles)
    price += sum(_line_cents(card.equipment, line, values) for line in one.asked.request.order_lines)
    if bool(_is_night(one.horizon.minute_at(one.start_ms) // 60, values)):
        price += card.night_cents
    if one.horizon.weekday_at(one.start_ms) >= 5:
        price += card.weekend_cents
    price += card.out_of_area_cents if beyond_one_m(one) > 0 else 0
    return whole_cents(min(price, MOST_CENTS))


def _fare(one: Candidate) -> tuple[int, int]:
    level = one.asked.request.service_class
    for fare in one.vendor.rate_card.fares:
        if fare.level_of_service.value == level.value:
            return fare.base_cents, fare.extra_mile_cents
    return UNLISTED_FARES[ServiceClass(level)]


def _line_cents(listed: Sequence[EquipmentFare], line: OrderLine, values: Mapping[str, Number]) -> float:
    price = 0
    for fare in listed:
        if fare.hcpcs == line.hcpcs:
            price = _listed_cents(fare, line.acquisition)
            break
    return line.quantity * (price or UNLISTED_LINE.of(values))


def _listed_cents(fare: EquipmentFare, how: Acquisition) -> int:
    if how is Acquisition.USED and fare.used_cents:
        return fare.used_cents
    return fare.rental_cents if how is Acquisition.RENTAL else fare.purchase_cents


def _is_night(hour: npt.ArrayLike, values: Mapping[str, Number]) -> npt.NDArray[np.bool_]:
    """Whether local hours fall into the night, which usually goes over midnight."""
    at, first, last = np.asarray(hour), NIGHT_FROM.whole(values), NIGHT_TO.whole(values)
    return (at >= first) | (at < last) if first >= last else (at >= first) & (at < last)


RULE = Price()
