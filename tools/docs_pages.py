"""The tables of the documentation, made from the code's own: `python tools/docs_pages.py docs`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # of this checkout, whatever is installed

from contracts.codes import Requirement
from contracts.operations import Operation
from contracts.tasks import TaskKind, TaskState
from contracts.tuning import Tunable
from dispatcher.domain.commands.table import Command, Row, commands
from dispatcher.domain.rights import MAY_RELEASE
from dispatcher.domain.states import (
    ENTRY,
    OFFER_STATES,
    REQUEST_STATES,
    REQUIREMENT_OWNERS,
    REQUIREMENT_TASKS,
)
from dispatcher.domain.task_owners import ESCALATES_TO, OWNERS
from dispatcher.domain.tasks import TASK_STATES
from dispatcher.http.routing import subjects
from dispatcher.tuning.registry import Registry
from tools.fhir_page import fhir_page
from tools.operations_tables import operations_page
from tools.roles_page import roles_page
from tools.tds_page import tds_page

MADE = "Made by `python tools/docs_pages.py docs`"
STATES_HEAD = f"""# The life of a request, of an offer and of a task

{MADE} from the tables in `dispatcher/domain/states.py` and `dispatcher/domain/tasks.py`,
which the code and its tests read as well: a step that is not here cannot be committed.

## Requests

*Owner*: who has the work meanwhile. *Timer*: what happens if nobody does anything; every state has one.
*Task*: the work for a person that reaching the state makes.
"""
TIMERS = {
    "match_by": "at the deadline: `unmatched`, with the last known reasons; a will-call that nobody calls: a "
    "task in the evening (`will_call_evening_hour`), then `cancelled`",
    "offer_expires": "at the offer's expiry: `matching` without that vendor; if silence accepts: `accepted`",
    "overdue": "without a report: ops hears `dispatch.request.overdue`, again and again; at last `failed`",
    "forget": "after `retention_hours`: deleted with its tasks; one that nobody has ended keeps it for "
    "at most `task_retention_hours`",
}
ON_HOLD = """
## On hold

A request on hold waits for one or more requirements; its owner is that of the first.

| it waits for | who provides it | who may lift it | task meanwhile |
|---|---|---|---|
"""
TASKS = """
## Tasks

What the service cannot settle is a task: one owner, a due time, an escalation. It is written in the commit
that makes it necessary.

| task | why | owner at first |
|---|---|---|
"""
WHY = {
    TaskKind.UNMATCHED: "no vendor was found by the deadline, or nobody is left to ask before it",
    TaskKind.OVERDUE: "a vendor should have reported, and has not; one for each report that is missing",
    TaskKind.NO_SHOW: "the patient was not there",
    TaskKind.FAILED: "the work was not done",
    TaskKind.SEQUENCE_AT_RISK: "what goes before the request is late, or will not be done; one for each time",
    TaskKind.COUNTER_OFFER: "a vendor would do the work otherwise than it was offered",
    TaskKind.UNREADABLE: "something stored of the request cannot be read, or planning it raises (`code`)",
    TaskKind.PREDECESSOR_MISSING: "the request is on hold for a predecessor that does not end by itself",
    TaskKind.BUNDLE_FAILED: "a part of an all-or-none episode will not be done; the task names what was "
    "given back with it and what is left; the owner is the episode's",
    TaskKind.POSSIBLE_DUPLICATE: "the patient may have the like at that time already",
    TaskKind.NOTIFICATION: "patient or coordinator could not be told: `notification_<what>`",
    TaskKind.AMENDMENT_REFUSED: "the vendor that had the work did not agree to an amendment; or the work "
    "went on before it had answered",
    TaskKind.WILL_CALL: "nobody has called by the evening for a ride without a time",
    TaskKind.AUTHORIZATION_MISSING: "the request is on hold until it is authorized",
    TaskKind.AUTHORIZATION_RUNNING_OUT: "little is left of what was authorized",
    TaskKind.OCCURRENCE_MISSING: "a day of a standing order was refused: its requests are not made",
    TaskKind.WINDOW_ASKED: "dispatchers ask whether the request may start in a wider window",
    TaskKind.CANARY_ROLLED_BACK: "a guardrail of a canary was crossed: its candidate decides no more",
    TaskKind.PRICE_DISPUTE: "vendor, platform or ops says that a line of a price is wrong: ops settles it",
    TaskKind.PROOF_MISSING: "work was done without the proof that the market wants",
    TaskKind.WEBHOOK_FAILING: "a webhook takes nothing: what it was to have is a dead letter, or it is gone",
    TaskKind.CREDENTIAL_EXPIRING: "a vendor's paper runs out, or has: it gets no offers of what requires it; "
    "one for each vendor and kind, until there is a later paper",
    TaskKind.DISPATCH_BEYOND_CREDENTIAL: "a dispatch begins when a paper that it requires is over, and "
    "the paper runs out within 7 days",
    TaskKind.SCORE_DISPUTE: "a vendor says that an outcome on its scorecard is wrong: ops answers it",
    TaskKind.STATEMENT_DISPUTE: "a line of a statement is said to be wrong whose request is forgotten: ops "
    "settles it",
    TaskKind.VENDOR_SUSPENDED: "ops has suspended a vendor that has offers or dispatches: it names them",
    TaskKind.UNREAD_MESSAGE: "a vendor wrote about a dispatch: until somebody has read or answered it",
}
TASK_TIMERS = {
    TaskState.OPEN: "when due (`task_due_minutes`; on hold, `task_hold_lead_hours` before the deadline) "
    "to the next owner; then told again after `task_escalation_minutes`, each time twice as long, at most "
    "a day",
    TaskState.CLAIMED: "as `open`: who claimed it keeps it, and the next owner hears of it",
    TaskState.DONE: "after `retention_hours`, or with its request if that is there longer: deleted; before "
    "that open once more, if it becomes necessary again",
}
NOT_IN_TABLES = """
## What the tables do not say

