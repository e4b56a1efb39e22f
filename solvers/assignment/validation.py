"""Refuse malformed arrays, naming the array, the index, the value and the limit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from solvers.arrays import Ints
from solvers.assignment.exactness import (
    AMOUNT_LIMIT,
    COST_LIMIT,
    HUGE,
    REQUESTS_LIMIT,
    SHORTFALL_LIMIT,
    TARGET_LIMIT,
    TOTAL_LIMIT,
    sizes,
    worst_total,
)

_COLUMNS: Final = ("vendor", "resource", "start", "duration", "units", "cost")
_PAIRS: Final = ("lag", "most", "from_start")
_WORK: Final = ("begin", "end")


class MalformedProblem(ValueError):
    """An array of an assignment problem has the wrong shape, type or a value out of bounds."""


def validate(given: dict[str, Any]) -> dict[str, Any]:
    """All fields as int64 arrays of the right shape with values within bounds, defaults filled in."""
    held: dict[str, Any] = {}
    penalty = held["request_penalty"] = _ints(given, "request_penalty", 1)
    request = held["column_request"] = _ints(given, "column_request", 1)
    for part in _COLUMNS:
        held[f"column_{part}"] = _ints(given, f"column_{part}", 1, (len(request),))
    capacity = held["capacity"] = _ints(given, "capacity", 3)
    _sizes(held)
    held |= _optional(given, len(penalty), capacity.shape[0])
    _bounds(held)
    _total(held)
    _precedence(held)
    _work(held)
    _pinned(held)
    for value in held.values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return held


def _sizes(held: dict[str, Any]) -> None:
    for name, (size, most) in sizes(held).items():
        if size > most:
            raise MalformedProblem(f"{name} has shape {held[name].shape}: {size} entries, above {most}")


def _total(held: dict[str, Any]) -> None:
    """Refuse what could not be summed exactly."""
    costs = held["request_penalty"], held["column_request"], held["column_cost"]
    worst = worst_total(*costs, held["shortfall_cost"], held["vendor_target"])
    if worst > TOTAL_LIMIT:
        raise MalformedProblem(
            f"a plan could cost {worst} cents, above the limit of {TOTAL_LIMIT}: request_penalty or "
            "column_cost, and shortfall_cost x vendor_target, are summed\n"
            "Maybe state costs in a larger unit, or lower vendor_target to what can be reached."
        )


def _optional(given: dict[str, Any], requests: int, vendors: int) -> dict[str, Any]:
    pairs = _array(given, "precedence")
    absent = {
        "vendor_cap": np.full(vendors, requests),
        "vendor_target": np.zeros(vendors, np.int64),
        "precedence_lag": np.zeros(len(pairs) if pairs.ndim else 0, np.int64),
        "precedence_most": np.full(len(pairs) if pairs.ndim else 0, HUGE),
        "precedence_from_start": np.zeros(len(pairs) if pairs.ndim else 0, np.int64),
        "bundle": np.full(requests, -1),
    }
    filled = given | {name: value for name, value in absent.items() if given[name] is None}
    shortfall = np.atleast_1d(_array(given, "shortfall_cost"))
    cost = int(_ints({"shortfall_cost": shortfall}, "shortfall_cost", 1, (1,))[0])
    if pairs.size == 0:
        filled["precedence"] = np.zeros((0, 2), np.int64)
    precedence = _ints(filled, "precedence", 2)
    if precedence.shape[1] != 2:
        raise MalformedProblem(f"precedence has shape {precedence.shape}; it must be P x 2")
    return {
        "vendor_cap": _ints(filled, "vendor_cap", 1, (vendors,)),
        "vendor_target": _ints(filled, "vendor_target", 1, (vendors,)),
        "shortfall_cost": cost,
        "precedence": precedence,
        **{
            f"precedence_{part}": _ints(filled, f"precedence_{part}", 1, (len(precedence),))
            for part in _PAIRS
        },
        **{f"column_{part}": _ints(filled, f"column_{part}", 1) for part in _WORK},
        "bundle": _ints(filled, "bundle", 1, (requests,)),
        "pinned": _ints(filled, "pinned", 1),
    }


def _ints(given: dict[str, Any], name: str, ndim: int, shape: tuple[int, ...] | None = None) -> Ints:
    """The array as contiguous int64; an empty one may have any type."""
    array = _array(given, name)
    if array.ndim != ndim or (shape is not None and array.shape != shape):
        wanted = shape if shape is not None else f"{ndim} dimension(s)"
        raise MalformedProblem(f"{name} has shape {array.shape}; it must have {wanted}")
    if array.size and array.dtype.kind not in "iu":
        at = _first_fraction(array)
        value = array.reshape(-1)[at].item()
        raise MalformedProblem(f"{name}[{at}] is {value!r} of type {array.dtype}; it must hold integers")
    if array.size and array.dtype.kind == "u":
        _within(name, array, 0, HUGE)
    held = np.ascontiguousarray(array, dtype=np.int64)
    return held.view() if held is array else held


def _array(given: dict[str, Any], name: str) -> npt.NDArray[Any]:
    """Whatever numpy makes of it."""
    try:
        return np.asarray(given[name])
    except (ValueError, TypeError) as error:  # rows of different lengths
        raise MalformedProblem(f"{name} is no array: {error}") from error


def _first_fraction(array: npt.NDArray[Any]) -> int:
    """Flat index of the value that most likely made the array what it is: NaN, infinite, a fraction."""
    if array.dtype.kind != "f":
        return 0
    flat = array.reshape(-1)
    return int(np.argmax(~np.isfinite(flat) | (flat != np.round(flat))))


def _bounds(held: dict[str, Any]) -> None:
    requests, request = len(held["request_penalty"]), held["column_request"]
    vendors, pools, _buckets = held["capacity"].shape
    _within("request_penalty", held["request_penalty"], -COST_LIMIT, COST_LIMIT)
    _within("column_request", request, 0, requests - 1)
    falls = np.flatnonzero(request[1:] < request[:-1])
    if len(falls):
        at = int(falls[0]) + 1
        raise MalformedProblem(
            f"column_request[{at}] is {request[at]}, after {request[at - 1]}; it must be sorted\n"
            "Maybe sort the columns by request before building the problem."
        )
    _within("column_vendor", held["column_vendor"], 0, vendors - 1)
    _within("column_resource", held["column_resource"], 0, pools - 1)
    _within("column_start", held["column_start"], 0, AMOUNT_LIMIT)
    _within("column_duration", held["column_duration"], 1, AMOUNT_LIMIT)
    _within("column_units", held["column_units"], 0, AMOUNT_LIMIT)
    _within("column_cost", held["column_cost"], -COST_LIMIT, COST_LIMIT)
    _within("capacity", held["capacity"], 0, HUGE)
    _within("vendor_cap", held["vendor_cap"], 0, HUGE)
    _within("vendor_target", held["vendor_target"], 0, TARGET_LIMIT)
    _within("shortfall_cost", np.array([held["shortfall_cost"]]), 0, SHORTFALL_LIMIT)
    _within("precedence", held["precedence"], 0, requests - 1)
    _within("precedence_lag", held["precedence_lag"], -AMOUNT_LIMIT, AMOUNT_LIMIT)
    _within("precedence_most", held["precedence_most"], -AMOUNT_LIMIT, HUGE)
    _within("precedence_from_start", held["precedence_from_start"], 0, 1)
    _within("column_begin", held["column_begin"], -AMOUNT_LIMIT, AMOUNT_LIMIT)
    _within("column_end", held["column_end"], -AMOUNT_LIMIT, AMOUNT_LIMIT)
    _within("bundle", held["bundle"], -1, REQUESTS_LIMIT)
    _within("pinned", held["pinned"], 0, len(request) - 1)


def _within(name: str, array: npt.NDArray[Any], least: int, most: int) -> None:
    wrong = (array < least) | (array > most)
    if wrong.any():
        where = tuple(int(part) for part in np.unravel_index(int(wrong.argmax()), wrong.shape))
        index = ", ".join(map(str, where))
        raise MalformedProblem(f"{name}[{index}] is {array[where]}; it must lie in [{least}, {most}]")


def _precedence(held: dict[str, Any]) -> None:
    pairs = held["precedence"]
    same = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if len(same):
        at = int(same[0])
        raise MalformedProblem(f"precedence[{at}] is {pairs[at].tolist()}; a request cannot precede itself")


def _work(held: dict[str, Any]) -> None:
    """Both or neither, of every column."""
    begin, end, columns = held["column_begin"], held["column_end"], len(held["column_request"])
    if not len(begin) == len(end) or len(begin) not in (0, columns):
        raise MalformedProblem(
            f"column_begin has shape {begin.shape} and column_end {end.shape}; both must have ({columns},), "
            "or be empty"
        )


def _pinned(held: dict[str, Any]) -> None:
    """Pinned columns must stand together: one a request, within capacity, caps, precedence and bundles."""
    pinned, capacity = held["pinned"], held["capacity"]
    request = held["column_request"][pinned]
    used = np.zeros_like(capacity if len(pinned) else capacity[:0])
    taken: dict[int, int] = {}
    for at, column in enumerate(pinned.tolist()):
        if taken.setdefault(int(request[at]), column) != column:
            raise MalformedProblem(f"pinned[{at}] is {column}, a second column of request {request[at]}")
        if len(taken) <= at:
            raise MalformedProblem(f"pinned[{at}] is {column}, which pinned lists before")
        vendor, pool, start, duration, units = (held[f"column_{part}"][column] for part in _COLUMNS[:5])
        window = used[vendor, pool, start : start + duration]
        window += units
        if len(window) < duration or (window > capacity[vendor, pool, start : start + duration]).any():
            raise MalformedProblem(
                f"pinned[{at}] is {column}; it over-books vendor {vendor}, pool {pool} "
                f"in buckets {start} to {start + duration - 1}\n"
                "Maybe capacity was already lowered by what is pinned; it must not be."
            )
    _pinned_caps(held, taken)
    _pinned_precedence(held, taken)
    _pinned_bundles(held, taken)


def _pinned_caps(held: dict[str, Any], taken: dict[int, int]) -> None:
    columns = np.fromiter(taken.values(), np.int64, len(taken))
    counts = np.bincount(held["column_vendor"][columns], minlength=len(held["vendor_cap"]))
    for vendor in np.flatnonzero(counts > held["vendor_cap"])[:1]:
        limit = held["vendor_cap"][vendor]
        raise MalformedProblem(
            f"pinned holds {counts[vendor]} columns of vendor {vendor}, above its vendor_cap {limit}"
        )


def _pinned_precedence(held: dict[str, Any], taken: dict[int, int]) -> None:
    begin, end = _worked(held)
    for at, (first, second) in enumerate(held["precedence"].tolist() if taken else []):
        if second not in taken:
            continue
        if first not in taken:
            raise MalformedProblem(
                f"precedence[{at}] is [{first}, {second}] with only {second} pinned\nMaybe pin both."
            )
        a, b = taken[first], taken[second]
        after = begin[b] - (begin if held["precedence_from_start"][at] else end)[a]
        if not held["precedence_lag"][at] <= after <= held["precedence_most"][at]:
            raise MalformedProblem(
                f"precedence[{at}] is [{first}, {second}]; pinned columns {a}, {b} break it"
            )


def _worked(held: dict[str, Any]) -> tuple[Ints, Ints]:
    if len(held["column_begin"]):
        return held["column_begin"], held["column_end"]
    return held["column_start"], held["column_start"] + held["column_duration"]


def _pinned_bundles(held: dict[str, Any], taken: dict[int, int]) -> None:
    """All of a bundle, or none of it."""
    bundle, pinned = held["bundle"], np.zeros(len(held["bundle"]), np.bool_)
    pinned[list(taken)] = True
    some = np.intersect1d(bundle[pinned & (bundle >= 0)], bundle[~pinned])
    if len(some):
        requests = np.flatnonzero(bundle == some[0])
        raise MalformedProblem(
            f"bundle[{requests[0]}] is {some[0]}, of requests {requests.tolist()}; pinned holds some of them"
            "\nMaybe pin all."
        )
