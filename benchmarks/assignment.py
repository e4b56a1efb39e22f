"""Vendor assignment side by side: ours and what else an engineer could reach for, same day, same time."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.day import LOADS
from benchmarks.generator import generate
from benchmarks.peers.contest import contest, medians, peers_of, write
from benchmarks.seoul import as_problem, load_day
from benchmarks.sequences_bench import side_by_side
from dispatcher.cli.solve import load_problem
from dispatcher.runtime.arguments import (
    MOST_REQUESTS,
    MOST_S,
    MOST_WORKERS,
    number,
    output,
    output_path,
    whole,
    writing,
)
from solvers.assignment.problem import AssignmentProblem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`bench assignment`."""
    parser.add_argument(
        "--requests", type=whole(1, MOST_REQUESTS), default=1000, help="size of the generated day"
    )
    parser.add_argument("--load", default="normal", choices=sorted(LOADS), help="how full the day is")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--npz", type=Path, help="a problem of your own instead of a generated day")
    source.add_argument(
        "--day", type=Path, metavar="DIR", help="a real day: a folder with trips.csv and vehicles.csv"
    )
    parser.add_argument(
        "--save", type=output_path, metavar="FILE", help="write day 1 as .npz for `dispatcher solve`, and end"
    )
    parser.add_argument(
        "--seconds", type=number(0, MOST_S, above=True), default=10.0, help="time limit of each contender"
    )
    parser.add_argument("--seeds", type=whole(1, 1_000), default=3, help="days (and runs) 1, 2, ...")
    parser.add_argument(
        "--peers", default="greedy,cpsat,highs", help="of greedy, cpsat, highs; comma-separated"
    )
    parser.add_argument("--workers", type=whole(1, MOST_WORKERS), default=2, help="threads of each contender")
    parser.add_argument(
        "--bound-seconds",
        type=number(0, MOST_S),
        default=0.0,
        help="run HiGHS that long first, only for a better proven bound (default 0: do not)",
    )
    parser.add_argument(
        "--sequences",
        action="store_true",
        help="a generated day with 5 %% of its requests in sequence and 2 %% in bundles, and without them",
    )
    parser.add_argument(
        "--tries", type=whole(1, 1_000), default=1, help="runs of each day with --sequences: medians count"
    )
    parser.add_argument("--json", type=output, default="-", help="where to write the figures; - is stdout")


def run(args: argparse.Namespace) -> int:
    """All contenders on all seeds, each in its own process; gaps are to the best bound any of them proved."""
    if args.save:
        with writing(args.save):
            _problem(args, 1).save(args.save)
        return 0
    if args.sequences:
        return side_by_side(args)
    rows = []
    for seed in range(1, args.seeds + 1):
        problem = _problem(args, seed)
        given = args.npz or args.day
        name = given.name if given else f"{args.requests} {args.load} day {seed}"
        proven = _proven(problem, f"{name}, long", args)
        rows += contest(
            *(problem, name, peers_of(args.peers)),
            seconds=args.seconds, seeds=[seed], workers=args.workers, proven=proven,
        )  # fmt: skip
    summary = medians(rows)
    size = {"requests": problem.requests, "columns": problem.columns, "load": None if given else args.load}
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
    if args.npz:
        return load_problem(args.npz)
    return as_problem(load_day(args.day)) if args.day else generate(args.requests, args.load, seed)
