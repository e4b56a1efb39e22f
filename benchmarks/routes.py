"""Public pick-up and delivery and dial-a-ride problems: ours, OR-Tools' routing and the best known value."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import ortools_routes
from benchmarks.peers.contest import write
from benchmarks.routing_files import BestKnown, RoutingInstance, best_known, read_instance
from dispatcher.runtime.arguments import MOST_S, MOST_WORKERS, number, output, whole
from dispatcher.runtime.errors import UserError
from solvers.arrays import Floats
from solvers.kernels.library import library
from solvers.routing.checker import Route, check
from solvers.routing.online import play
from solvers.routing.problem import RoutingProblem
from solvers.routing.solve import solve

Row = dict[str, Any]
Routes = Sequence[Route]
_BESIDE: Final = (".res", ".md", ".csv", ".py")  #: what lies beside instances and is none


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`bench routes PATH ...`."""
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH",
        help="instances, or folders of them, in Li and Lim's, Cordeau's or the dynamic dial-a-ride's format",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=number(0, MOST_S, above=True), default=10.0, help="time limit of each contender"
    )
    parser.add_argument("--seeds", type=whole(1, 1_000), default=1, help="runs of ours")
    parser.add_argument("--peer", action="store_true", help="OR-Tools' routing as well, in the same time")
    parser.add_argument("--workers", type=whole(1, MOST_WORKERS), default=2, help="threads of ours")
    parser.add_argument("--json", type=output, default="-", help="where to write the figures; - is stdout")


def run(args: argparse.Namespace) -> int:
    """Every instance by every contender, each plan checked."""
    library()  # in a checkout, the kernels are compiled before the clock starts
    rows = [row for path in instances(args.paths) for row in _rows(path, args)]
    write(args.json, {"benchmark": "routes", "seconds": args.seconds, "runs": rows})
    return 0 if all(row["checked"] for row in rows) else 1


def instances(paths: list[Path]) -> list[Path]:
    """Files as given; of a folder all that may be instances. UserError where there are none."""
    found = [each for path in paths for each in (_inside(path) if path.is_dir() else [path])]
    if not found:
        raise UserError(
            f"{paths[0]} holds no routing problem.", "It needs .txt or .json files: docs/instances.md."
        )
    return found


def _inside(folder: Path) -> list[Path]:
    return [
        path for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix.lower() not in _BESIDE and path.name != "best_known.json"
    ]  # fmt: skip


def _rows(path: Path, args: argparse.Namespace) -> list[Row]:
    instance, known = read_instance(path), best_known(path)
    rows = []
    for seed in range(1, args.seeds + 1):
        ours = partial(_ours, instance.problem, time_limit_s=args.seconds, seed=seed, workers=args.workers)
        rows.append(_one(instance, known, "ours", ours))
    if instance.arrival is not None:
        online = partial(_online, instance.problem, instance.arrival)
        rows.append(_one(instance, known, "ours, online", online))
    if args.peer:
        peer = partial(ortools_routes.solve, instance.problem, args.seconds)
        rows.append(_one(instance, known, "ortools", peer))
    return rows


def _ours(problem: RoutingProblem, **limits: Any) -> Routes:
    return solve(problem, **limits).routes


def _online(problem: RoutingProblem, arrival: Floats) -> Routes:
    """Each request accepted or refused when it becomes known, by counted work instead of seconds."""
    return play(problem, arrival, seed=1).routes.routes


def _one(
    instance: RoutingInstance, known: BestKnown | None, contender: str, plan: Callable[[], Routes]
) -> Row:
    started = time.monotonic()
    routes = plan()
    took = time.monotonic() - started
    report = check(instance.problem, routes)
    more = report.vehicles - known.vehicles if known and known.vehicles else 0
    same = known is not None and not report.left_out and not more
    row: Row = {
        "instance": instance.name, "contender": contender, "requests": instance.problem.requests,
        "vehicles": report.vehicles, "travel": round(report.travel, 2), "left_out": report.left_out,
        "seconds": round(took, 2), "checked": report.ok, "violations": report.violations[:5],
        "best_known": known and {"vehicles": known.vehicles, "travel": known.travel},
        "vehicles_more": more,
        "over_best_known": report.travel / known.travel - 1 if known and same else None,
    }  # fmt: skip
    sys.stderr.write(
        f"{instance.name}: {contender} {report.vehicles} vehicles, travel {report.travel:.2f}, "
        f"{report.left_out} left out{_beside(row)}{'' if report.ok else '; FAILS THE CHECK'}\n"
    )
    return row


def _beside(row: Row) -> str:
    if row["best_known"] is None:
        return ""
    if row["over_best_known"] is None:
        return f" ({row['vehicles_more']:+d} vehicles to the best known)"
    return f" ({row['over_best_known']:+.2%} to the best known)"
