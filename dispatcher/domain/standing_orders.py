"""Standing orders: what comes again by a rule, until it ends. Each occurrence is dealt with once.

The record names the days that are dealt with, and the commit that makes a day's requests adds it: neither a
crash nor a second process makes them twice. What is to come follows from rule, exceptions and holidays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.instants import DAY_MS, HOUR_MS, to_instant
from contracts.local_day import LocalDay, first_instant_ms
from contracts.standing_orders import LeftOut, OnHoliday, StandingOrderChanged, StandingOrderState
from contracts.tuning import Parameter
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.recurrence import Comes, comes, holidays_of, read
from dispatcher.domain.timers import RETENTION

LEAD = Parameter(
    name="standing_lead_days",
    default=14,
    minimum=1,
    maximum=60,
    unit="days",
    summary="So long before its day the requests of a standing order's occurrence are made.",
    scope="domain.standing_orders",
)
PARAMETERS = (LEAD,)
S = StandingOrderState
AWAKE_MS = 30 * DAY_MS  # it is looked at as often: what lies sealed in it moves to the current patient key
KEPT_DAYS = 35  # what was dealt with is told of so long
MOST_KEPT = 128  # days: more than the longest lead and KEPT_DAYS together
LOOK_BEYOND = 15  # days: an occurrence moves off a holiday by less


class Dealt(Compact, frozen=True):
    """A day that is dealt with: what was made, or (`code`) why not; `others`: what it may be again."""

    day: str
    request_ids: tuple[str, ...] = ()
    code: str = ""
    others: tuple[str, ...] = ()


class Free(Compact, frozen=True):
    """Whose holidays count."""

    country: str
    subdivision: str
    then: OnHoliday


class StandingOrderRecord(Record, frozen=True, tag=1):
    """One standing order. `request` and `return_ride` are sealed as bodies of requests are; days are ISO."""

    state: StandingOrderState
    rule: str
    start: str
    request: bytes
    return_ride: bytes
    created_ms: int
    timer_ms: int
    since: str  # occurrences before this day were dealt with, or were not to be
    except_days: tuple[str, ...] = ()
    shifts: tuple[tuple[str, int], ...] = ()
    holidays: Free | None = None
    dealt: tuple[Dealt, ...] = ()  # by day

    @property
    def dealt_days(self) -> frozenset[date]:
        """Days that are dealt with."""
        return frozenset(date.fromisoformat(each.day) for each in self.dealt)

    def shift_minutes(self, day: date) -> int:
        """How much later than by its rule this occurrence is."""
        return dict(self.shifts).get(day.isoformat(), 0)


class Ahead(NamedTuple):
    """An occurrence that is not dealt with yet, and when its requests are to be made."""

    comes: Comes
    make_ms: int


def list_of(state: StandingOrderState) -> str:
    """The list of standing orders in one state, by when they were first put."""
    return f"standing:{state.value}"


def occurrences(order: StandingOrderRecord, tz: ZoneInfo, since: date) -> Iterator[Comes]:
    """All from that day on, whether or not they are dealt with. Raises Invalid, for what was valid once."""
    free = order.holidays
    return comes(
        read(order.rule, tz),
        date.fromisoformat(order.start),
        since,
        except_days=frozenset(map(date.fromisoformat, order.except_days)),
        then=free.then if free else OnHoliday.KEEP,
        is_holiday=holidays_of(free.country, free.subdivision) if free else lambda day: False,
    )


def ahead(order: StandingOrderRecord, tz: ZoneInfo, context: Context) -> Iterator[Ahead]:
    """What is not dealt with yet, by day."""
    lead, dealt = timedelta(days=LEAD.whole(context.values)), order.dealt_days
    for each in occurrences(order, tz, date.fromisoformat(order.since)):
        if each.day not in dealt:
            yield Ahead(each, first_instant_ms((each.on or each.day) - lead, tz))


def to_deal_with(order: StandingOrderRecord, tz: ZoneInfo, context: Context, most: int) -> list[Ahead]:
    """What is due to be made now, the first days first."""
    until = today(tz, context) + timedelta(days=LEAD.whole(context.values) + LOOK_BEYOND)
    near = _until(ahead(order, tz, context), until)
    return list(islice((each for each in near if each.make_ms <= context.now_ms), most))


def today(tz: ZoneInfo, context: Context) -> date:
    """The market's calendar day."""
    return to_instant(context.now_ms).astimezone(tz).date()