- Who declined a request, let it expire or turned it back is not asked again, unless it changed
  afterwards or posted more for that day, or the request was amended to other work.
- An amendment is made at once while no vendor has the work: unanswered offers are closed (`amended`), which
  counts as a withdrawal does. The vendor of a dispatch is asked, until `expires_at`; the timer is no later.
  What it does not agree to closes the dispatch (`amendment_refused`, `_expired`, `_unfit`), the request is
  `matching` as it is wanted. A dispatch that ends otherwise settles its amendment in the same commit.
- A request may be submitted on hold (`hold`: `authorization`, `predecessor` or both), or be put there while
  no vendor has it; each requirement is lifted by who may ([roles](roles.md)), and after the last a vendor is
  sought. Its deadline runs on: at it, `unmatched` says `on_hold`.
- A will-call is on hold for its `activation`, which no `resume` lifts: who activates it says when. Then it
  has `will_call_minutes` from that moment, is at least `asap`, and is matched at once. Not called until the
  end of its day it is `cancelled`, code `not_called`, and its task stays.
- A way back (`return_of`) goes after its leg there. A no-show or a cancellation of that cancels it in the
  same commit, code `outbound_no_show` or `outbound_cancelled`, or puts it on hold for its `predecessor`
  (`return_after_no_show`); its vendor is told. But for a passenger who is on board of it.
- After `max_attempts` offers (a broadcast is one) a request stays `matching` until its deadline: ops may
  raise the limit or call somebody.
- An offer that nobody has answered may be moved to another vendor, or to another start with its own
  (`offered`, once more): one commit closes it as `cancelled`, code `withdrawn`, and makes the next. That
  counts neither against the vendor, which may be asked again, nor towards `max_attempts`.
- The same command again has no effect, and is answered with the work as it stands; with a command id
  also after the work has moved on. Only a comment is said again by whoever repeats it without a command id,
  and door and patient are not shown again to a vendor that has turned the dispatch back (409).
- A vendor may leave reports out (`completed` straight from `accepted`). A report that a later one has
  overtaken is ignored.
- Work is cancelled, turned back, or a no-show, until the passenger is on board; then it is `completed`
  or `failed`.
- A dispatch that comes back after its `match_by` is matched again until the end of its window.
- An answer at or after `expires_at` is too late, whether or not the timer has fired: the offer has expired,
  or, if silence accepts, is accepted.
- Capacity is taken by an offer that is `requested`, `accepted`, `completed` or `failed`, and by no other.
  It is given back at the latest when the request is forgotten: what is booked equals what the records hold.
"""
COMMANDS_HEAD = f"""# Commands

{MADE} from the table of commands, `dispatcher/domain/commands/`.
A command is a message about one record; a pure decision makes changes, messages and bookings of it, which are
committed together. Under one `Idempotency-Key` it has one effect. Vendors may give theirs over the stream
`replies` as well. Requests come in by `POST …/requests`, many in one commit, and so by no command.

| command | what it does | about | who may give it | route |
|---|---|---|---|---|
"""
TUNING_HEAD = f"""# Tuning

{MADE} from the parameters themselves; each is declared once, beside
the code that reads it. `GET /v1/markets/{{market}}/tuning` has the values in force, `PUT` replaces all
overrides (`If-Match`); a change is in force within a second, and every match carries its version.
How a change is tried before it is made, and undone: [changing the tuning](changing-tuning.md).

