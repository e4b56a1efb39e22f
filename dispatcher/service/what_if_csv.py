"""The rows of a what-if for a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from contracts.what_if import WhatIfAnswer, WhatIfRow

COLUMNS = WhatIfRow.__struct_fields__


def as_csv(answer: WhatIfAnswer) -> str:
    """A line for each request that would fare otherwise; times in UTC."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in answer.rows:
        writer.writerow([_cell(getattr(row, name)) for name in COLUMNS])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value
