"""From three sides to the answer that people read: the verdict in a sentence, figures, groups, rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from contracts.instants import to_instant
from contracts.what_if import WhatIfAnswer, WhatIfFigure, WhatIfGroup, WhatIfProof, WhatIfRow
from solvers.compare import Asked, Difference, Figure, Kind, Proof, Side, diff, figures, groups

MOST_ROWS, MOST_GROUPS = 20_000, 500
NAMES = {
    "urgent_matched": "urgent matched",
    "outside_window": "minutes outside the window",
    "cost_per_request": "cents a request",
    "in_sequence": "% in sequence",
    "broken": "pairs broken",
    "will_call_p90": "minutes to a will-call (p90)",
}
NOTHING = "nothing to compare: no request waits within reach ({:,} are offered or agreed, and pinned)"
TOLD_FIRST = (
    "matched",
    "urgent_matched",
    "late",
    "declined",
    "outside_window",
    "cost_per_request",
    "in_sequence",
    "broken",
    "will_call_p90",
)


@dataclass(frozen=True, eq=False)
class Compared:
    """Requests, vendors and cost terms by their place in the arrays; and the three sides."""

    ids: Sequence[str]
    vendors: Sequence[str]
    terms: Sequence[str]
    asked: Asked
    before: Side
    again: Side
    after: Side
    drawn: bool = False  #: whether outcomes were


def answer_of(
    compared: Compared, against: str, cpu_s: float, proof: Proof | None = None, *, pinned: int = 0
) -> WhatIfAnswer:
    """What would be otherwise."""
    asked, before, after = compared.asked, compared.before, compared.after
    found = diff(asked, before, after, compared.terms)
    chance = diff(asked, before, compared.again, compared.terms)
    told = figures(asked, before, compared.again, after, drawn=compared.drawn)
    rows = np.flatnonzero(found.changed)
    return WhatIfAnswer(
        against=against,
        verdict=_verdict(found, chance, told) if len(asked) else NOTHING.format(pinned),
        requests=len(asked),
        changed=len(rows),
        anyway=int((found.changed & chance.changed).sum()),
        floor=int(chance.changed.sum()),
        told=pinned,
        figures=tuple(WhatIfFigure(**asdict(each)) for each in told),
        groups=tuple(
            WhatIfGroup(**asdict(each))
            for each in groups(asked, before, after, found, compared.vendors)[:MOST_GROUPS]
        ),
        rows=tuple(_row(compared, found, chance, row) for row in rows[:MOST_ROWS].tolist()),
        proof=None if proof is None else WhatIfProof(**asdict(proof)),
        left_out=max(0, len(rows) - MOST_ROWS),
        cpu_seconds=round(cpu_s, 1),
    )


def _verdict(found: Difference, chance: Difference, told: Sequence[Figure]) -> str:
    """What differs by more than chance; that nothing does."""
    if not found.changed.any():
        return "no difference: not one request would fare otherwise"
    by_name = {each.name: each for each in told}
    differs = [by_name[each] for each in TOLD_FIRST if each in by_name and by_name[each].differs]
    if not differs:
        otherwise, floor = int(found.changed.sum()), int(chance.changed.sum())
        says = "no difference beyond noise"
        if by_name["gained"].differs or by_name["lost"].differs:  # as many, but others
            says = "the same outcome within noise, for other requests"
        elif by_name["moved"].differs:  # who serves whom does differ, what comes of it does not
            says = "the same outcome within noise, by other vendors or times"
        return f"{says}: {otherwise:,} fare otherwise, {floor:,} with another seed alone"
    return "; ".join(
        f"{NAMES.get(each.name, each.name)} {each.before:,g} → {each.after:,g}" for each in differs
    )


def _row(compared: Compared, found: Difference, chance: Difference, row: int) -> WhatIfRow:
    before, after = compared.before, compared.after
    had, has = int(before.vendor[row]), int(after.vendor[row])
    return WhatIfRow(
        request_id=compared.ids[row],
        kind=Kind(int(found.kind[row])).name.lower(),
        from_vendor=compared.vendors[had] if had >= 0 else "",
        to_vendor=compared.vendors[has] if has >= 0 else "",
        from_start=to_instant(int(before.start_ms[row])) if had >= 0 else None,
        to_start=to_instant(int(after.start_ms[row])) if has >= 0 else None,
        cents=int(found.cents[row]),
        minutes=int(found.minutes[row]),
        reason=found.reason[row],
        anyway=bool(chance.changed[row]),
    )