| parameter | default | bounds | unit | what it does | read by |
|---|---|---|---|---|---|
"""
ROUTES_HEAD = ("| route | for | does | answers |", "|---|---|---|---|")


def states_page() -> str:
    """docs/states.md."""
    return STATES_HEAD + "\n".join([*_requests(), *_offers()]) + _on_hold() + _tasks() + NOT_IN_TABLES


def commands_page() -> str:
    """docs/commands.md."""
    known = commands().items()
    rows = sorted(known, key=lambda each: (each[1].kind or "~", not each[1].roles, each[0].__name__))
    return COMMANDS_HEAD + _lines(_command(command, row) for command, row in rows)


def tuning_page(registry: Registry) -> str:
    """docs/tuning.md."""
    rows = sorted(registry.parameters.values(), key=lambda each: (each.scope, each.name))
    return TUNING_HEAD + _lines(
        f"| `{each.name}` | {_default(each)} | {each.minimum} … {each.maximum} | {each.unit} "
        f"| {each.summary} | `{each.scope}` |"
        for each in rows
    )


def _default(tunable: Tunable) -> str:
    return json.dumps(tunable.default) if isinstance(tunable.default, tuple) else str(tunable.default)


def api_page(before: str) -> str:
    """docs/api.md, its table of routes made anew; the rest is written by hand."""
    head = "\n".join(ROUTES_HEAD)
    first, _, rest = before.partition(head)
    _, _, after = rest.partition("\n\n")
    rows = [_route(route.operation) for subject in subjects() for route in subject]
    return "\n".join([first + head, *rows]) + "\n\n" + after


def write(folder: Path) -> None:
    """All pages, into `folder`, which has an api.md, a fhir.md, a tds.md and an operations.md."""
    pages = {
        "states.md": states_page(),
        "commands.md": commands_page(),
        "roles.md": roles_page(MADE),
        "tuning.md": tuning_page(Registry.found()),
    }
    by_hand = {"api.md": api_page, "fhir.md": fhir_page, "tds.md": tds_page, "operations.md": operations_page}
    for name, make in by_hand.items():  # but for their tables
        pages[name] = make((folder / name).read_text(encoding="utf-8"))
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def _requests() -> Sequence[str]:
    rows = [
        f"| `{state}` | {_list(stage.next)} | {stage.owner} | {TIMERS[stage.timer]} "
        f"| {f'`{stage.task}`' if stage.task else '—'} |"
        for state, stage in REQUEST_STATES.items()
    ]
    drawn = _diagram({state: stage.next for state, stage in REQUEST_STATES.items()}, ENTRY)
    return ["", "| state | goes to | owner | timer | task |", "|---|---|---|---|---|", *rows, "", *drawn]


def _offers() -> Sequence[str]:
    rows = [f"| `{state}` | {_list(following)} |" for state, following in OFFER_STATES.items()]
    about = (
        "An offer has no timer of its own: its request has that of its first open offer, or of its dispatch."
    )
    return ["", "## Offers", "", about, "", "| state | goes to |", "|---|---|", *rows, ""]


def _on_hold() -> str:
    return ON_HOLD + _lines(
        f"| `{each}` | {owner} | {', '.join(sorted(MAY_RELEASE[each]))} | {_task(each)} |"
        for each, owner in REQUIREMENT_OWNERS.items()
    )


def _task(requirement: Requirement) -> str:
    kind = REQUIREMENT_TASKS.get(requirement)
    return f"`{kind}`" if kind else "`will_call`, if it is not called by the evening"


def _tasks() -> str:
    kinds = _lines(f"| `{kind}` | {WHY[kind]} | {owner} |" for kind, owner in OWNERS.items())
    states = _lines(
        f"| `{state}` | {_list(following)} | {TASK_TIMERS[state]} |"
        for state, following in TASK_STATES.items()
    )
    owners = _lines(f"| {owner} | {upper} |" for owner, upper in ESCALATES_TO.items())
    return (
        f"{TASKS}{kinds}\n| state | goes to | timer |\n|---|---|---|\n{states}"
        f"\n| owner | a task past due goes to |\n|---|---|\n{owners}"
    )


def _command(command: type[Command], row: Row) -> str:
    routes = [
        f"`{route.operation.method} {route.operation.path}`"
        for subject in subjects()
        for route in subject
        if route.command is command
    ]
    what = (command.__doc__ or "").partition("\n")[0]
    about = (row.kind or "any kind") + (", new" if row.creates else "")
    who = ", ".join(sorted(row.roles)) or "the service itself"
    return f"| `{command.__name__}` | {what} | {about} | {who} | {', '.join(routes) or '—'} |"


def _route(operation: Operation) -> str:
    who = ", ".join(sorted(operation.roles or ())) or "anyone"
    answers = ", ".join(map(str, operation.answers))
    return f"| `{operation.method} {operation.path}` | {who} | {operation.summary} | {answers} |"


def _diagram(table: Mapping[str, Iterable[str]], entries: Iterable[str]) -> list[str]:
    """A Mermaid state diagram."""
    steps = [f"    {state} --> {each}" for state, following in table.items() for each in sorted(following)]
    ends = [f"    {state} --> [*]" for state, following in table.items() if not following]
    starts = [f"    [*] --> {state}" for state in sorted(entries)]
    return ["```mermaid", "stateDiagram-v2", *starts, *steps, *ends, "```"]


def _list(states: Iterable[str]) -> str:
    return ", ".join(f"`{state}`" for state in sorted(states)) or "—"


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
