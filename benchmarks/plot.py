"""Gap against time, ours and the peers: `python -m benchmarks.plot docs/optimiser.svg` (about 5 minutes)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from benchmarks.generator import generate
from benchmarks.peers.contest import contest

#: (requests, load, seconds for ours and greedy, seconds for CP-SAT and HiGHS)
PANELS = (
    (1_000, "overloaded", (0.5, 2.0, 10.0), (10.0, 40.0)),
    (10_000, "normal", (1.0, 2.0, 5.0, 30.0), (30.0,)),
)
_NO_PLAN = 200.0  #: where the crosses of those without a plan stand, %
STYLE = {"ours": "o-", "greedy": "^", "cpsat": "s--", "highs": "d--"}


def measure() -> list[dict[str, Any]]:
    """All runs of all panels, with gaps to the best bound proven in their panel."""
    rows = []
    for requests, load, ours, peers in PANELS:
        problem, found = generate(requests, load, 1), []
        for seconds in sorted({*ours, *peers}):
            names = ["ours"] if seconds in ours else []
            names += ["greedy"] if seconds == ours[0] else []
            names += ["cpsat", "highs"] if seconds in peers else []
            name = f"{requests:,} requests, {load}"
            found += contest(problem, name, names, seconds=seconds, seeds=[1], workers=2)
        bound = max(row["bound"] for row in found if row["bound"] is not None)
        for row in found:
            row["gap"] = None if row["cost"] is None else (row["cost"] - bound) / bound
        rows += found
    return rows


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """One panel a day; both axes logarithmic. A contender without a plan within its limit stands above."""
    days = list(dict.fromkeys(row["instance"] for row in rows))
    figure, axes = plt.subplots(1, len(days), figsize=(10, 4), sharey=True)
    for axis, day in zip(axes, days, strict=True):
        for name, style in STYLE.items():
            own = [row for row in rows if row["instance"] == day and row["contender"] == name]
            points = sorted((row["seconds"], 100 * row["gap"]) for row in own if row["gap"] is not None)
            if points:
                axis.plot(*zip(*points, strict=True), style, label=name, color=f"C{list(STYLE).index(name)}")
            without = [row["seconds"] or max(PANELS[-1][3]) for row in own if row["gap"] is None]
            if without:
                axis.plot(without, [_NO_PLAN] * len(without), "x", color=f"C{list(STYLE).index(name)}")
                height = _NO_PLAN * 1.5 ** (1 + list(STYLE).index(name) % 2)
                axis.annotate(f"{name}: no plan", (max(without), height), ha="right", fontsize=8)
        axis.set(title=day, xlabel="seconds", xscale="log", yscale="log")
        axis.grid(visible=True, which="both", alpha=0.2)
        axis.legend(loc="upper left", fontsize=8)
        axis.set_ylim(0.1, 1000)
    axes[0].set_ylabel("gap to the best proven bound, %")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main(words: list[str]) -> None:
    """`plot out.svg [figures.json]`: draws the figures that are there, else measures and keeps them."""
    path = Path(words[0])
    figures = Path(words[1]) if len(words) > 1 else None
    rows = json.loads(figures.read_text()) if figures and figures.exists() else measure()
    for row in rows:
        row.pop("trace", None)
    if figures:
        figures.write_text(json.dumps(rows, indent=1))
    draw(rows, path)


if __name__ == "__main__":
    main(sys.argv[1:])
