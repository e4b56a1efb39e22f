"""What sequences and bundles cost: a generated day with them beside the same day without, in one run."""

from __future__ import annotations

import argparse
from typing import Any, Final

import numpy as np

from benchmarks.generator import generate
from benchmarks.peers.contest import Row, contest, medians, peers_of, write
from benchmarks.sequences import without
from solvers.assignment.problem import AssignmentProblem

IN_SEQUENCE: Final = 0.05  #: of all requests
IN_BUNDLES: Final = 0.02


def side_by_side(args: argparse.Namespace) -> int:
    """Ours on each day without, then all contenders on it with sequences and bundles, at the same limit."""
    rows, days = list[Row](), list[dict[str, Any]]()
    limits = {"seconds": args.seconds, "workers": args.workers}
    for seed in range(1, args.seeds + 1):
        name = f"{args.requests} {args.load} day {seed}"
        tied = generate(args.requests, args.load, seed, **shares())
        free = without(tied)
        (plain,) = contest(free, f"{name}, free", ["ours"], seeds=[seed], **limits)
        found = contest(tied, f"{name}, tied", peers_of(args.peers), seeds=[seed], **limits)
        rows += [plain, *found]
        days.append(compared(tied, plain, found[0]) | {"seed": seed})
    write(
        args.json,
        {
            "benchmark": "assignment with sequences", "requests": args.requests, "load": args.load,
            "seconds": args.seconds, "days": days, "runs": rows,
            "median": {side: medians([row for row in rows if row["instance"].endswith(side)])
                       for side in ("free", "tied")},
        },
    )  # fmt: skip
    return 0 if all(row["checked"] for row in rows) else 1


def shares() -> dict[str, float]:
    """Of the day, instead of the pairs that every generated day has."""
    return {"pair_share": 0.0, "sequence_share": IN_SEQUENCE, "bundle_share": IN_BUNDLES}


def compared(tied: AssignmentProblem, plain: Row, ours: Row) -> dict[str, Any]:
    """Costs and gaps of ours, with and without; what is proven without them holds with them, too."""
    pairs, bundled = tied.precedence, tied.bundle >= 0
    proven = [each["bound"] for each in (plain, ours) if each["bound"] is not None]
    bound = max(proven, default=None)
    return {
        "in_sequence": len(np.unique(pairs)), "pairs": len(pairs), "in_bundles": int(bundled.sum()),
        "cost_with": ours["cost"], "cost_without": plain["cost"],
        "ratio": _ratio(ours["cost"], plain["cost"]),
        "bound_with": bound, "bound_without": plain["bound"],
        "gap_with": _gap(ours["cost"], bound), "gap_without": _gap(plain["cost"], plain["bound"]),
    }  # fmt: skip


def _ratio(one: int | None, other: int | None) -> float | None:
    return round(one / other, 6) if one is not None and other else None


def _gap(cost: int | None, bound: int | None) -> float | None:
    return None if cost is None or bound is None else round((cost - bound) / max(1, abs(bound)), 6)
