"""Standing orders: put, paused, resumed, ended; one occurrence skipped or at another time."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from contracts.codes import Role
from contracts.standing_orders import StandingOrderState
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.rights import SUBMITTERS
from dispatcher.domain.standing_orders import (
    STANDING_ORDER,
    Free,
    StandingOrderRecord,
    moved_on,
    occurrences,
    step,
    today,
)

ROLES = SUBMITTERS | {Role.OPS}
S = StandingOrderState
MOST_SHIFTS = 366


class OnStandingOrder(Command, frozen=True, kw_only=True):
    """A command on a standing order; `tz`: its market's."""

    order_id: str
    tz: ZoneInfo

    @property
    def subject(self) -> str:
        """The standing order."""
        return self.order_id

    @property
    def named(self) -> str:
        """The standing order."""
        return f"standing order {self.order_id}"


class PutStandingOrder(OnStandingOrder, frozen=True, kw_only=True):
    """It is new, or is another from now on; what is made already stays as it is."""

    rule: str
    start: date
    request: bytes
    return_ride: bytes
    except_days: tuple[date, ...] = ()
    shifts: tuple[tuple[date, int], ...] = ()
    holidays: Free | None = None


class PauseStandingOrder(OnStandingOrder, frozen=True, kw_only=True):
    """Nothing is made until it is resumed."""


class ResumeStandingOrder(OnStandingOrder, frozen=True, kw_only=True):
    """It goes on, from today; what passed meanwhile is not made."""


class EndStandingOrder(OnStandingOrder, frozen=True, kw_only=True):
    """Nothing more is made; what is made stays."""


class SkipStandingOrder(OnStandingOrder, frozen=True, kw_only=True):
    """One occurrence is left out."""

    day: date


class ShiftStandingOrder(OnStandingOrder, frozen=True, kw_only=True):
    """One occurrence is so much later."""

    day: date
    minutes: int


@decides(PutStandingOrder, STANDING_ORDER.name, roles=ROLES, creates=True)
def put(order: StandingOrderRecord | None, command: PutStandingOrder, context: Context) -> Decision:
    """From now on by this rule. Raises WrongState when it has ended, Invalid when nothing is to come."""
    _refuse_ended(order)
    day = today(command.tz, context)
    fresh = StandingOrderRecord(
        id=command.order_id,
        version=0,
        state=S.ACTIVE,
        rule=command.rule,
        start=command.start.isoformat(),
        request=command.request,
        return_ride=command.return_ride,
        created_ms=context.now_ms,
        timer_ms=0,
        since=max(day, command.start).isoformat(),
        except_days=tuple(sorted({each.isoformat() for each in command.except_days})),
        shifts=tuple(sorted((each.isoformat(), minutes) for each, minutes in command.shifts)),
        holidays=command.holidays,
    )
    first = next(occurrences(fresh, command.tz, command.start), None)
    if next(occurrences(fresh, command.tz, day), None) is None:
        ended = "" if first is None else f"; its first was {first.day}"
        raise Invalid(
            f"the rule {command.rule} has no occurrence from {day} on{ended}\n"
            "Maybe UNTIL or COUNT is too small."
        )
    if order is None:
        return step(None, moved_on(fresh, command.tz, context), "created", context)
    changes = {
        name: getattr(fresh, name)
        for name in ("rule", "start", "request", "return_ride", "since", "except_days", "shifts", "holidays")
    }
    return step(order, moved_on(order, command.tz, context, **changes), "changed", context)


@decides(PauseStandingOrder, STANDING_ORDER.name, roles=ROLES)
def pause(order: StandingOrderRecord, command: PauseStandingOrder, context: Context) -> Decision | None:
    """None when it is paused already."""
    _refuse_ended(order)
    return None if order.state is S.PAUSED else _now(order, command, context, "paused", state=S.PAUSED)


@decides(ResumeStandingOrder, STANDING_ORDER.name, roles=ROLES)
def resume(order: StandingOrderRecord, command: ResumeStandingOrder, context: Context) -> Decision | None:
    """None when it is active already."""
    _refuse_ended(order)
    if order.state is S.ACTIVE:
        return None
    since = max(today(command.tz, context).isoformat(), order.since)
    return _now(order, command, context, "resumed", state=S.ACTIVE, since=since)


@decides(EndStandingOrder, STANDING_ORDER.name, roles=ROLES)
def end(order: StandingOrderRecord, command: EndStandingOrder, context: Context) -> Decision | None:
    """None when it has ended already."""
    return None if order.state is S.ENDED else _now(order, command, context, "ended", state=S.ENDED)


@decides(SkipStandingOrder, STANDING_ORDER.name, roles=ROLES)
def skip(order: StandingOrderRecord, command: SkipStandingOrder, context: Context) -> Decision | None:
    """None when it is left out already. Raises WrongState when it was made, Invalid when there is none."""
    if command.day.isoformat() in order.except_days:
        return None
    _refuse_no_occurrence(order, command, command.day)
    days = tuple(sorted((*order.except_days, command.day.isoformat())))[-MOST_SHIFTS:]
    return _now(order, command, context, "skipped", except_days=days)


@decides(ShiftStandingOrder, STANDING_ORDER.name, roles=ROLES)
def shift(order: StandingOrderRecord, command: ShiftStandingOrder, context: Context) -> Decision | None:
    """None when it is so much later already. Raises as `skip`."""
    day = command.day.isoformat()
    if dict(order.shifts).get(day, 0) == command.minutes:
        return None
    _refuse_no_occurrence(order, command, command.day)
    others = tuple(each for each in order.shifts if each[0] != day)
    shifts = tuple(sorted((*others, (day, command.minutes))))[-MOST_SHIFTS:]
    return _now(order, command, context, "shifted", shifts=shifts)


def _now(
    order: StandingOrderRecord, command: OnStandingOrder, context: Context, code: str, **changes: Any
) -> Decision:
    return step(order, moved_on(order, command.tz, context, **changes), code, context)


def _refuse_ended(order: StandingOrderRecord | None) -> None:
    if order is not None and order.state is S.ENDED:
        raise WrongState(
            f"standing order {order.id} has ended\nMaybe put a new one, under an id of its own.",
            state=order.state.value,
        )


def _refuse_no_occurrence(order: StandingOrderRecord, command: OnStandingOrder, day: date) -> None:
    _refuse_ended(order)
    dealt = next((each for each in order.dealt if each.day == day.isoformat()), None)
    if dealt is not None:
        what = f"made as {', '.join(dealt.request_ids)}" if dealt.request_ids else f"left out ({dealt.code})"
        raise WrongState(
            f"the occurrence of {day} is {what}\nMaybe change or cancel that request itself.",
            state=order.state.value,
        )
    first = next(occurrences(order, command.tz, day), None)
    if first is None or first.day != day:
        following = f"the next is on {first.day}" if first else "it has none from then on"
        raise Invalid(f"standing order {order.id} has no occurrence on {day}: {following}\nMaybe a slip.")
