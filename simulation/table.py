"""A CSV file of numbers, each within its bounds; what is wrong is named by file, line and column."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from simulation.errors import DayError

Bounds = Mapping[str, tuple[float, float]]  #: column → least and most, both allowed; ints: a whole number
Row = dict[str, float]


def read_table(path: Path, bounds: Bounds, once: str = "") -> list[Row]:
    """The columns asked for, of every line; no two have the same in the column `once`. Raises DayError."""
    try:
        if not path.is_file():
            raise DayError(
                f"{path.parent} holds no {path.name}.", "A day is a folder with trips.csv and vehicles.csv."
            )
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(path.name, csv.DictReader(file), bounds))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DayError(
            f"{path.name} is not a CSV file in UTF-8: {error}.", "Maybe save it again as CSV in UTF-8."
        ) from error
    except OSError as error:
        raise DayError(f"{path} cannot be read: {error.strerror}.", "Maybe `chmod u+r` it.") from error
    if not rows:
        raise DayError(f"{path.name} has no line below its header.", "A day needs at least one.")
    repeated = [value for value, times in Counter(row[once] for row in rows if once).items() if times > 1]
    if repeated:
        raise DayError(
            f"{path.name}: the {once} {repeated[0]:.0f} stands in two lines.", "Maybe two files were joined."
        )
    return rows


def _rows(name: str, reader: csv.DictReader[str], bounds: Bounds) -> Iterator[Row]:
    reader.fieldnames = [column.strip() for column in reader.fieldnames or ()]
    missing = [column for column in bounds if column not in (reader.fieldnames or ())]
    if missing:
        raise DayError(
            f"{name} lacks the column {', '.join(missing)}.", f"It needs {', '.join(bounds)}, in any order."
        )
    twice = [name for name, times in Counter(reader.fieldnames or ()).items() if name in bounds and times > 1]
    if twice:
        raise DayError(
            f"{name} has the column {twice[0]} twice.", "Maybe two files were joined: keep one of them."
        )
    for row in reader:
        yield {
            column: _number(f"{name}, line {reader.line_num}: {column}", row[column], *bounds[column])
            for column in bounds
        }


def _number(where: str, text: str | None, least: float, most: float) -> float:
    whole = isinstance(least, int)
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not least <= value <= most or (whole and value % 1):
        kind = "whole number" if whole else "number"
        raise DayError(f"{where} is {text!r}.", f"It must be a {kind} from {least:g} to {most:g}.")
    return value
