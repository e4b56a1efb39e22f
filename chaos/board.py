"""What is seen while it runs, and the summary at the end; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chaos.trial import Report

COLUMNS = ("scenario", "rounds", "acknowledged", "lost", "double-booked", "findings", "longest recovery")


class Board:
    """A bar for each scenario."""

    def __init__(self, console: Console, planned: Mapping[str, int]) -> None:
        """`planned`: rounds by scenario."""
        self.console, self._width = console, max(map(len, planned))
        self._progress = Progress(
            TextColumn(f"{{task.description:<{self._width}}}"),
            BarColumn(complete_style="cyan", finished_style="green"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._bars = {
            name: self._progress.add_task(name, total=rounds, told="", start=False)
            for name, rounds in planned.items()
        }

    def tell(self, report: Report) -> None:
        """One more round of a scenario is over."""
        bar = self._bars[report.scenario]
        self._progress.start_task(bar)
        self._progress.update(bar, completed=report.rounds, told=_told(report))

    def over(self, report: Report) -> None:
        """A scenario is over: where there are no bars, a line says so."""
        self.tell(report)
        self._progress.stop_task(self._bars[report.scenario])
        if not self.console.is_terminal:
            name, told = f"{report.scenario:<{self._width}}", _told(report)
            self.console.print(f"{name}  {report.rounds} rounds: {told}", highlight=False)

    def show(self, reports: Iterable[Report]) -> None:
        """The table of all, and every finding in words."""
        table = Table(box=None, pad_edge=False)
        for name in COLUMNS:
            table.add_column(name, justify="left" if name == COLUMNS[0] else "right")
        for each in (reports := list(reports)):
            figures = (each.rounds, each.acknowledged, each.lost, each.double_booked, each.found)
            cells = (*(f"{figure:,}" for figure in figures), f"{each.longest_recovery_s:.2f} s")
            table.add_row(each.scenario, *cells, style="red" if each.found else "")
        self.console.print(table)
        for each in reports:
            if words := _counted(each):
                self.console.print(f"{each.scenario}: {words}", highlight=False, soft_wrap=True)
            for finding in each.findings:
                self.console.print(
                    f"{each.scenario}: {finding}", style="red", highlight=False, soft_wrap=True
                )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def _told(report: Report) -> str:
    return f"{report.acknowledged:,} kept, {report.found} found"


def _counted(report: Report) -> str:
    """What it was played with, what was killed how often and what else counted; "" where rounds say all."""
    killed = [f"{number:,} × {part}" for part, number in report.kills.items()]
    counted = [f"{number:,} {name.replace('_', ' ')}" for name, number in report.counts.items()]
    if report.longest_take_over_s:
        counted.append(f"a dead matcher's market was another's after {report.longest_take_over_s:.1f} s")
    told = [report.about] if report.about else []
    return "; ".join([*told, *([f"killed {', '.join(killed)}"] if killed else []), *counted])