def moved_on(
    order: StandingOrderRecord,
    tz: ZoneInfo,
    context: Context,
    dealt: Sequence[Dealt] = (),
    **changes: Any,
) -> StandingOrderRecord:
    """The order one version on: days dealt with, those long past forgotten, its timer as all that has it.

    One that has nothing to come any more has ended.
    """
    keep = (today(tz, context) - timedelta(days=KEPT_DAYS)).isoformat()
    kept = sorted((*(each for each in order.dealt if each.day >= keep), *dealt), key=lambda each: each.day)
    after = replace(order, version=order.version + 1, dealt=tuple(kept[-MOST_KEPT:]), **changes)
    after = replace(after, since=max(after.since, keep))
    if after.state is S.ACTIVE:
        first = min((each.make_ms for each in _soon(after, tz, context)), default=None)
        if first is not None:
            return replace(after, timer_ms=min(first, context.now_ms + AWAKE_MS))
        after = replace(after, state=S.ENDED)
    if after.state is S.PAUSED:
        return replace(after, timer_ms=context.now_ms + AWAKE_MS)
    days = [date.fromisoformat(each.day) for each in after.dealt] or [today(tz, context)]
    last_ms = first_instant_ms(max(days) + timedelta(days=1), tz)
    return replace(after, timer_ms=max(last_ms, context.now_ms) + RETENTION.whole(context.values) * HOUR_MS)


def step(
    before: StandingOrderRecord | None, after: StandingOrderRecord, code: str, context: Context
) -> Decision:
    """The change, and word of it: what was made and what was left out."""
    old = frozenset(before.dealt) if before else frozenset()
    fresh = [each for each in after.dealt if each not in old]
    news = StandingOrderChanged(
        standing_order_id=after.id,
        state=after.state,
        version=after.version,
        code=code,
        at=to_instant(context.now_ms),
        request_ids=tuple(name for each in fresh for name in each.request_ids),
        left_out=tuple(left_out(each) for each in fresh if each.code),
    )
    message = Message(type="dispatch.standing_order.changed", subject=after.id, data=news)
    return Decision(changes=(Change(before, after),), messages=(message,), at_ms=context.now_ms)


def left_out(each: Dealt) -> LeftOut:
    """Why a day, or one of its rides, was not made."""
    return LeftOut(day=date.fromisoformat(each.day), code=each.code, duplicate_of=each.others)


def due(order: StandingOrderRecord, context: Context) -> Decision | None:
    """Its timer, as far as it needs no more than the record: one that has ended is forgotten.

    What an active one makes needs the key ring and the way to a door: `service/standing_orders.py`.
    """
    if order.timer_ms > context.now_ms or order.state is not S.ENDED:
        return None
    return Decision(changes=(Change(order, None),), at_ms=context.now_ms)


def instant(at: datetime, start: date, on: date, tz: ZoneInfo, later_minutes: int = 0) -> datetime:
    """A moment of the first occurrence, whose day is `start`, for that of the day `on`: by the clock.

    The clock time that a day skips is what comes after; one that comes twice, the first.
    """
    local = at.astimezone(tz)
    clock = timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    at_ms = LocalDay.of(on + (local.date() - start), tz).first_at(clock // timedelta(milliseconds=1))
    return to_instant(at_ms) + timedelta(minutes=later_minutes)


def _soon(order: StandingOrderRecord, tz: ZoneInfo, context: Context) -> Iterator[Ahead]:
    """The next to be made, and those near it: one that moves off a holiday may come before an earlier one."""
    following = ahead(order, tz, context)
    first = next(following, None)
    if first is None:
        return
    yield first
    yield from _until(following, first.comes.day + timedelta(days=2 * LOOK_BEYOND))


def _until(each: Iterator[Ahead], last: date) -> Iterator[Ahead]:
    for one in each:
        if one.comes.day > last:
            return
        yield one


_NEXT: Mapping[StandingOrderState, frozenset[StandingOrderState]] = {
    S.ACTIVE: frozenset(S),
    S.PAUSED: frozenset(S),
    S.ENDED: frozenset(),
}


def _may_become(before: StandingOrderRecord | None, after: StandingOrderRecord | None) -> bool:
    if before is None or after is None:
        return after is not None or (before is not None and before.state is S.ENDED)
    return after.state in _NEXT[before.state]


STANDING_ORDER = register(
    Kind(
        name="standing_order",
        form=StandingOrderRecord,
        key="so",
        timers="timers:standing_order",
        timer_ms=lambda order: order.timer_ms,
        lists=lambda order: {Entry(list_of(order.state), order.id): order.created_ms},
        may_become=_may_become,
        on_timer=due,
    )
)
