"""A market too large for one solve: what its seams cost against the unsplit plan, at equal time and threads.

Each number of parts (1: unsplit) has the same day, seconds and threads; every plan is checked.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from typing import Any

from benchmarks.day import LOADS
from benchmarks.figures import add_json, tell
from benchmarks.generator import generate
from dispatcher.runtime.arguments import MOST_REQUESTS, MOST_S, MOST_WORKERS, number, whole
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.checker import check
from solvers.split import solve_split

MOST_PARTS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The day, the parts, and the time of each."""
    for name, most, default, about in (
        ("requests", MOST_REQUESTS, 50_000, "of the generated day"),
        ("vendors", MOST_REQUESTS, 2_400, "about so many"),
        ("seeds", 1_000, 1, "days 1, 2, ..."),
        ("workers", MOST_WORKERS, 2, "threads"),
    ):
        parser.add_argument(
            f"--{name}", type=whole(1, most), default=default, help=f"{about} (default: {default})"
        )
    parser.add_argument("--load", default="normal", choices=sorted(LOADS), help="how full the day is")
    parser.add_argument("--parts", type=parts_of, default="1,4,8", help="how many (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=number(0, MOST_S, above=True), default=60.0, help="of each (default: 60)"
    )
    add_json(parser)


def parts_of(text: str) -> list[int]:
    """Reads how many parts."""
    return [whole(1, MOST_PARTS)(each) for each in text.split(",")]


def run(args: argparse.Namespace) -> int:
    """Solve each day in each number of parts; a broken plan raises ValueError."""
    for engine in ("exact", "prover"):  # as in a solver process of the service, before its first job
        importlib.import_module(f"solvers.assignment.{engine}")
    rows = list[dict[str, Any]]()
    for seed in range(1, args.seeds + 1):
        problem = day_of(args.requests, args.vendors, args.load, seed)
        some = [solved(problem, parts, args.seconds, args.workers, seed) for parts in args.parts]
        rows += against_unsplit(some)
    tell({"rows": rows, "load_average_after": round(os.getloadavg()[0], 2)}, args.json)
    return 0


def day_of(requests: int, vendors: int, load: str, seed: int) -> AssignmentProblem:
    """A generated day of about so many vendors, with the vehicles that the usual number has."""
    usual = generate(requests, load, seed)
    have = len(usual.vendor_cap)
    return generate(
        requests, load, seed, vehicles_per_vendor=LOADS[load].vehicles_per_vendor * have / vendors
    )


def solved(problem: AssignmentProblem, parts: int, seconds: float, workers: int, seed: int) -> dict[str, Any]:
    """One row."""
    began, cpu = time.perf_counter(), time.process_time()
    given: dict[str, Any] = {"time_limit_s": seconds, "seed": seed, "workers": workers}
    found = solve(problem, **given) if parts == 1 else solve_split(problem, parts=parts, **given)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    report = check(problem, found.choice, claimed_cost=found.cost).require()
    return {
        "requests": problem.requests,
        "vendors": len(problem.vendor_cap),
        "day": seed,
        "parts": parts,
        "cost": found.cost,
        "gap_percent": round(100 * found.gap, 3),
        "unmatched": problem.requests - report.matched,
        "seconds": round(took, 1),
        "cpu_s": round(used, 1),
    }


def against_unsplit(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row of a day with what it costs more than the unsplit plan, where there is one; percent."""
    whole_cost = next((row["cost"] for row in rows if row["parts"] == 1), None)
    if whole_cost is None:
        return rows
    return [row | {"seam_percent": round(100 * (row["cost"] / whole_cost - 1), 3)} for row in rows]
