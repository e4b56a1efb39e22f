"""Standing orders: put, paused, resumed, ended; one occurrence skipped or at another time."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from contracts.codes import Role
from contracts.standing_orders import StandingOrderState
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.duplicates import APART
from dispatcher.domain.recurrence import days, read
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
NEAR_DAYS = 5  # as far as two shifts reach


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
    _refuse_strange_days(fresh, command.tz, day)
    for each, minutes in command.shifts:
        if each >= day:
            _refuse_twice(fresh, command, each, minutes, context)
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
    skipped = tuple(sorted((*order.except_days, command.day.isoformat())))[-MOST_SHIFTS:]
    return _now(order, command, context, "skipped", except_days=skipped)


@decides(ShiftStandingOrder, STANDING_ORDER.name, roles=ROLES)
def shift(order: StandingOrderRecord, command: ShiftStandingOrder, context: Context) -> Decision | None:
    """None when it is so much later already. Raises as `skip`."""
    day = command.day.isoformat()
    if dict(order.shifts).get(day, 0) == command.minutes:
        return None
    _refuse_no_occurrence(order, command, command.day)
    _refuse_twice(order, command, command.day, command.minutes, context)
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
    dealt = next((each for each in order.dealt if each.day == day.isoformat()), None)
    if dealt is not None and dealt.request_ids:
        raise WrongState(
            f"the occurrence of {day} is made as {', '.join(dealt.request_ids)}\n"
            "Maybe change or cancel that request itself.",
            state=order.state.value,
        )
    if dealt is not None:
        raise WrongState(
            f"the occurrence of {day} is left out ({dealt.code})\nMaybe submit a request for that day.",
            state=order.state.value,
        )
    _refuse_ended(order)
    first = next(occurrences(order, command.tz, day), None)
    if first is None or first.day != day:
        following = f"the next is on {first.day}" if first else "it has none from then on"
        raise Invalid(f"standing order {order.id} has no occurrence on {day}: {following}\nMaybe a slip.")


def _refuse_strange_days(order: StandingOrderRecord, tz: ZoneInfo, since: date) -> None:
    """Raises Invalid for a day, left out or at another time, that the rule has not: a slip would go unseen.

    What is past is as it was.
    """
    first = max(since, date.fromisoformat(order.start))
    named = {*order.except_days, *(day for day, _ in order.shifts)}
    asked = sorted(each for each in map(date.fromisoformat, named) if each >= first)
    if asked:
        found = set(days(read(order.rule, tz), date.fromisoformat(order.start), first, asked[-1]))
        strange = [each for each in asked if each not in found]
        if strange:
            raise Invalid(
                f"{strange[0]}, a {strange[0]:%A}, is no day of the rule {order.rule}: nothing comes on it\n"
                "Maybe another day was meant in except_days or shifts."
            )


def _refuse_twice(
    order: StandingOrderRecord, command: OnStandingOrder, day: date, minutes: int, context: Context
) -> None:
    """Raises Invalid where an occurrence would be at the time of another: all of an order have one clock."""
    after = occurrences(order, command.tz, day - timedelta(days=NEAR_DAYS))
    near = list(takewhile(lambda one: one.day <= day + timedelta(days=NEAR_DAYS), after))
    at = next((each.on for each in near if each.day == day and each.on), day)
    for each in near:
        if each.on is None or each.day == day:
            continue
        apart = (each.on - at) // timedelta(minutes=1) + order.shift_minutes(each.day) - minutes
        if abs(apart) < max(1, APART.whole(context.values)):
            raise Invalid(
                f"the occurrence of {day} would be {abs(apart)} minutes from that of {each.day}, and the "
                "patient is served once at a time\nMaybe skip one of them, or choose another time."
            )
