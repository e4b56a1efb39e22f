"""How long a unit is taken: at the doors, on the way, and getting to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter
from solvers.arrays import Ints

DEADHEAD = Parameter(
    name="deadhead_minutes",
    default=10,
    minimum=0,
    maximum=120,
    unit="minutes",
    summary="A vehicle stays taken this long after a ride, to get to the next one.",
    scope="solvers.durations",
)
DELIVERY_TRAVEL = Parameter(
    name="delivery_travel_minutes",
    default=20,
    minimum=0,
    maximum=240,
    unit="minutes",
    summary="A delivery crew stays taken this long after set-up, to get to the next one.",
    scope="solvers.durations",
)
PIECE = Parameter(
    name="delivery_piece_s",
    default=1,
    minimum=0,
    maximum=60,
    unit="seconds",
    summary="Each piece of an order line beyond its first makes the delivery so much longer.",
    scope="solvers.durations",
)
PARAMETERS = (DEADHEAD, DELIVERY_TRAVEL, PIECE)
DOORS = 2  #: of a ride: as long at the one as at the other
_ROUNDING_MIN = 1e-6  # a ride of twenty minutes and a rounding error takes twenty minutes


class Durations(NamedTuple):
    """For each start time: how long service lasts, and how long the unit is taken. Milliseconds."""

    service_ms: Ints
    taken_ms: Ints


def at_doors_min(onsite_min: Ints, further_pieces: Ints, values: Mapping[str, Number]) -> Ints:
    """Minutes at all doors together: 200 catheters are one delivery, and a little more than one catheter."""
    return np.asarray(onsite_min - -further_pieces * PIECE.whole(values) // 60)


def durations(
    is_trip: npt.NDArray[np.bool_], onsite_min: Ints, ride_s: npt.ArrayLike, values: Mapping[str, Number]
) -> Durations:
    """Boarding + ride + alighting for a trip, set-up for equipment; then the way to the next.

    `onsite_min`: minutes at all doors together. `ride_s`: seconds by road, 0 for equipment.
    """
    service = (onsite_min + np.ceil(np.asarray(ride_s) / 60 - _ROUNDING_MIN).astype(np.int64)) * MINUTE_MS
    after = np.where(is_trip, DEADHEAD.whole(values), DELIVERY_TRAVEL.whole(values)) * MINUTE_MS
    return Durations(service, service + after)
