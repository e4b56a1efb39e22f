"""Places and windows. Positions are `[lon, lat]` in degrees, WGS 84, as dispatch engineers expect."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Instant, Wire, refuse_odd_year
from contracts.instants import to_ms

Longitude = Annotated[float, Meta(ge=-180, le=180, description="degrees east; a position is [lon, lat]")]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="degrees north; a position is [lon, lat]")]
Position = tuple[Longitude, Latitude]
MAX_CORNERS = 5_000  # real cities have thousands


class Place(Wire):
    """A point on the globe; the address belongs in the patient block."""

    position: Position


class WindowView(Wire):
    """A window as the service tells it: worked out from an appointment, it need not be one that is taken."""

    earliest: Instant
    latest: Instant


class Window(WindowView):
    """`[earliest, latest]`, both ends inclusive; constrains the *start* of service."""

    def __post_init__(self) -> None:
        """Refuse a window that ends before it starts, or that no calendar of ours holds."""
        refuse_odd_year("earliest", self.earliest)
        refuse_odd_year("latest", self.latest)
        if to_ms(self.latest) < to_ms(self.earliest):  # of one zone, Python compares clocks, not instants
            raise ValueError(
                f"window ends {self.latest.isoformat()} before it starts {self.earliest.isoformat()}\n"
                "Maybe the two ends are swapped: earliest must be at or before latest."
            )


class Circle(Wire, tag="circle", tag_field="kind"):
    """Everything within a great-circle radius of a centre."""

    centre: Position
    radius_m: Annotated[int, Meta(ge=1, le=5_000_000, description="metres")]


Ring = Annotated[tuple[Position, ...], Meta(min_length=3, max_length=MAX_CORNERS)]


class Polygon(Wire, tag="polygon", tag_field="kind"):
    """An outer ring and holes in it; of each, the last corner joins the first. The border belongs to it.

    From one corner to the next the shorter way round the globe is meant, over the date line too.
    """

    ring: Ring
    holes: Annotated[tuple[Ring, ...], Meta(max_length=100)] = ()


Area = Circle | Polygon
