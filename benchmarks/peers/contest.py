"""Contenders on one problem, one after the other, each in a process of its own, all plans checked."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dispatcher.runtime.arguments import writing
from dispatcher.runtime.errors import UsageError
from solvers.assignment.problem import AssignmentProblem
from solvers.checker import check

Row = dict[str, Any]
PEERS = ("greedy", "cpsat", "highs")
_OVERTIME_S = 240.0  #: beyond its limit, for reading, building a model and ending; then it is killed


def peers_of(names: str) -> list[str]:
    """Ours and the peers named, comma-separated."""
    peers = [name.strip() for name in names.split(",") if name.strip()]
    wrong = [name for name in peers if name not in PEERS]
    if wrong:
        raise UsageError(f"no peer is called {wrong[0]!r}.", f"Maybe one of {', '.join(PEERS)}.")
    return ["ours", *peers]


def contest(
    problem: AssignmentProblem,
    name: str,
    contenders: list[str],
    *,
    seconds: float,
    seeds: Sequence[int],
    workers: int,
    proven: int | None = None,
) -> list[Row]:
    """A row for each contender and seed; `gap` is to the best bound: `proven`, or what any of them proved."""
    rows = list[Row]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.npz"
        problem.save(path)
        for seed in seeds:
            for contender in contenders:
                row: Row = {"instance": name, "contender": contender, "seed": seed}
                row |= _one(problem, path, contender, (seconds, seed, workers))
                sys.stderr.write(
                    f"{name}: {contender} cost {row['cost']} bound {row['bound']} {row['seconds']} s\n"
                )
                rows.append(row)
    bounds = [bound for bound in (proven, *(row["bound"] for row in rows)) if bound is not None]
    bound = max(bounds) if bounds else None
    for row in rows:
        known = bound is not None and row["cost"] is not None
        row["best_bound"] = bound
        row["gap"] = (row["cost"] - bound) / max(1, abs(bound)) if known and bound is not None else None
    return rows


def _one(problem: AssignmentProblem, path: Path, contender: str, limits: tuple[float, int, int]) -> Row:
    """Run it, read its plan, check that. A contender that fails or finds nothing says so in `error`."""
    out = path.with_name(f"{contender}.npz")
    out.unlink(missing_ok=True)
    words = [contender, str(path), str(out), *map(str, limits)]
    empty: Row = dict.fromkeys(("cost", "bound", "seconds", "peak_mb", "build_s", "unmatched", "trace"))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peers.contender", *words],
            capture_output=True, text=True, check=False, timeout=limits[0] + _OVERTIME_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return empty | {"checked": True, "error": f"killed {_OVERTIME_S:.0f} s after its limit"}
    if done.returncode:
        return empty | {"checked": True, "error": done.stderr.strip()[-300:]}
    row: Row = empty | json.loads(done.stdout.splitlines()[-1])
    with np.load(out) as file:
        choice = file.get("choice")
    if choice is None:
        return row | {"checked": True, "error": "no plan within the limit"}
    report = check(problem, choice)
    return row | {
        "cost": report.cost if report.ok else None,
        "unmatched": problem.requests - report.matched,
        "checked": report.ok,
        "error": None if report.ok else str(report.violations[0]),
    }


def medians(rows: list[Row]) -> dict[str, Row]:
    """Per contender, the median over the seeds of each figure it has for all of them."""
    found: dict[str, Row] = {}
    for contender in dict.fromkeys(row["contender"] for row in rows):
        own = [row for row in rows if row["contender"] == contender]
        found[contender] = {
            key: statistics.median(row[key] for row in own)
            if all(row[key] is not None for row in own)
            else None
            for key in ("gap", "cost", "seconds", "peak_mb", "build_s")
        }
    return found


def write(where: str, figures: Row) -> None:
    """JSON to a file, or to stdout for `-`."""
    text = json.dumps(figures, indent=1) + "\n"
    if where == "-":
        sys.stdout.write(text)
    else:
        with writing(Path(where)):
            Path(where).write_text(text)
