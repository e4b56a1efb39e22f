"""What a decision on a request changes of an authorization, and of what the request keeps of it."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from contracts.codes import Requirement
from dispatcher.domain.authorizations import SWEEPS, AuthorizationRecord, moved_on, record_id, told
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.needed import Needed
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL


class Known(NamedTuple):
    """An authorization: as it is stored, and with what this decision has changed of it already."""

    stored: AuthorizationRecord
    now: AuthorizationRecord


def found(decision: Decision, name: str, context: Context) -> Known | None:
    """That authorization; None if it is not there, or was not read for this decision."""
    key = record_id(name)
    own = next((each for each in decision.changes if each.record.id == key), None)
    stored = own.before if own else context.related.get(key)
    now = own.after if own else stored
    if isinstance(stored, AuthorizationRecord) and isinstance(now, AuthorizationRecord):
        return Known(stored, now)
    return None


def with_needed(decision: Decision, change: Change, after: RequestRecord, asked: Needed | None) -> Decision:
    """With what the request keeps of it, in the same step."""
    noted = Change(change.before, replace(after, authorization=asked))
    return replace(decision, changes=tuple(noted if each is change else each for each in decision.changes))


def with_balance(
    decision: Decision,
    request_id: str,
    asked: Needed,
    context: Context,
    *,
    used: int = 0,
    spent: int = 0,
    looks: bool = False,
) -> Decision:
    """With the balance after it. One that is gone, or cannot be read, has none to change.

    `looks`: others that wait for it are looked for, as after all that is given back.
    """
    known = found(decision, asked.authorization, context)
    if known is None:
        return decision
    facts = {"used": known.now.used + used, "spent": known.now.spent + spent}
    if used < 0 or looks:
        facts["sweeps"] = SWEEPS
    last = request_id if used > 0 else known.now.last_request
    moved_once = replace(
        moved_on(known.now, context, **facts, last_request=last), version=known.stored.version + 1
    )
    others = [each for each in decision.changes if each.record.id != moved_once.id]
    code = "drawn" if used > 0 else "given_back"
    news = (told(moved_once, code, request_id),) if used else ()
    return replace(
        decision,
        changes=(*others, Change(known.stored, moved_once)),
        messages=(*decision.messages, *news),
    )


def is_sought(record: RequestRecord) -> bool:
    """Whether it is to draw on the authorization that it has, as soon as a vendor takes it."""
    asked = record.authorization
    if asked is None or not asked.authorization or asked.drawn or asked.waived:
        return False
    return record.state not in TERMINAL and Requirement.AUTHORIZATION not in record.requirements
