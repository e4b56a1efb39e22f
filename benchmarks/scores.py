"""Scores over some weeks: does a vendor with ten bad days come back, does declining hard rides pay?

A small market is played day by day, offer by offer, by the matcher's own screening, costs, plans; what
became of each offer counts on its vendor's scorecard, which goes into the next day's plans. Three ways side
by side: the damped score, the share by month as it was before (the peer), no score at all. Beside honest
vendors one has ten bad days, one declines hard rides, and one declines them as nobody's fault.
Then a market that wants twice its vans: whose rides are left out, with the fairness floor and without; and
one whose vans become free by the hour: whose rides wait longer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import scores_floor, scores_waits
from benchmarks.figures import add_json, tell
from benchmarks.scores_floor import Left
from benchmarks.scores_played import BAD, WAYS, Figures, Played, play
from benchmarks.scores_waits import Waited
from dispatcher.runtime.arguments import MOST_SEED, whole
from solvers.optimiser import Optimiser
from solvers.planning import Limits

FLOORS = ("without_floor", "with_floor")
NEAR = 0.1  # of its share without bad days, by which a vendor that came back may fall short of it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`bench scores`."""
    parser.add_argument("--days", type=whole(15, 120), default=30, help="from the first bad day on")
    parser.add_argument("--requests", type=whole(10, 2_000), default=96, help="a day")
    parser.add_argument("--seed", type=whole(0, MOST_SEED), default=1, help="what is drawn")
    parser.add_argument("--work", type=whole(0, 10**9), default=0, help="steps of the optimiser; 0: greedy")
    add_json(parser)
    parser.add_argument("--svg", type=Path, help="where to draw the shares of offers by day")


def run(args: argparse.Namespace) -> int:
    """All ways; 0 if with the damped score the vendor comes back, and declining hard rides does not pay."""
    solver = _solver(args.work, args.seed)
    both = [
        {
            way: play(way, args.seed, days=args.days, requests=args.requests, bad=bad, solver=solver)
            for way in WAYS
        }
        for bad in (BAD, 0)
    ]
    told, without = both
    figures = {way: each.figures(without[way]) for way, each in told.items()}
    if args.svg:
        draw(args.svg, told)
    floors = {
        name: scores_floor.play(floor=name == "with_floor", seed=args.seed, solver=solver) for name in FLOORS
    }
    waits = {
        f"waits_{name}": scores_waits.play(floor=name == "with_floor", seed=args.seed, solver=solver)
        for name in FLOORS
    }
    told_all = {"benchmark": "scores", "seed": args.seed, "days": args.days, **figures, **floors, **waits}
    tell(told_all, args.json)
    kept = floor_holds(floors["with_floor"]) and floor_holds(waits["waits_with_floor"])
    return 0 if holds(figures["damped"]) and kept else 1


def floor_holds(left: Left | Waited) -> bool:
    """What the fairness floor promises: no group goes unmatched, or waits, more than so much longer."""
    return left["gap"] <= left["floor"]


def _solver(work: int, seed: int) -> Optimiser | None:
    return Optimiser(Limits(time_limit_s=3_600, work_limit=work, seed=seed)) if work else None


def holds(damped: Figures) -> bool:
    """What the damped score promises."""
    back = damped["slump_came_back"] >= 1 - NEAR
    return back and damped["picky_over_honest"] <= 1.0 and damped["excused_over_honest"] <= 1.0


def draw(path: Path, told: dict[str, Played]) -> None:
    """The share of offers of the vendor with ten bad days, by day, each way."""
    import matplotlib as mpl  # noqa: PLC0415  (of the bench environment)

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(8, 3.5))
    for way, each in told.items():
        axes.plot(each.days, [100 * share for share in each.shares("slump")], label=way)
    axes.axvspan(0.5, 10.5, alpha=0.12, color="grey")
    axes.set_xlabel("day; ten bad days are grey")
    axes.set_ylabel("share of first offers, %")
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
