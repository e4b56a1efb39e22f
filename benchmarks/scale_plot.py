"""The figures of `bench scale` as a picture: `python -m benchmarks.scale_plot scale.json docs/scale.svg`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from benchmarks.scale_seen import PARTS


def draw(figures: dict[str, Any], path: Path) -> None:
    """Left: processor time by markets, with the line through it. Right: by part, a request."""
    rows, fit = figures["rows"], figures["fit"]
    markets = [row["markets"] for row in rows]
    figure, (whole, parts) = plt.subplots(1, 2, figsize=(10, 4))
    whole.plot(markets, [row["cpu_s"] for row in rows], "o", label="measured")
    line = [fit["fixed_cpu_s"] + fit["cpu_s_a_market"] * each for each in markets]
    whole.plot(markets, line, "-", label=f"{fit['cpu_s_a_market']:.1f} s a market", linewidth=1)
    whole.set(xlabel="markets, each with its own load", ylabel="processor seconds", xticks=markets)
    whole.set_ylim(bottom=0)
    below = [0.0] * len(rows)
    for part in PARTS:
        heights = [row[f"{part}_cpu_ms"] for row in rows]
        parts.bar([str(each) for each in markets], heights, bottom=below, label=part)
        below = [low + more for low, more in zip(below, heights, strict=True)]
    parts.set(xlabel="markets", ylabel="processor milliseconds a request")
    for axis in (whole, parts):
        axis.grid(visible=True, alpha=0.2)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
