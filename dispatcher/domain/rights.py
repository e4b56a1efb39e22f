"""Who may do what, where it is more than a command's roles: on which hold, on which task, in whose name.

The coordinator has the how and when, the case manager the what and why; ops has the day. docs/roles.md is
made from these tables, the commands' and the routes'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec.structs import replace

from contracts.codes import Requirement, Role
from contracts.tasks import OwnerRole
from dispatcher.domain.context import Context
from dispatcher.domain.refusals import NotAllowed

Roles = frozenset[Role]
ALONE = frozenset(
    {Role.VENDOR, Role.FACILITY}
)  # they go with no other: of what is another's they find nothing
SUBMITTERS = frozenset({Role.PLATFORM, Role.COORDINATOR})
READERS = SUBMITTERS | {Role.OPS, Role.CASE_MANAGER}  # of requests and tasks
CHOOSERS = frozenset({Role.OPS, Role.COORDINATOR})  # of the vendor that is asked, in the matcher's place
DISPUTERS = frozenset(
    {Role.VENDOR, Role.PLATFORM, Role.OPS}
)  # of a line of a price: who pays, is paid, or sees both
LISTS_AUTHORIZATIONS = frozenset({Role.CASE_MANAGER, Role.OPS})
SEES_PATTERNS = READERS - {Role.PLATFORM}  # what barriers there are is for people to see
SEES_PATIENT = frozenset({Role.PLATFORM, Role.VENDOR})  # a vendor: of what it has accepted
READS_DECISION = READERS - {Role.PLATFORM}  # why this vendor, or none: the last decision on one request
SEES_PROOF = READERS | {Role.VENDOR}  # a vendor: its own; it is kept who did
READS_PATIENT = READERS  # over a route of its own, and it is kept who did
# A home's door is patient data, too. Who cares for the patient sees it; ops sees the zone, and where it needs
# the door it reads the patient block, which is kept.
SEES_DOORS = READERS - {Role.OPS}
SPEAKS_FOR_OTHERS = frozenset(
    {Role.PLATFORM, Role.OPS}
)  # a platform has users; ops writes down what it was told
NAMED_FIRST = (
    Role.VENDOR,
    Role.FACILITY,
    Role.COORDINATOR,
    Role.CASE_MANAGER,
    Role.PLATFORM,
    Role.OPS,
)  # ops may most

MAY_HOLD: Mapping[Requirement, Roles] = {
    Requirement.AUTHORIZATION: READERS,
    Requirement.PREDECESSOR: READERS - {Role.CASE_MANAGER},
    Requirement.ACTIVATION: frozenset(),  # nobody: a will-call waits for it from the beginning
}
MAY_RELEASE: Mapping[Requirement, Roles] = {
    Requirement.AUTHORIZATION: frozenset({Role.CASE_MANAGER}),
    Requirement.PREDECESSOR: READERS - {Role.CASE_MANAGER},
    # who says that the passenger is ready; a facility of its own patients
    Requirement.ACTIVATION: READERS - {Role.CASE_MANAGER} | {Role.FACILITY},
}
MAY_ACT: Mapping[OwnerRole, Roles] = {  # on a task of that owner, or that was its at first
    OwnerRole.CARE_COORDINATOR: frozenset({Role.COORDINATOR, Role.PLATFORM, Role.OPS}),
    OwnerRole.CASE_MANAGER: frozenset({Role.CASE_MANAGER, Role.PLATFORM, Role.OPS}),
    OwnerRole.OPS: frozenset({Role.PLATFORM, Role.OPS}),
    OwnerRole.PLATFORM: frozenset({Role.PLATFORM, Role.OPS}),
}


def may_act(owner: OwnerRole, first: OwnerRole) -> Roles:
    """Who may act on a task: those of its owner, and of whose it was at first."""
    return MAY_ACT[owner] | MAY_ACT[first]


@lru_cache(maxsize=256)  # asked of every call
def acting_as(roles: Roles, allowed: Roles) -> Role | None:
    """The role that gives the right: of several the one that is named first; None if none does."""
    both = roles & allowed
    return next((each for each in NAMED_FIRST if each in both), None)


def by_right(context: Context, allowed: Roles, what: str, advice: str) -> Context:
    """The context of who acts by a role that may. Raises NotAllowed, in words that say who may."""
    role = acting_as(context.roles, allowed)
    if role is None:
        has = ", ".join(sorted(context.roles)) or context.by
        raise NotAllowed(f"{what} is for {_named(allowed)}, and the token's role is {has}\n{advice}")
    return context if context.by == role.value else replace(context, by=role.value)


def refuse_another_name(by: str, context: Context) -> None:
    """Raises NotAllowed for a person who acts as another: that is for who has people of its own to name."""
    own = context.subject or context.by
    if by != own and not context.roles & SPEAKS_FOR_OTHERS:
        raise NotAllowed(f"the token is {own}'s: it cannot act as {by}\nMaybe leave `by` out.")


def _named(roles: Iterable[Role]) -> str:
    return ", ".join(sorted(roles))
