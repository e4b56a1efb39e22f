"""What sequences and bundles cost: a generated day with them beside the same day without, in one run."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from benchmarks.generator import generate
from benchmarks.peers.contest import Row, contest, medians, peers_of, write
from benchmarks.sequences import without
from solvers.assignment.problem import AssignmentProblem

IN_SEQUENCE: Final = 0.05  #: of all requests
IN_BUNDLES: Final = 0.02
MOST_DIFFERENCE: Final = 0.001  #: by which the gap with them may lie above the gap without


def side_by_side(args: argparse.Namespace) -> int:
    """All contenders on each day without and with, at the same limit; `--tries` runs of each."""
    rows, days = list[Row](), list[dict[str, Any]]()
    limits: dict[str, Any] = {"seconds": args.seconds, "workers": args.workers}
    for day in range(1, args.seeds + 1):
        name = f"{args.requests} {args.load} day {day}"
        tied = generate(args.requests, args.load, day, **shares())
        limits["seeds"] = range(day, day + args.tries)
        plain = contest(without(tied), f"{name}, free", peers_of(args.peers), **limits)
        found = contest(tied, f"{name}, tied", peers_of(args.peers), **limits)
        rows += [*plain, *found]
        days.append({"day": day} | counted(tied) | {"contenders": compared(plain, found)})
    differences = [each["contenders"]["ours"]["gap_difference"] for each in days]
    write(
        args.json,
        {
            "benchmark": "assignment with sequences", "requests": args.requests, "load": args.load,
            "seconds": args.seconds, "tries": args.tries, "days": days,
            "gap_difference": _median(differences), "most_allowed": MOST_DIFFERENCE,
            "within": all(each is not None and each <= MOST_DIFFERENCE for each in differences),
            "median": {side: medians([row for row in rows if row["instance"].endswith(side)])
                       for side in ("free", "tied")},
            "runs": rows,
        },
    )  # fmt: skip
    return 0 if all(row["checked"] for row in rows) else 1


def shares() -> dict[str, float]:
    """Of the day, instead of the pairs that every generated day has."""
    return {"pair_share": 0.0, "sequence_share": IN_SEQUENCE, "bundle_share": IN_BUNDLES}


def counted(tied: AssignmentProblem) -> dict[str, int]:
    """How many are in sequence, in pairs of them, and in bundles."""
    pairs = tied.precedence
    bundled = int((tied.bundle >= 0).sum())
    return {"in_sequence": len(np.unique(pairs)), "pairs": len(pairs), "in_bundles": bundled}


def compared(plain: list[Row], found: list[Row]) -> dict[str, dict[str, Any]]:
    """For each contender the medians of its runs without and with, and by how much its gap is worse with.

    A gap is to what the contender itself proved on that day; who proves nothing is held against the best
    bound of the others. What the constraints cost at the least, whoever plans, is `forced`: the bound with
    them over the bound without.
    """
    names = dict.fromkeys(row["contender"] for row in plain)
    return {
        name: _contender(*([row for row in rows if row["contender"] == name] for rows in (plain, found)))
        for name in names
    }


def _contender(plain: list[Row], found: list[Row]) -> dict[str, Any]:
    (cost, bound, gap), (cost_with, bound_with, gap_with) = _figures(plain), _figures(found)
    return {
        "cost_without": cost, "bound_without": bound, "gap_without": gap,
        "cost_with": cost_with, "bound_with": bound_with, "gap_with": gap_with,
        "cost_ratio": _over(cost_with, cost), "forced": _over(bound_with, bound),
        "gap_difference": None if gap is None or gap_with is None else round(gap_with - gap, 6),
        "unmatched_without": _median([row["unmatched"] for row in plain]),
        "unmatched_with": _median([row["unmatched"] for row in found]),
    }  # fmt: skip


def _figures(rows: list[Row]) -> tuple[float | None, float | None, float | None]:
    """Medians of cost, bound and gap."""
    bounds = [row["best_bound"] if row["bound"] is None else row["bound"] for row in rows]
    gaps = [_over(row["cost"], bound) for row, bound in zip(rows, bounds, strict=True)]
    return _median([row["cost"] for row in rows]), _median(bounds), _median(gaps)


def _median(figures: Sequence[float | None]) -> float | None:
    """Of all of them, where all are known."""
    known = [each for each in figures if each is not None]
    return round(statistics.median(known), 6) if known and len(known) == len(figures) else None


def _over(one: float | None, other: float | None) -> float | None:
    """By what part of the other the one lies above it."""
    return None if one is None or other is None else round((one - other) / max(1, abs(other)), 6)
