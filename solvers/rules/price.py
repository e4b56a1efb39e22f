"""What the vendor charges by its rate card, as one figure and line by line; the lines add up to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from contracts.codes import Acquisition, ServiceClass
from contracts.prices import PriceKind, PriceLine
from contracts.requests import OrderLine
from contracts.tuning import Number, Parameter
from contracts.vendors import EquipmentFare, Vendor
from solvers.arrays import Arrays, Floats, Ints
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.rules.price_arrays import UNLISTED_FARES, attendants_of, encode_lines, encode_vendors, line_cents
from solvers.rules.service_area import SLACK, ServiceArea, beyond_m, beyond_one_m
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
K = PriceKind
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
    """(n); what the vendor would charge, whole cents: what `price_lines` add up to."""
    view = view.seen_by(Price.code)
    card, horizon, vendor = view.vendor, view.screening.horizon, candidates.vendor
    level = view.facts.service_class[candidates.request]
    extra_miles = np.maximum(0.0, candidates.metres / METRES_PER_MILE - card["included_miles"][vendor])
    price = card["base"][level, vendor] + np.floor(extra_miles * card["mile"][level, vendor] + 0.5)
    unlisted = UNLISTED_LINE.whole(view.values)
    lines = view.once("line_cents", lambda: line_cents(view.request, card, view.vendors, unlisted))
    price = price + lines[candidates.request, vendor]
    hour = horizon.minute_of_day(candidates.start_ms) // 60
    price = price + _is_night(hour, view.values) * card["night"][vendor]
    price = price + (horizon.weekday_of(candidates.start_ms) >= 5) * card["weekend"][vendor]
    beyond = beyond_m(view)[candidates.request, vendor]
    price = price + (beyond > 0) * card["out_of_area"][vendor] + _empty_way(view, candidates, beyond)
    price = price + _attendants(view, candidates)
    return whole(np.minimum(price, MOST_CENTS))


def _empty_way(view: View, candidates: Candidates, beyond_area_m: Floats) -> Floats | int:
    """(n); for the miles beyond the area. What was saved before there was this has no such rate."""
    rate, reach_m = view.vendor.get("deadhead"), view.screening.of_vendors[ServiceArea.code]["reach_m"]
    if rate is None or not rate.any():
        return 0
    reach_m = reach_m[candidates.vendor] + SLACK.of(view.values)
    miles = np.minimum(beyond_area_m, reach_m) / METRES_PER_MILE
    return np.asarray(np.floor(miles * rate[candidates.vendor] + 0.5))


def _attendants(view: View, candidates: Candidates) -> Ints | int:
    """(n); for the crew beyond the driver."""
    rate, wanted = view.vendor.get("attendant"), view.request.get("attendants")
    if rate is None or wanted is None or not rate.any():
        return 0
    return np.asarray(rate[candidates.vendor] * wanted[candidates.request], np.int64)


def price_of(one: Candidate) -> int:
    """What the vendor charges for one candidate, from its rate card; whole cents."""
    return sum(line.cents for line in price_lines(one))


@lru_cache(maxsize=8)  # asked for as a term of the cost, as the price, and as its lines
def price_lines(one: Candidate) -> tuple[PriceLine, ...]:
    """The price of one candidate, line by line; what costs nothing has none, but for the fare itself."""
    found = [*_fares(one), *_surcharges(one)]
    lines = [found[0], *(line for line in found[1:] if line.cents)]
    over = sum(line.cents for line in lines) - MOST_CENTS
    return tuple(lines) if over <= 0 else (*lines, _line(K.LIMIT, -over))


def _fares(one: Candidate) -> Iterator[PriceLine]:
    card, request = one.vendor.rate_card, one.asked.request
    if request.is_trip:
        base, mile = _fare(one)
        yield _line(K.BASE, base)
        yield _line(K.MILES, mile, max(0.0, one.metres / METRES_PER_MILE - card.included_miles))
    else:
        yield _line(K.DELIVERY, card.delivery_cents)
    for line in request.order_lines:
        yield _line(K.EQUIPMENT, _piece_cents(card.equipment, line, one.values), line.quantity, line.hcpcs)


def _surcharges(one: Candidate) -> Iterator[PriceLine]:
    card, values, beyond = one.vendor.rate_card, one.values, beyond_one_m(one)
    if bool(_is_night(one.horizon.minute_at(one.start_ms) // 60, values)):
        yield _line(K.NIGHT, card.night_cents)
    if one.horizon.weekday_at(one.start_ms) >= 5:
        yield _line(K.WEEKEND, card.weekend_cents)
    if beyond > 0:
        reach_m = one.vendor.out_of_area_m + SLACK.of(values)
        yield _line(K.OUT_OF_AREA, card.out_of_area_cents)
        yield _line(K.DEADHEAD, card.deadhead_mile_cents, min(beyond, reach_m) / METRES_PER_MILE)
    yield _line(K.ATTENDANT, card.attendant_cents, attendants_of(one.asked.request))


def _line(kind: PriceKind, unit_cents: int, quantity: float = 1, note: str = "") -> PriceLine:
    cents = whole_cents(quantity * unit_cents)
    return PriceLine(kind=kind, quantity=round(quantity, 4), unit_cents=unit_cents, cents=cents, note=note)


def _fare(one: Candidate) -> tuple[int, int]:
    level = one.asked.request.service_class
    for fare in one.vendor.rate_card.fares:
        if fare.level_of_service.value == level.value:
            return fare.base_cents, fare.extra_mile_cents
    return UNLISTED_FARES[ServiceClass(level)]


def _piece_cents(listed: Sequence[EquipmentFare], line: OrderLine, values: Mapping[str, Number]) -> int:
    price = 0
    for fare in listed:
        if fare.hcpcs == line.hcpcs:
            price = _listed_cents(fare, line.acquisition)
            break
    return price or UNLISTED_LINE.whole(values)


def _listed_cents(fare: EquipmentFare, how: Acquisition) -> int:
    if how is Acquisition.USED and fare.used_cents:
        return fare.used_cents
    return fare.rental_cents if how is Acquisition.RENTAL else fare.purchase_cents


def _is_night(hour: npt.ArrayLike, values: Mapping[str, Number]) -> npt.NDArray[np.bool_]:
    """Whether local hours fall into the night, which usually goes over midnight."""
    at, first, last = np.asarray(hour), NIGHT_FROM.whole(values), NIGHT_TO.whole(values)
    return (at >= first) | (at < last) if first >= last else (at >= first) & (at < last)


RULE = Price()
