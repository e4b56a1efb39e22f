"""The structs that kernels read, as Python lays them out: field by field as in kernels/*.h.

They are stated a second time here because numpy has no way to read a header; `agreement` holds every one of
them against what the compiler made of it, so that a field that is changed in one place alone is told.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Layout = np.dtype[np.void]


def _struct(*fields: tuple[str, Any]) -> Layout:
    """Fields in order, padded as C pads them."""
    return np.dtype(list(fields), align=True)


def _words(*names: str) -> Layout:
    """Integers of 64 bits and pointers only, which is what most of them are."""
    return _struct(*((name, np.int64) for name in names))


INSTANCE: Final = _words(
    *("requests", "columns", "vendors", "rows", "stride", "first", "vendor", "cell", "span", "units", "cost"),
    *("penalty", "capacity", "cap", "target", "shortfall", "pairs", "before", "after", "lag"),
    *("most", "from_start", "both", "tied", "begin", "end", "link_first", "link"),
)
TIES: Final = _words(
    *("size", "request", "first", "order", "parent", "pair", "sorted", "place", "reach", "low", "high"),
    *("value", "alone", "pick", "least", "rest", "rank", "passed", "width"),
)
SEEN: Final = _struct(
    *((name, np.int32) for name in ("begin", "end", "vendor")),
    *((name, np.float32) for name in ("cost", "units")),
)
DUAL: Final = _words(
    *("ties", "near", "rounds", "first", "seen", "low", "prefix", "vendor_prefix", "price", "use", "mean"),
    *("square", "vendor_price", "count", "vendor_mean", "vendor_square"),
)
KNAPSACKS: Final = _words(
    *("first", "column", "request", "value", "best", "mean", "square", "taken", "item", "table"),
)
CANDIDATE: Final = _struct(
    *((name, np.int64) for name in ("units", "cost")),
    *((name, np.int32) for name in ("cell", "span", "vendor", "row", "column")),
    ("key", np.float32),
)
OCCUPANT: Final = _struct(*((name, np.int32) for name in ("request", "begin", "end")))
PLAN: Final = _words(
    *("first", "candidate", "choice", "free", "room", "count", "row_first", "row_size", "occupant"),
    *("slot", "least"),
)
EXTENSION: Final = _struct(("bound", np.float32), *((name, np.int32) for name in ("from", "at")))
BEAM: Final = _words(
    *("width", "slots", "order", "value", "before", "after", "top", "table", "left", "bound", "mark"),
    *("from", "at", "extension", "seen"),
)
ROUTING: Final = _words(
    *(
        "nodes",
        "requests",
        "vehicles",
        "width",
        "capacity",
        "limited",
        "near",
        "travel",
        "service",
        "earliest",
    ),
    *("latest", "load", "request", "pickup", "delivery", "ride_limit", "route_limit", "close"),
)
ROUTES: Final = _words(
    *(
        "open",
        "missing",
        "touched",
        "taken_missing",
        "best_missing",
        "stop",
        "size",
        "begin",
        "last",
        "aboard",
    ),
    *("length", "leave", "fixed", "held", "vehicle", "left_out", "absent", "taken_stop", "taken_size"),
    *("touched_list", "taken_out", "best_stop", "best_size", "cost", "scratch", "at", "key", "random"),
)

#: All of them, by the name that C has for each.
LAYOUTS: Final[dict[str, Layout]] = {
    "Instance": INSTANCE,
    "Ties": TIES,
    "Seen": SEEN,
    "Dual": DUAL,
    "Knapsacks": KNAPSACKS,
    "Candidate": CANDIDATE,
    "Occupant": OCCUPANT,
    "Plan": PLAN,
    "Extension": EXTENSION,
    "Beam": BEAM,
    "Routing": ROUTING,
    "Routes": ROUTES,
}
