"""Vendor assignment side by side: ours and what else an engineer could reach for, same day, same time."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.day import LOADS
from benchmarks.generator import generate
from benchmarks.peers.contest import contest, medians, peers_of, write
from solvers.assignment.problem import AssignmentProblem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`bench assignment`."""
    parser.add_argument("--requests", type=int, default=1000, help="size of the generated day")
    parser.add_argument("--load", default="normal", choices=sorted(LOADS), help="how full the day is")
    parser.add_argument("--npz", type=Path, help="a problem of your own instead of a generated day")
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit of each contender")
    parser.add_argument("--seeds", type=int, default=3, help="days (and runs) 1, 2, ...")
    parser.add_argument(
        "--peers", default="greedy,cpsat,highs", help="of greedy, cpsat, highs; comma-separated"
    )
    parser.add_argument("--workers", type=int, default=2, help="threads of each contender")
    parser.add_argument(
        "--bound-seconds",
        type=float,
        default=0.0,
        help="run HiGHS that long first, only for a better proven bound (default 0: do not)",
    )
    parser.add_argument("--json", default="-", help="where to write the figures; - is stdout")


def run(args: argparse.Namespace) -> int:
    """All contenders on all seeds, each in its own process; gaps are to the best bound any of them proved."""
    rows = []
    for seed in range(1, args.seeds + 1):
        problem = _problem(args, seed)
        name = args.npz.name if args.npz else f"{args.requests} {args.load} day {seed}"
        proven = _proven(problem, f"{name}, long", args)
        rows += contest(
            *(problem, name, peers_of(args.peers)),
            seconds=args.seconds, seeds=[seed], workers=args.workers, proven=proven,
        )  # fmt: skip
    summary = medians(rows)
    size = {"requests": problem.requests, "columns": problem.columns, "load": None if args.npz else args.load}
    write(
        args.json,
        {"benchmark": "assignment", **size, "seconds": args.seconds, "median": summary, "runs": rows},
    )
    return 0 if all(row["checked"] for row in rows) else 1


def _proven(problem: AssignmentProblem, name: str, args: argparse.Namespace) -> int | None:
    """What a long run of HiGHS proves, if one is asked for."""
    if not args.bound_seconds:
        return None
    seconds = args.bound_seconds
    row = contest(problem, name, ["highs"], seconds=seconds, seeds=[1], workers=args.workers)[0]
    bound: int | None = row["bound"]
    return bound


def _problem(args: argparse.Namespace, seed: int) -> AssignmentProblem:
    return AssignmentProblem.load(args.npz) if args.npz else generate(args.requests, args.load, seed)
