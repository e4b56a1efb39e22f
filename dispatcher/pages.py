"""Pages of the documentation that are made from the code's own tables: `python -m dispatcher.pages docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from dispatcher.domain.states import ENTRY, OFFER_STATES, REQUEST_STATES
from dispatcher.tuning.registry import Registry

STATES_HEAD = """# The life of a request and of an offer

Made by `python -m dispatcher.pages docs` from the tables in `dispatcher/domain/states.py`, which the code and
its tests read as well: a step that is not here cannot be committed.

## Requests

*Owner*: who has the work meanwhile. *Timer*: what happens if nobody does anything; every state has one.
"""
TIMERS = {
    "match_by": "at the deadline: `unmatched`, with the last known reasons",
    "offer_expires": "at the offer's expiry: `matching` without that vendor; if silence accepts: `accepted`",
    "overdue": "without a report: ops hears `dispatch.request.overdue`, again and again; at last `failed`",
    "forget": "after retention: deleted, with all that was stored of it",
}
RULES = """
## What the tables do not say

- Who declined a request, let it expire or turned it back is not asked again, unless it changed
  afterwards or posted more for that day.
- A request may be submitted on hold (`hold`: `authorization` or `predecessor`), or be put there while no
  vendor has it; `resume` has a vendor sought. Its deadline runs on: at it, `unmatched` says `on_hold`.
- After `max_attempts` offers a request stays `matching` until its deadline: ops may raise the limit
  or call somebody.
- An offer that nobody has answered may be moved to another vendor (`offered`, once more): one commit closes
  it as `cancelled`, code `withdrawn`, and makes the next. That counts neither against the vendor, which may
  be asked again, nor towards `max_attempts`.
- The same command again has no effect and the same answer; with a command id
  also after the work has moved on.
- A vendor may leave reports out (`completed` straight from `accepted`). A report that a later one has
  overtaken is ignored.
- Work is turned back, or a no-show, until the passenger is on board; then it is `completed` or `failed`.
- A dispatch that comes back after its `match_by` is matched again until the end of its window.
- An answer at or after `expires_at` is too late, whether or not the timer has fired.
- Capacity is held by an offer that is `requested`, `accepted`, `completed` or `failed`, and by no other.
  It is given back at the latest when the request is forgotten: what is booked equals what the records hold.
"""
TUNING_HEAD = """# Tuning

Made by `python -m dispatcher.pages docs` from the parameters themselves; each is declared once, beside
the code that reads it. `GET /v1/markets/{market}/tuning` has the values in force, `PUT` replaces all
overrides (`If-Match`); a change is in force within a second, and every match carries its version.

| parameter | default | bounds | unit | what it does | read by |
|---|---|---|---|---|---|
"""


def states_page() -> str:
    """docs/states.md."""
    rows = [
        f"| `{state}` | {_list(stage.next)} | {stage.owner} | {TIMERS[stage.timer]} |"
        for state, stage in REQUEST_STATES.items()
    ]
    offers = [f"| `{state}` | {_list(following)} |" for state, following in OFFER_STATES.items()]
    head = ["| state | goes to | owner | timer |", "|---|---|---|---|"]
    drawn = _diagram({state: stage.next for state, stage in REQUEST_STATES.items()})
    parts = [STATES_HEAD, *head, *rows, "", *drawn, "", "## Offers", "", "| state | goes to |", "|---|---|"]
    return "\n".join([*parts, *offers, RULES])


def tuning_page(registry: Registry) -> str:
    """docs/tuning.md."""
    rows = [
        f"| `{each.name}` | {each.default} | {each.minimum} … {each.maximum} | {each.unit} | {each.summary} "
        f"| `{each.scope}` |"
        for each in sorted(registry.parameters.values(), key=lambda each: (each.scope, each.name))
    ]
    return TUNING_HEAD + "\n".join(rows) + "\n"


def _diagram(table: Mapping[str, Iterable[str]]) -> list[str]:
    """A Mermaid state diagram."""
    steps = [f"    {state} --> {each}" for state, following in table.items() for each in sorted(following)]
    ends = [f"    {state} --> [*]" for state, following in table.items() if not following]
    starts = [f"    [*] --> {state}" for state in sorted(ENTRY)]
    return ["```mermaid", "stateDiagram-v2", *starts, *steps, *ends, "```"]


def _list(states: Iterable[str]) -> str:
    return ", ".join(f"`{state}`" for state in sorted(states)) or "—"


def write(folder: Path) -> None:
    """All pages, into `folder`."""
    (folder / "states.md").write_text(states_page(), encoding="utf-8")
    (folder / "tuning.md").write_text(tuning_page(Registry.found()), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
