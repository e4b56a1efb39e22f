"""Authorizations: a balance that requests draw on as they are booked, and that they give back to.

The balance is part of the record, and changes in the commit of the request: two vendors that accept the last
visit at once both change it, and one of them is decided anew. `used` counts what requests draw now and what
those drew that are forgotten (`spent`), so that it can be counted again from what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from contracts.authorizations import AuthorizationChanged, AuthorizationState, Counted
from contracts.codes import ServiceClass
from contracts.instants import DAY_MS, HOUR_MS, MINUTE_MS
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from contracts.tuning import Number, Parameter
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.needed import Needed
from dispatcher.domain.tasks import BY_ITSELF, TASK_KIND, TaskRecord, done, news, opened, reopened
from dispatcher.domain.timers import RETENTION

LOW_VISITS = Parameter(
    name="authorization_low_visits",
    default=2,
    minimum=0,
    maximum=1_000,
    unit="visits",
    summary="With so many visits (or units) left, or fewer, an authorization that is drawn on is a task.",
    scope="domain.authorizations",
)
LOW_SHARE = Parameter(
    name="authorization_low_share",
    default=25,
    minimum=1,
    maximum=100,
    unit="%",
    summary="And no more than this share: what is granted for a visit or two is meant to be used up.",
    scope="domain.authorizations",
)
LOW_DAYS = Parameter(
    name="authorization_low_days",
    default=7,
    minimum=0,
    maximum=365,
    unit="days",
    summary="So long before its end an authorization is a case manager's task.",
    scope="domain.authorizations",
)
PARAMETERS = (LOW_VISITS, LOW_SHARE, LOW_DAYS)
AUTHORIZATION = "authorization"
SWEEPS = 2  # at once, and again once what came in at the same moment is stored
SWEEP_MS = MINUTE_MS
USED_UP = "authorization_used_up"
OTHER_PAYER = "authorization_other_payer"  # the request names one, and it is of another
_AN_ID = re.compile("[A-Za-z0-9_-]{1,64}")
S = AuthorizationState


class AuthorizationRecord(Record, frozen=True, tag=1):
    """One authorization; its id ends with what it is, for a request may be called alike. Days are ISO.

    `patient`: tokens of the blind index. `sweeps`: how often requests that wait for it are still looked for.
    """

    state: AuthorizationState
    number: str
    payer: str
    services: tuple[str, ...]
    counted: Counted
    granted: int
    first_day: str
    last_day: str
    from_ms: int
    until_ms: int  # the first instant after it
    timer_ms: int
    by: str = ""
    subject: str = ""
    patient: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    used: int = 0
    spent: int = 0
    sweeps: int = 0
    low: bool = False  # a person was told that it runs out
    last_request: str = ""  # that drew on it
    renewed: bool = False  # by a case manager, who frees what is held by hand, too; until it was looked for

    @property
    def left(self) -> int:
        """How much may be drawn yet."""
        return self.granted - self.used

    @property
    def name(self) -> str:
        """What its case manager calls it."""
        return self.id.removesuffix(f".{AUTHORIZATION}")

    @property
    def capped(self) -> str:
        """Its payer as requests and caps name one; "" where no id is called so (`Blue Cross of Ohio`)."""
        return self.payer if _AN_ID.fullmatch(self.payer) else ""

    def is_of_another(self, payer: str | None) -> bool:
        """Whether a request that names this payer is not to draw on it."""
        return bool(payer) and bool(self.capped) and str(payer).casefold() != self.capped.casefold()


def record_id(name: str) -> str:
    """Under which an authorization is stored."""
    return f"{name}.{AUTHORIZATION}"


def beside(name: str) -> tuple[tuple[str, str], ...]:
    """What a decision on a request that draws on it reads: it, and its task."""
    return (AUTHORIZATION, record_id(name)), (TASK_KIND.name, _task_id(name))


def listed(state: AuthorizationState) -> str:
    """The list of all in one state, by their ends."""
    return f"authorizations:{state.value}"


def wanting(name: str) -> str:
    """The list of requests that want to draw on it and have not, by start: on hold for it, or sought."""
    return f"authorizing:{name}"


def of_patient(token: str) -> str:
    """The list of a patient's authorizations, by their ends."""
    return f"authorized:{token}"


def amount(authorization: AuthorizationRecord, asked: Needed) -> int:
    """What a request draws."""
    return asked.units if authorization.counted is Counted.UNITS else 1


def lacking(
    authorization: AuthorizationRecord | None, asked: Needed, earliest_ms: int, latest_ms: int
) -> str:
    """Why it does not authorize work that starts within these; "" if it does."""
    if authorization is None:
        return "authorization"
    if authorization.state is S.REVOKED:
        return "authorization_revoked"
    if not _is_for(authorization, asked):
        return "authorization_other_service"
    if earliest_ms >= authorization.until_ms:
        return "authorization_expired"
    if latest_ms < authorization.from_ms:
        return "authorization_not_yet"
    return "" if authorization.left >= amount(authorization, asked) else USED_UP


def _is_for(authorization: AuthorizationRecord, asked: Needed) -> bool:
    services, levels = set(authorization.services), {each.value for each in ServiceClass}
    is_equipment = levels.isdisjoint(asked.services)
    return (is_equipment and ServiceClass.EQUIPMENT in services) or services.issuperset(asked.services)


