"""What most benchmarks have in common: counts that they are given, and where their figures go."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dispatcher.runtime.arguments import MOST_REQUESTS, STANDARD_OUTPUT, output, whole, writing


def add_counts(
    parser: argparse.ArgumentParser, *counts: tuple[str, int, str], least: int = 1, most: int = MOST_REQUESTS
) -> None:
    """Options for whole numbers: name, default, and what it counts."""
    for name, default, about in counts:
        parser.add_argument(
            f"--{name}",
            type=whole(least, most),
            default=default,
            metavar="N",
            help=f"{about} (default: {default})",
        )


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`: for `tell`."""
    parser.add_argument(
        "--json", type=output, metavar="FILE", help="write figures as JSON; - is standard output"
    )


def tell(
    figures: Mapping[str, Any], target: str | None, told: Callable[[dict[str, Any]], str] | None = None
) -> None:
    """Write the figures to `target`, if there is one, and print them, as `told` has them for people."""
    text = json.dumps(figures, indent=2)
    if target and target != STANDARD_OUTPUT:
        with writing(Path(target)):
            Path(target).write_text(text + "\n", encoding="utf-8")
    print(text if told is None or target == STANDARD_OUTPUT else told(dict(figures)))
