"""`dispatcher solve`: the optimiser on a saved problem, checked, as JSON."""

from __future__ import annotations

import argparse
import json
import os
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher.cli import MEASURE
from dispatcher.runtime.arguments import (
    MOST_S,
    MOST_SEED,
    MOST_WORKERS,
    STANDARD_OUTPUT,
    number,
    output,
    output_path,
    whole,
    writing,
)
from dispatcher.runtime.errors import UsageError
from dispatcher.runtime.own_command import typed

if TYPE_CHECKING:
    from solvers.assignment.problem import AssignmentProblem
    from solvers.assignment.result import AssignmentResult
    from solvers.checker import CheckReport

NAME = "solve"
HELP = "solve an assignment problem from a .npz file"
GROUP = MEASURE
EXAMPLE = "dispatcher solve problem.npz --seconds 10 --seed 1 --json -"


#: What numpy, zipfile and zlib raise for bytes that are no such file.
_UNREADABLE: tuple[type[Exception], ...] = (
    ValueError, TypeError, KeyError, IndexError, OSError, EOFError, MemoryError, NotImplementedError,
    RuntimeError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """File, limits, and where the answer goes."""
    parser.add_argument(
        "problem",
        type=Path,
        help="arrays of an assignment problem, .npz (see docs/optimiser.md); at most 2^20 requests, "
        "2^23 candidates, and 2^23 of vendors x pools x buckets",
    )
    parser.add_argument(
        "--seconds", type=number(0, MOST_S, above=True), default=10.0, help="time limit (default: 10)"
    )
    parser.add_argument(
        "--seed", type=whole(0, MOST_SEED), default=1, help="same seed, same search (default: 1)"
    )
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=whole(1, MOST_WORKERS), default=cores, help="cores to use (default: all)"
    )
    parser.add_argument(
        "--json", type=output, metavar="FILE", help="write the answer as JSON; - is standard output"
    )
    parser.add_argument(
        "--out", type=output_path, metavar="FILE", help="write the choice (R; column or -1) as .npz"
    )


def run(args: argparse.Namespace) -> int:
    """0 when the plan passes the checker; 1 when it does not; 2 for a file that is no problem."""
    problem = load_problem(args.problem)

    from solvers.assignment.solve import solve
    from solvers.checker import check

    result = solve(problem, time_limit_s=args.seconds, seed=args.seed, workers=args.workers)
    report = check(problem, result.choice, claimed_cost=result.cost)
    for why in result.lacking:
        print(f"not proven as far as it could be: {why}", file=sys.stderr)
    for violation in report.violations[:5]:
        print(f"not a plan: {violation}", file=sys.stderr)
    if args.out is not None:
        _write_choice(args.out, result)
    _write_answer(args.json, _answer(problem, result, report))
    return 0 if report.ok else 1


def load_problem(path: Path) -> AssignmentProblem:
    """The problem, or a UsageError that names what is wrong with the file."""
    from solvers.assignment.problem import AssignmentProblem

    try:
        if path.is_file() and not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("it is no .npz archive, or only a part of one")
        return AssignmentProblem.load(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no file {path}.", "Maybe the path is relative to another folder."
        ) from error
    except _UNREADABLE as error:
        said = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise UsageError(
            f"{path} is not an assignment problem: {said}",
            f"Maybe make one: {typed('bench assignment --save FILE')}.",
        ) from error


def _answer(problem: AssignmentProblem, result: AssignmentResult, report: CheckReport) -> dict[str, Any]:
    return {
        "requests": problem.requests,
        "columns": problem.columns,
        "vendors": int(problem.capacity.shape[0]),
        "matched": report.matched,
        "unmatched": problem.requests - report.matched,
        "cost": int(result.cost),
        "lower_bound": int(result.lower_bound),
        "gap": float(result.gap),
        "status": str(result.status),
        "lacking": list(result.lacking),
        "checked": report.ok,
        "violations": [str(violation) for violation in report.violations],
        "trace": [[round(float(seconds), 4), int(cost)] for seconds, cost in result.trace],
        "choice": [int(column) for column in result.choice],
    }


def _write_choice(path: Path, result: AssignmentResult) -> None:
    import numpy as np

    with writing(path), path.open("wb") as file:
        np.savez_compressed(file, choice=result.choice)


def _write_answer(target: str | None, answer: dict[str, Any]) -> None:
    """JSON to a file or standard output; without `--json` four lines for a reader."""
    if target is None:
        print(f"{answer['matched']} of {answer['requests']} requests matched, {answer['columns']} candidates")
        print(f"cost {answer['cost']}, proven at least {answer['lower_bound']}: gap {answer['gap']:.3%}")
        print(f"status {answer['status']}; {'checked' if answer['checked'] else 'FAILS THE CHECK'}")
    elif target == STANDARD_OUTPUT:
        print(json.dumps(answer))
    else:
        with writing(Path(target)):
            Path(target).write_text(json.dumps(answer) + "\n", encoding="utf-8")
