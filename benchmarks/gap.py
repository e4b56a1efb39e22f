"""Public instances of the generalized assignment problem: ours, the peers and the best known value."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.contest import contest, peers_of, write
from dispatcher.runtime.arguments import MOST_S, MOST_WORKERS, number, output, read_text, whole
from dispatcher.runtime.errors import UserError
from solvers.assignment.problem import AssignmentProblem

#: An unassigned item costs this many times the dearest assignment: a plan that leaves one out is no plan.
_UNASSIGNED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`bench gap DIR`."""
    parser.add_argument(
        "folder", type=Path, help="instances in OR-Library format; best_known.csv beside them"
    )
    parser.add_argument(
        "--seconds", type=number(0, MOST_S, above=True), default=10.0, help="time limit of each contender"
    )
    parser.add_argument("--seeds", type=whole(1, 1_000), default=1, help="runs of each contender")
    parser.add_argument("--peers", default="cpsat,highs", help="of greedy, cpsat, highs; comma-separated")
    parser.add_argument("--workers", type=whole(1, MOST_WORKERS), default=2, help="threads of each contender")
    parser.add_argument("--json", type=output, default="-", help="where to write the figures; - is stdout")


def run(args: argparse.Namespace) -> int:
    """All contenders on all instances, each in a process of its own."""
    paths, seeds = instances(args.folder), list(range(1, args.seeds + 1))
    known, rows = best_known(args.folder), []
    for path in paths:
        for name, problem in read(path).items():
            best = known.get(name)
            for row in contest(
                problem, name, peers_of(args.peers), seconds=args.seconds, seeds=seeds, workers=args.workers
            ):
                complete = row["unmatched"] == 0
                over = (row["cost"] - best) / best if best and complete and row["cost"] is not None else None
                rows.append(row | {"best_known": best, "over_best_known": over})
    write(args.json, {"benchmark": "gap", "seconds": args.seconds, "runs": rows})
    return 0 if all(row["checked"] for row in rows) else 1


def instances(folder: Path) -> list[Path]:
    """Files that hold problems and nothing else. UserError where none does."""
    found = [path for path in _files(folder) if path.is_file() and _parts(path)]
    if not found:
        raise UserError(
            f"{folder} holds no generalized assignment problem.",
            "It needs instances in OR-Library format: m n, costs m x n, use m x n, capacities m.",
        )
    return found


def _files(folder: Path) -> list[Path]:
    """What lies in the folder; nothing if it is none, or one that cannot be read."""
    try:
        return sorted(folder.iterdir())
    except (OSError, ValueError):
        return []


def _parts(path: Path) -> list[list[int]]:
    """Numbers of each problem: of one alone, or of several after how many they are; else none."""
    try:
        numbers = [int(word) for word in read_text(path).split()]
    except (ValueError, UserError):
        return []
    return _cut(numbers, 1) or (_cut(numbers[1:], numbers[0]) if numbers else [])


def _cut(numbers: list[int], count: int) -> list[list[int]]:
    """So many problems, one after the other, to the last number; none where they do not come out even."""
    found = []
    while len(numbers) > 2 and min(numbers[:2]) > 0:
        length = 2 + 2 * numbers[0] * numbers[1] + numbers[0]
        if len(numbers) < length:
            break
        found.append(numbers[:length])
        numbers = numbers[length:]
    return found if len(found) == count and not numbers else []


def read(path: Path) -> dict[str, AssignmentProblem]:
    """By name: the file's, or FILE-1, FILE-2, ... where it holds several. UserError where it holds none."""
    parts = _parts(path)
    if not parts:
        raise UserError(
            f"{path} is no generalized assignment problem.", "Maybe it is not in OR-Library format."
        )
    names = [path.name] if len(parts) == 1 else [f"{path.name}-{nth}" for nth in range(1, len(parts) + 1)]
    try:
        return {name: _problem(part) for name, part in zip(names, parts, strict=True)}
    except (ValueError, OverflowError) as error:
        raise UserError(
            f"{path} is no generalized assignment problem: {str(error).splitlines()[0]}.",
            "Maybe a number has a digit too many, or its sign is wrong.",
        ) from error


def _problem(numbers: list[int]) -> AssignmentProblem:
    """OR-Library: agents m, items n, costs m x n, use m x n, capacities m. Agents are vendors, K = B = 1."""
    agents, items = numbers[:2]
    body = np.array(numbers[2:], np.int64)
    cost, use = (body[k * agents * items :][: agents * items].reshape(agents, items) for k in (0, 1))
    capacity = body[2 * agents * items :][:agents]
    columns = agents * items
    zero = np.zeros(columns, np.int64)
    return AssignmentProblem(
        request_penalty=np.full(items, _UNASSIGNED * int(cost.max(initial=1)), np.int64),
        column_request=np.repeat(np.arange(items), agents),
        column_vendor=np.tile(np.arange(agents), items),
        column_resource=zero,
        column_start=zero,
        column_duration=zero + 1,
        column_units=use.T.reshape(-1),
        column_cost=cost.T.reshape(-1),
        capacity=capacity.reshape(agents, 1, 1),
    )


def best_known(folder: Path) -> dict[str, int]:
    """Best known values by file name, from best_known.csv; empty where there is none."""
    path = folder / "best_known.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    value = "Best known solution value"
    return {Path(row["Path"]).name: int(row[value]) for row in rows if row.get(value)}
