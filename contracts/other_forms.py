"""Places and areas as others write them (GeoJSON, lat and lon by name): how they are written here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import inspect
from msgspec.inspect import Type

from contracts.geo import Circle, Place, Polygon, Position

THEIRS = frozenset(  # members of GeoJSON, and what numbers of a position are called elsewhere
    [
        "type",
        "coordinates",
        "geometry",
        "geometries",
        "features",
        "lat",
        "lon",
        "lng",
        "long",
        "latitude",
        "longitude",
    ]
)
_POSITION = inspect.type_info(Position)
AREA = (
    '{"kind": "polygon", "ring": [[-74.0, 40.7], [-73.9, 40.7], [-73.9, 40.8]], "holes": []}, where of '
    "GeoJSON's coordinates the first ring is `ring` and the others are `holes` (each further polygon is an "
    'area), or as {"kind": "circle", "centre": [-73.97, 40.78], "radius_m": 9000}.'
)


def ours(kinds: Sequence[Type], value: Any) -> str:
    """A line on how a place or an area is written, where `value` has another form; "" elsewhere.

    `kinds`: the types that may stand there.
    """
    if _POSITION in kinds:
        return "Maybe as [-73.97, 40.78]: a position is [lon, lat], two numbers, east first."
    lists = [each for each in kinds if isinstance(each, inspect.VarTupleType)]
    if lists and not isinstance(value, list) and _has(_members(lists[0].item_type), Circle):
        return f"Maybe as a list of areas, each as {AREA}"
    if isinstance(value, dict) and THEIRS.isdisjoint(value):
        return ""
    if _has(kinds, Place):
        return 'Maybe as {"position": [-73.97, 40.78]}: a position is [lon, lat], east first.'
    return f"Maybe as {AREA}" if _has(kinds, Circle) or _has(kinds, Polygon) else ""


def _members(kind: Type) -> Sequence[Type]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _has(kinds: Sequence[Type], form: type) -> bool:
    return any(isinstance(each, inspect.StructType) and each.cls is form for each in kinds)
