"""How long a unit is taken: at the doors, on the way, and getting to the next one."""

import numpy as np

from contracts.codes import Acquisition
from contracts.requests import OrderLine
from contracts.vendors import EquipmentFare, RateCard
from solvers.planning import plan
from tests.solvers.town import asked, order, screening, vendor


def taken_min(*lines: OrderLine, values: dict[str, float] | None = None) -> float:
    codes = tuple(line.hcpcs for line in lines)
    found = plan(screening([asked(order("e1", *lines))], [vendor(hcpcs=codes)], values=values))
    return float(found.chosen.service_ms[0]) / 60_000


def test_two_hundred_catheters_are_one_delivery() -> None:
    line = {"hcpcs": "A4351", "acquisition": Acquisition.PURCHASE, "setup_minutes": 15}
    assert taken_min(OrderLine(**line)) == 15
    assert taken_min(OrderLine(**line, quantity=200)) == 15 + 4  # a second each, in whole minutes
    assert taken_min(OrderLine(**line, quantity=200), values={"delivery_piece_s": 0}) == 15
    assert taken_min(OrderLine(**line, quantity=10_000), OrderLine(hcpcs="E1390")) == 15 + 167 + 15


def test_what_costs_beyond_all_measure_is_planned_beside_the_rest() -> None:
    """A thousand pieces at the dearest price that is taken, twenty times: exact arithmetic has an end."""
    codes = [f"E{n:04}" for n in range(1, 21)]
    fares = tuple(EquipmentFare(hcpcs=code, rental_cents=100_000_000) for code in codes)
    dear = vendor(hcpcs=tuple(codes), rate_card=RateCard(equipment=fares))
    lines = [OrderLine(hcpcs=code, quantity=1_000) for code in codes]
    day = screening(
        [asked(order("e1", *lines)), asked(order("e2", lines[0]))], [dear], values={"price_weight": 10}
    )
    found = plan(day)
    assert len(found.chosen) == 2
    assert (found.cents < 2**40).all() and np.ptp(found.cents) == 0
