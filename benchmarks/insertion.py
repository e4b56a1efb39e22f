"""One request into a standing plan: ours, direct and polished, beside plain Python and CP-SAT."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.day import LOADS
from benchmarks.generator import generate
from benchmarks.insertion_peers import by_cpsat, by_plain_python
from dispatcher.runtime.arguments import MOST_REQUESTS, MOST_S, MOST_SEED, number, output, whole, writing
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.checker import check
from solvers.insertion import Columns, Entry, Insertion, StandingPlan, insert

Inserter = Callable[[StandingPlan, Entry], Insertion | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size of the day, how many requests come late, and how often the slow peer is asked."""
    parser.add_argument(
        "--requests", type=whole(1, MOST_REQUESTS), default=10_000, help="standing requests (default: 10000)"
    )
    parser.add_argument("--load", choices=sorted(LOADS), default="normal")
    parser.add_argument(
        "--fresh",
        type=whole(1, MOST_REQUESTS),
        default=300,
        help="late requests, each inserted alone (default: 300)",
    )
    parser.add_argument(
        "--cpsat",
        type=whole(0, MOST_REQUESTS),
        default=30,
        help="of those, how many CP-SAT does too (default: 30)",
    )
    parser.add_argument(
        "--batch-seconds",
        type=number(0, MOST_S, above=True),
        default=10.0,
        help="for the plan they meet (default: 10)",
    )
    parser.add_argument("--seed", type=whole(0, MOST_SEED), default=1)
    parser.add_argument(
        "--json", type=output, metavar="FILE", help="write figures as JSON; - is standard output"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A standing plan and the requests that come after it."""

    problem: AssignmentProblem
    choice: Ints
    plan: StandingPlan
    entries: list[Entry]
    first: Ints  #: R; each request's first column


def run(args: argparse.Namespace) -> int:
    """Measure, check every answer, print; 1 if an answer fails the check."""
    setting = _setting(args)
    few = setting.entries[: args.cpsat]
    figures = {
        "direct": _measure(setting, setting.entries, lambda plan, entry: insert(plan, entry, polish=False)),
        "polished": _measure(setting, setting.entries, insert),
        "plain_python": _measure(setting, setting.entries, by_plain_python),
        "on_the_first": {
            "requests": len(few),
            "direct": _measure(setting, few, lambda plan, entry: insert(plan, entry, polish=False)),
            "polished": _measure(setting, few, insert),
            "cpsat": _measure(setting, few, lambda plan, entry: by_cpsat(plan, entry, args.seed)),
        },
    }
    answer: dict[str, Any] = {
        "requests": args.requests, "load": args.load, "seed": args.seed, "columns": setting.problem.columns,
        "standing": len(setting.plan), "fresh": len(setting.entries), "peak_memory_mb": _peak_memory_mb(),
    } | figures  # fmt: skip
    _show(answer)
    if args.json == "-":
        print(json.dumps(answer))
    elif args.json:
        with writing(Path(args.json)):
            Path(args.json).write_text(json.dumps(answer) + "\n", encoding="utf-8")
    return 0 if _all_checked(answer) else 1


def _setting(args: argparse.Namespace) -> Setting:
    """A day, of which the last requests (none in a precedence pair) come after the batch."""
    problem = generate(args.requests + args.fresh, args.load, args.seed)
    paired = np.isin(np.arange(problem.requests), problem.precedence)
    late = np.random.default_rng(args.seed).permutation(np.flatnonzero(~paired))[: args.fresh]
    _say(f"a day of {problem.requests} requests, {problem.columns} candidates; {len(late)} of them come late")
    batch, kept = _without(problem, late)
    result = solve(batch, time_limit_s=args.batch_seconds, seed=args.seed, workers=2)
    _say(f"standing plan: {int((result.choice >= 0).sum())} matched, gap {result.gap:.2%}")
    choice = np.where(result.choice >= 0, kept[result.choice], -1)
    plan = StandingPlan.of(problem, choice)
    first = np.searchsorted(problem.column_request, np.arange(problem.requests + 1))
    entries = [
        Entry(request, Columns.of_request(problem, request), int(problem.request_penalty[request]))
        for request in late.tolist()
    ]
    return Setting(problem, choice, plan, entries, first)


def _without(problem: AssignmentProblem, late: Ints) -> tuple[AssignmentProblem, Ints]:
    """The problem before the late requests were known, and where its columns are in the whole one."""
    kept = np.flatnonzero(~np.isin(problem.column_request, late))
    names = ("request", "vendor", "resource", "start", "duration", "units", "cost")
    return replace(
        problem, **{f"column_{name}": getattr(problem, f"column_{name}")[kept] for name in names}
    ), kept


def _measure(setting: Setting, entries: list[Entry], inserter: Inserter) -> dict[str, Any]:
    """Time each insertion alone, from the same standing plan; check each with the checker."""
    seconds, found = [], []
    for entry in entries:
        began = time.perf_counter()
        found.append(inserter(setting.plan, entry))
        seconds.append(time.perf_counter() - began)
    p50, p99, longest = (1000 * float(q) for q in np.percentile(seconds, (50, 99, 100)))
    return {
        "p50_ms": round(p50, 3), "p99_ms": round(p99, 3), "max_ms": round(longest, 3),
        "placed": sum(each is not None for each in found),
        "moves": sum(len(each.moves) for each in found if each is not None),
        "cost": sum(_cents(entry, each) for entry, each in zip(entries, found, strict=True)),
        "checked": all(_checked(setting, each) for each in found if each is not None),
    }  # fmt: skip


def _cents(entry: Entry, found: Insertion | None) -> int:
    return (entry.penalty_cents or 0) if found is None else found.cents


def _checked(setting: Setting, found: Insertion) -> bool:
    """The plan after it passes the checker, and costs what the insertion says."""
    choice = setting.choice.copy()
    placed = [(found.entry.key, found.column), *((move.key, move.after) for move in found.moves)]
    request = np.array([key for key, _ in placed], dtype=np.int64)
    choice[request] = setting.first[request] + [column for _, column in placed]
    before = check(setting.problem, setting.choice)
    penalty = int(setting.problem.request_penalty[request[0]])
    return check(setting.problem, choice, claimed_cost=before.cost - penalty + found.cents).ok


def _all_checked(figures: dict[str, Any]) -> bool:
    parts = [value for value in figures.values() if isinstance(value, dict)]
    return bool(figures.get("checked", True)) and all(_all_checked(part) for part in parts)


def _peak_memory_mb() -> int:
    import resource  # noqa: PLC0415  POSIX only

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _show(answer: dict[str, Any]) -> None:
    few = answer["on_the_first"]
    rows = [("ours, direct", answer["direct"]), ("ours, polished", answer["polished"])]
    rows += [("plain Python, direct", answer["plain_python"])]
    rows += [(f"{name}, first {few['requests']}", few[name]) for name in ("direct", "polished", "cpsat")]
    _say(f"{'':<24}{'p50 ms':>10}{'p99 ms':>10}{'placed':>8}{'moves':>7}{'cost':>12}  checked")
    for name, row in rows:
        _say(
            f"{name:<24}{row['p50_ms']:>10.3f}{row['p99_ms']:>10.3f}{row['placed']:>8}{row['moves']:>7}"
            f"{row['cost']:>12}  {'yes' if row['checked'] else 'NO'}"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