def told(after: AuthorizationRecord, code: str, request_id: str = "") -> Message:
    """Word of a change."""
    data = AuthorizationChanged(
        authorization_id=after.name,
        version=after.version,
        state=after.state,
        code=code,
        left=max(0, after.left),
        request_id=request_id,
    )
    return Message(type="dispatch.authorization.changed", subject=after.name, data=data)


def moved_on(record: AuthorizationRecord, context: Context, **changes: Any) -> AuthorizationRecord:
    """One version on, its timer as all that has it."""
    after = replace(record, version=record.version + 1, **changes)
    return replace(after, timer_ms=_timer_ms(after, context))


def with_running_out(decision: Decision, context: Context) -> Decision:
    """The task that little is left, once; settled by what is renewed, or revoked."""
    for change in decision.changes:
        if isinstance(change.after, AuthorizationRecord):
            decision = _running_out(decision, change, change.after, context)
    return decision


def _running_out(
    decision: Decision, change: Change, after: AuthorizationRecord, context: Context
) -> Decision:
    is_low = _is_low(after, context)
    if is_low == after.low:
        return decision
    noted = replace(after, low=is_low)
    noted = replace(noted, timer_ms=_timer_ms(noted, context))
    changes = tuple(Change(change.before, noted) if each is change else each for each in decision.changes)
    decision = replace(decision, changes=changes)
    task = context.related.get(_task_id(after.name))
    known = task if isinstance(task, TaskRecord) else None
    if not is_low:
        if known is None or known.state is TaskState.DONE:
            return decision
        return _with_task(decision, known, done(known, context, TaskOutcome.SETTLED))
    fresh = opened(
        TaskKind.AUTHORIZATION_RUNNING_OUT,
        after.name,
        context,
        code="little_left" if _is_used_up_soon(after, context.values) else "expires",
    )
    fresh = replace(fresh, request_id=after.last_request)
    if known is None:
        return _with_task(decision, None, fresh)
    if known.state is not TaskState.DONE:
        return decision
    return _with_task(decision, known, reopened(known, fresh, context))


def _with_task(decision: Decision, before: TaskRecord | None, after: TaskRecord) -> Decision:
    what = "done" if after.state is TaskState.DONE else "opened"
    return replace(
        decision,
        changes=(*decision.changes, Change(before, after)),
        messages=(*decision.messages, news(after, what, BY_ITSELF)),
    )


def _task_id(name: str) -> str:
    return f"{name}.{TaskKind.AUTHORIZATION_RUNNING_OUT.value}"


def _is_low(record: AuthorizationRecord, context: Context) -> bool:
    if record.state is S.REVOKED:
        return False
    ends = record.left > 0 and context.now_ms >= _low_ms(record, context.values)
    return ends or _is_used_up_soon(record, context.values)


def _is_used_up_soon(record: AuthorizationRecord, values: Mapping[str, Number]) -> bool:
    """Whether some is used and little left, by number and by share; not of so few that none would be."""
    share = record.granted * LOW_SHARE.whole(values) // 100
    return record.used > 0 and share > 0 and record.left <= min(LOW_VISITS.whole(values), share)


def _low_ms(record: AuthorizationRecord, values: Mapping[str, Number]) -> int:
    return record.until_ms - LOW_DAYS.whole(values) * DAY_MS


def _timer_ms(record: AuthorizationRecord, context: Context) -> int:
    """The next look for what waits for it; when it is near its end; when it is forgotten."""
    if record.sweeps:
        return context.now_ms if record.sweeps == SWEEPS else context.now_ms + SWEEP_MS
    low_ms = _low_ms(record, context.values)
    if record.state is S.ACTIVE and not record.low and low_ms > context.now_ms:
        return low_ms
    kept_ms = RETENTION.whole(context.values) * HOUR_MS
    return max(record.until_ms + kept_ms, context.now_ms + HOUR_MS)


def due(record: AuthorizationRecord, context: Context) -> Decision | None:
    """Its timer: looked at; forgotten some time after its end, once nothing draws on it any more.

    What waits for it is freed before (`service/authorizations.py`): each request is a commit of its own.
    """
    if record.timer_ms > context.now_ms:
        return None
    kept_ms = RETENTION.whole(context.values) * HOUR_MS
    is_over = context.now_ms >= record.until_ms + kept_ms
    if is_over and not record.sweeps and record.used == record.spent:
        task = context.related.get(_task_id(record.name))
        gone = (Change(task, None),) if isinstance(task, TaskRecord) else ()
        return Decision(changes=(Change(record, None), *gone), at_ms=context.now_ms)
    after = moved_on(record, context, sweeps=max(0, record.sweeps - 1), renewed=False)
    return Decision(changes=(Change(record, after),), at_ms=context.now_ms)


def _lists(record: AuthorizationRecord) -> Mapping[Entry, int]:
    lists = (listed(record.state), *map(of_patient, record.patient))
    return {Entry(each, record.id): record.until_ms for each in lists}


AUTHORIZATION_KIND = register(
    Kind(
        name=AUTHORIZATION,
        form=AuthorizationRecord,
        key="au",
        timers="timers:authorization",
        timer_ms=lambda record: record.timer_ms,
        lists=_lists,
        may_become=lambda before, after: before is not None or after is not None,
        on_timer=due,
        related=lambda record: [(TASK_KIND.name, _task_id(record.name))],
        follow_ups=(with_running_out,),
    )
)
