"""Rate cards as arrays; the vectorised half of `price`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.codes import Acquisition, ServiceClass
from contracts.requests import Request
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Floats, table_of
from solvers.rules.hcpcs import number_of
from solvers.screening import CLASSES, OpenRequest

_C = ServiceClass
#: (base, extra mile) in cents where a vendor offers a level without a fare for it: a broker's card, and
#: Medicare's ambulance fees of 2008 for the ambulance levels.
UNLISTED_FARES: Final[Mapping[ServiceClass, tuple[int, int]]] = {
    _C.AMBULATORY: (3_500, 150),
    _C.WHEELCHAIR: (4_500, 150),
    _C.BARIATRIC_WHEELCHAIR: (7_500, 250),
    _C.STRETCHER: (12_000, 400),
    _C.BLS: (22_200, 756),
    _C.ALS: (26_700, 756),
    _C.CCT: (60_000, 756),
}

_ACQUISITIONS: Final = tuple(Acquisition)


def encode_lines(asked: Sequence[OpenRequest]) -> Arrays:
    """`item`, `quantity`: R x most lines; `attendants` (R)."""
    orders = [each.request.order_lines for each in asked]
    items = [[_item(line.hcpcs, line.acquisition) for line in lines] for lines in orders]
    quantities = [[line.quantity for line in lines] for lines in orders]
    return {
        "item": table_of(items),
        "quantity": table_of(quantities, fill=0),
        "attendants": np.array([attendants_of(each.request) for each in asked], np.int64),
    }


def attendants_of(request: Request) -> int:
    """The crew that a ride needs beyond the driver."""
    needs = request.passenger_needs
    return needs.attendants if needs else 0


def encode_vendors(vendors: Sequence[Vendor]) -> Arrays:
    """`base`, `mile`: classes x V; surcharges and included miles: V; `owner`, `item`, `cents`: prices."""
    base, mile = (np.zeros((len(CLASSES), len(vendors))) for _ in range(2))
    for column, vendor in enumerate(vendors):
        base[:, column], mile[:, column] = np.transpose(_card(vendor))
    listed = [
        (row, _item(fare.hcpcs, how), cents)
        for row, vendor in enumerate(vendors)
        for fare in reversed(vendor.rate_card.equipment)  # the first price of a code counts, so it is last
        for how, cents in (
            (Acquisition.RENTAL, fare.rental_cents),
            (Acquisition.PURCHASE, fare.purchase_cents),
            (Acquisition.USED, fare.used_cents or fare.purchase_cents),
        )
    ]
    prices = np.array(listed, np.int64).reshape(-1, 3)
    cards = [vendor.rate_card for vendor in vendors]
    return {
        "base": base,
        "mile": mile,
        "included_miles": np.array([card.included_miles for card in cards], np.float64),
        "night": np.array([card.night_cents for card in cards], np.float64),
        "weekend": np.array([card.weekend_cents for card in cards], np.float64),
        "out_of_area": np.array([card.out_of_area_cents for card in cards], np.float64),
        "deadhead": np.array([card.deadhead_mile_cents for card in cards], np.float64),
        "attendant": np.array([card.attendant_cents for card in cards], np.int64),
        "owner": prices[:, 0],
        "item": prices[:, 1],
        "cents": prices[:, 2],
    }


def line_cents(
    request: Mapping[str, npt.NDArray[Any]],
    card: Mapping[str, npt.NDArray[Any]],
    vendors: int,
    unlisted_cents: float,
) -> Floats:
    """(r, V); the equipment lines of each order at each vendor's prices."""
    item, total = request["item"], np.zeros((len(request["item"]), vendors))
    row, nth = np.nonzero(item >= 0)
    if not len(row):
        return total
    wanted, which = np.unique(item[row, nth], return_inverse=True)
    at = np.minimum(np.searchsorted(wanted, card["item"]), len(wanted) - 1)
    listed = wanted[at] == card["item"]
    price = np.zeros((len(wanted), vendors))
    price[at[listed], card["owner"][listed]] = card["cents"][listed]
    price[price == 0] = unlisted_cents
    np.add.at(total, row, price[which] * request["quantity"][row, nth][:, None])
    return total


def _item(code: str, how: Acquisition) -> int:
    return len(_ACQUISITIONS) * number_of(code) + _ACQUISITIONS.index(how)


def _card(vendor: Vendor) -> list[tuple[int, int]]:
    """(base, extra mile) for each class; equipment has the delivery fee."""
    fares = dict(UNLISTED_FARES) | {ServiceClass.EQUIPMENT: (vendor.rate_card.delivery_cents, 0)}
    for fare in reversed(vendor.rate_card.fares):
        fares[ServiceClass(fare.level_of_service.value)] = (fare.base_cents, fare.extra_mile_cents)
    return [fares[each] for each in CLASSES]
