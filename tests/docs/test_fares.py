"""The fares that docs/vendors.md names for a level without one are those that are charged."""

from __future__ import annotations

import re
from pathlib import Path

from contracts.vendors import RateCard
from solvers.rules.price_arrays import UNLISTED_FARES

VENDORS = Path(__file__).parents[2] / "docs" / "vendors.md"


def test_what_a_level_without_a_fare_costs_is_what_the_page_says() -> None:
    (said,) = re.findall("(?<=give no fare for: ).*(?= included)", VENDORS.read_text())
    bases, miles = ([int(each) for each in re.findall(r"\d+", part)] for part in said.split("; each mile "))
    listed, included = [*UNLISTED_FARES.values()], miles.pop()
    assert (bases, included) == ([base for base, _ in listed], RateCard().included_miles)
    assert miles + [miles[-1]] * (len(listed) - len(miles)) == [mile for _, mile in listed]
