"""How many vendors reach each part of a map, by the rule that the matcher has for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from contracts.codes import Role, ServiceClass
from contracts.coverage import Coverage, CoverageQuery
from contracts.vendors import Vendor
from dispatcher.domain.refusals import Invalid, NotFound
from dispatcher.security.principal import Principal
from dispatcher.service.hexagons import Grid
from dispatcher.service.markets import Markets
from solvers.rings import rings
from solvers.rules.service_area_arrays import encode, outside_m

MOST_KEPT = 64  # answers
Key = tuple[object, ...]


class Coverages:
    """Answers are kept until a vendor is another: maps of a console ask for the same again and again."""

    def __init__(self, markets: Markets) -> None:
        self.markets = markets
        self._kept = OrderedDict[Key, Coverage]()

    async def read(self, who: Principal, market: str, query: CoverageQuery) -> Coverage:
        """Of a part of the map. Raises NotFound for another's market, and for whom it is not; Invalid."""
        self.markets.authorize(who, market)
        if not who.may({Role.OPS}):
            raise NotFound("there is no coverage\nMaybe it is for another role.")
        _refuse_empty(query)
        found = await self.markets.store(market).vendors.get_all()
        key = (market, tuple((name, each.version) for name, each in found.items()), query)
        if key not in self._kept:
            vendors = [each.value for each in found.values() if serves(each.value, query.level)]
            self._kept[key] = await asyncio.to_thread(covered, vendors, query)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _refuse_empty(query: CoverageQuery) -> None:
    if query.south >= query.north or query.west == query.east:
        raise Invalid(
            f"the part of the map from [{query.west}, {query.south}] to [{query.east}, {query.north}] "
            "is empty\nMaybe south and north are swapped."
        )


def serves(vendor: Vendor, level: ServiceClass | None) -> bool:
    """Whether it takes work of that level now; None: of any."""
    if not vendor.takes_work or level is None:
        return vendor.takes_work
    if level is ServiceClass.EQUIPMENT:
        return bool(vendor.hcpcs)
    return level.value in vendor.levels_of_service


def covered(vendors: Sequence[Vendor], query: CoverageQuery) -> Coverage:
    """Cells whose centre lies in what a vendor reaches, and how many do; pure."""
    grid = Grid.over(query.west, query.south, query.east, query.north)
    centres = grid.centres()
    counts = np.zeros(len(centres), np.int64)
    if vendors and len(centres):
        areas = encode(vendors)
        shapes = rings(areas["edge"], areas["edge_end"].tolist())
        counts = (outside_m(centres, areas, shapes, 0.0) <= areas["reach_m"]).sum(axis=1)
    some = np.flatnonzero(counts)
    return Coverage(
        side=grid.side,
        vendors=len(vendors),
        lon=tuple(np.round(centres[some, 0], 5).tolist()),
        lat=tuple(np.round(centres[some, 1], 5).tolist()),
        reached_by=tuple(counts[some].tolist()),
    )
