"""The answer as a page in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from contracts.what_if import WhatIfAnswer

SHOWN = 5  # groups of a kind


def show(console: Console, answer: WhatIfAnswer) -> None:
    """Verdict, figures, who loses."""
    console.print(f"[bold]{answer.verdict}[/bold]")
    told = f"0 of them already told: {answer.told:,} are pinned" if answer.told else "none was told already"
    console.print(
        f"{answer.changed:,} of {answer.requests:,} would fare otherwise ({told}); "
        f"{answer.anyway:,} of these do anyway: another seed alone changes {answer.floor:,}"
    )
    if answer.proof is not None:
        each = answer.proof
        console.print(
            f"bounds: {each.before_bound:,} to {each.before:,} cents, "
            f"then {each.after_bound:,} to {each.after:,}: {each.verdict}"
        )  # fmt: skip
    console.print(_figures(answer))
    console.print(_groups(answer))


def _figures(answer: WhatIfAnswer) -> Table:
    table = Table(title=f"against {answer.against}", title_justify="left")
    for name in ("figure", "today", "changed", "noise", "verdict"):
        table.add_column(name, justify="left" if name in ("figure", "verdict") else "right")
    for each in answer.figures:
        numbers = (f"{number:,g}" for number in (each.before, each.after, each.noise))
        table.add_row(f"{each.name.replace('_', ' ')} ({each.unit})", *numbers, each.verdict)
    return table


def _groups(answer: WhatIfAnswer) -> Table:
    """Of each kind the few who lose most."""
    table = Table(title="who loses", title_justify="left")
    for name in ("by", "who", "requests", "matched", "then", "gained", "lost", "moved"):
        table.add_column(name, justify="left" if name in ("by", "who") else "right")
    shown = dict[str, int]()
    for each in answer.groups:
        shown[each.by] = shown.get(each.by, 0) + 1
        if shown[each.by] <= SHOWN:
            numbers = (each.requests, each.before, each.after, each.gained, each.lost, each.moved)
            table.add_row(each.by, each.name, *(f"{number:,}" for number in numbers))
    return table
