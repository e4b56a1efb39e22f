"""The board: the requests of a market as columns and rows, for a page that shows thousands of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.base import Wire


class BoardRows(Wire, omit_defaults=False):
    """Rows of the board, each with a value a column; `gone`: ids that stand on it no more."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    gone: tuple[str, ...] = ()


class Board(BoardRows):
    """All of the board: what is open, and what ended last.

    Times are milliseconds since the epoch, 0 for none; `now` is the service's clock. Positions are the
    centres of squares of about 2 km. `partial`: so many rows have no positions yet; they come as changes.
    """

    now: int = 0
    partial: int = 0


class BoardChange(Wire, omit_defaults=False):
    """What changed within a moment: rows as they stand now, and the events that told of it.

    `kinds`: by type of event what it was about, for whoever keeps something else than rows. `again`: all is
    to be read again. `late_s`: of what happened so many real seconds ago some is still to come.
    """

    now: int = 0
    rows: BoardRows = BoardRows()
    kinds: Mapping[str, tuple[str, ...]] = {}
    again: bool = False
    late_s: float = 0.0
