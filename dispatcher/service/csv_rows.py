"""Rows as CSV, as spreadsheets and programs read it (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would work out what begins so
Row = dict[str, object]


def csv_of(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A line of names, then a line a row; what a row lacks is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return out.getvalue().encode()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
