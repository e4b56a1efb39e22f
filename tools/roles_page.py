"""docs/roles.md: who may do what, made from the routes, the commands and `domain.rights`."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.codes import Role
from contracts.operations import Operation
from dispatcher.domain.rights import MAY_ACT, MAY_HOLD, MAY_RELEASE
from dispatcher.http.routing import subjects

COLUMNS = (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER, Role.VENDOR, Role.FACILITY, Role.OPS)
FINER = {  # operations whose roles are not all: under which heading the rest is said
    "holdRequest": "on-hold",
    "resumeRequest": "on-hold",
    "claimTask": "tasks",
    "releaseTask": "tasks",
    "finishTask": "tasks",
}
HEAD = """# Who may do what

{made} from the tables of routes and commands, and from `dispatcher/domain/rights.py`. A token carries one
role, or several: then it may do what any of them may. A history names the one that gave the right (`by`)
and the token's `sub` (`subject`). A vendor's token is a vendor's only, and of what is another's it finds
nothing; so is a facility's, which says that its own passengers are ready and reads no request. *Coordinator*:
the how and when of care. *Case manager*: the what and why. *Ops*: the day. Where an operation is a link, more
is said below. Who asks by another system's language has the same rights: [FHIR](fhir.md), [TCRP 210](tds.md).
"""
RIGHTS = """
## On hold

| a request waits for | may put it on hold | may lift that |
|---|---|---|"""
TASK_RIGHTS = """
Whoever may submit may submit on hold for either. Whatever else comes and goes, an authorization is lifted
by a case manager and by nobody else; who lifts several at once needs the right to each. Another gets a 403
that says who may.

## Tasks

All but vendors and facilities read every task and may comment on it. To claim, put back or finish one is for:

| a task of | roles |
|---|---|"""
TASK_WORDS = """
A task that has gone to another owner stays with those of the first as well. It is claimed by one person at
a time; others than ops and the platform neither put it back nor finish it meanwhile. Coordinators and case
managers act in their own name (the token's `sub`); a platform says in `by` who of its people acts, and so
may ops.
"""


def roles_page(made: str) -> str:
    """The page; `made` says how."""
    operations = [route.operation for subject in subjects() for route in subject]
    heads = " | ".join(each.value.replace("_", " ") for each in COLUMNS)
    rows = [f"| operation | what | {heads} |", "|---|---|" + ":-:|" * len(COLUMNS)]
    rows += [_row(each, each.roles) for each in operations if each.roles]
    anybody = ", ".join(f"`{each.id}`" for each in operations if not each.roles)
    holds = [f"| {each} | {_named(MAY_HOLD[each])} | {_named(MAY_RELEASE[each])} |" for each in MAY_HOLD]
    owners = [f"| {owner} | {_named(allowed)} |" for owner, allowed in MAY_ACT.items()]
    first = [HEAD.format(made=made), *rows, "", f"Without a token: {anybody}."]
    return "\n".join([*first, RIGHTS, *holds, TASK_RIGHTS, *owners, TASK_WORDS])


def _row(operation: Operation, allowed: Iterable[Role]) -> str:
    marks = " | ".join("x" if each in allowed else " " for each in COLUMNS)
    name = f"`{operation.id}`"
    if (heading := FINER.get(operation.id)) is not None:
        name = f"[{name}](#{heading})"
    return f"| {name} | {operation.summary} | {marks} |"


def _named(roles: Iterable[Role]) -> str:
    return ", ".join(sorted(roles))
