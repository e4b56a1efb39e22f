"""What is seen while the day is played: bars, counts, the clock; plain lines where there is no terminal."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Iterator

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from contracts.codes import RequestState
from dispatcher.domain.states import TERMINAL
from dispatcher.runtime.clock import Clock
from simulation.day import Day, instant
from simulation.episodes import Episode
from simulation.tally import Tally

REFRESH_S, LINE_EVERY_S = 0.25, 5.0
_BARS = ("requests in", "matched", "completed")
_EPISODES = "episodes"  # all of whose requests have ended
COLOURS = {
    RequestState.RECEIVED: "cyan",
    RequestState.ON_HOLD: "blue",
    RequestState.MATCHING: "cyan",
    RequestState.OFFERED: "yellow",
    RequestState.ACCEPTED: "green",
    RequestState.IN_PROGRESS: "green",
    RequestState.COMPLETED: "bold green",
    RequestState.NO_SHOW: "magenta",
    RequestState.CANCELLED: "magenta",
    RequestState.FAILED: "red",
    RequestState.UNMATCHED: "red",
}


class Board:
    """Shows a tally on a console."""

    def __init__(self, console: Console, day: Day, clock: Clock, tally: Tally) -> None:
        self.console, self.day, self.clock, self.tally = console, day, clock, tally
        self._progress = Progress(
            TextColumn("{task.description:>12}"),
            BarColumn(bar_width=None, complete_style="cyan", finished_style="green"),
            MofNCompleteColumn(),
            expand=True,
        )
        totals = dict.fromkeys(_BARS, tally.planned) | (
            {_EPISODES: len(day.episodes)} if day.episodes else {}
        )
        self._bars = {name: self._progress.add_task(name, total=total) for name, total in totals.items()}

    async def run(self) -> None:
        """Show the day until cancelled."""
        if self.console.is_terminal:
            with Live(self.picture(), console=self.console, auto_refresh=False) as live:
                while True:
                    await asyncio.sleep(REFRESH_S)
                    live.update(self.picture(), refresh=True)
        while True:
            self.console.print(self.line(), highlight=False)
            await asyncio.sleep(LINE_EVERY_S)

    def picture(self) -> RenderableType:
        """Bars, states, vendors."""
        for name, value in self._values().items():
            self._progress.update(self._bars[name], completed=value)
        return Group(self._head(), self._progress, Columns([self._states(), self._doings()], padding=(0, 4)))

    def line(self) -> str:
        """The same in one line."""
        counts = ", ".join(f"{state.value} {number}" for state, number in self._ordered())
        return f"{self._now():%a %H:%M}  in {len(self.tally.acknowledged)}/{self.tally.planned}  {counts}"

    def _head(self) -> Text:
        elapsed_s = time.monotonic() - self.tally.started_s
        rate = sum(self.tally.vendors.values()) / max(elapsed_s, 0.1)
        first = self.tally.first_match_s
        found = f"first match after {first:.1f} s" if first is not None else "no match yet"
        return Text.assemble(
            (f" {self.day.name} day ", "bold reverse"),
            (f"  {self._now():%a %d %b %H:%M}", "bold"),
            f"   {elapsed_s:3.0f} s   {found}   {rate:,.0f} vendor messages/s",
        )

    def _values(self) -> dict[str, int]:
        completed = self.tally.by_state()[RequestState.COMPLETED]
        values = (len(self.tally.acknowledged), len(self.tally.matched), completed)
        ended = sum(self._has_ended(each) for each in self.day.episodes)
        return dict(zip(_BARS, values, strict=True)) | ({_EPISODES: ended} if self.day.episodes else {})

    def _has_ended(self, episode: Episode) -> bool:
        return all(self.tally.states.get(name) in TERMINAL for name in episode.ids)

    def _ordered(self) -> Iterator[tuple[RequestState, int]]:
        states = self.tally.by_state()
        return ((state, states[state]) for state in COLOURS if states[state])

    def _states(self) -> Table:
        table = Table(title="requests now", title_justify="left", box=None, show_header=False)
        for state, number in self._ordered():
            table.add_row(Text(state.value.replace("_", " "), style=COLOURS[state]), f"{number:,}")
        return table

    def _doings(self) -> Table:
        table = Table(title="vendors so far", title_justify="left", box=None, show_header=False)
        for name, number in sorted(self.tally.vendors.items(), key=lambda item: -item[1]):
            table.add_row(name.replace("_", " "), f"{number:,}")
        return table

    def _now(self) -> dt.datetime:
        return instant(self.clock.now_ms(), self.day.tz)
