"""The requests of standing orders, made when it is time: each occurrence once, whatever crashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts.requests import Request
from contracts.standing_orders import RETURN, StandingOrderState, made_id
from contracts.tasks import TaskKind, TaskState
from dispatcher.domain.apart import kept_apart
from dispatcher.domain.commands.submit import asked_window
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.occurrences import by_itself, made, with_vendor, without_leg
from dispatcher.domain.refusals import (
    Invalid,
    PatientKeyMissing,
    PossibleDuplicate,
    Refusal,
    Unavailable,
    Unwritable,
)
from dispatcher.domain.requests import with_task
from dispatcher.domain.standing_orders import (
    Ahead,
    Dealt,
    StandingOrderRecord,
    due,
    moved_on,
    step,
    to_deal_with,
)
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import BY_ITSELF, news, opened, reopened
from dispatcher.runtime import traces
from dispatcher.runtime.clock import Clock
from dispatcher.service.duplicates import Checked
from dispatcher.service.markets import Markets
from dispatcher.service.requests import Requests
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Outcome

BY = "standing_order"
AT_ONCE = 16  # occurrences that one commit makes: the rest is due at once
LOOKED_AT = 24  # days back, for who had the last one
PASSING = (Unavailable, Unwritable, PatientKeyMissing)  # made once that has passed
DUPLICATE, HOLIDAY, PASSED = "possible_duplicate", "holiday", "passed"

Others = dict[str, tuple[str, ...]]  # by the id of what was not made: what it may be again


class Due(NamedTuple):
    """An occurrence that is to be dealt with, and the requests that it would make."""

    ahead: Ahead
    requests: tuple[Request, ...]


class Occurrences:
    """Of one process; any number may fire the same timer, and one has the effect."""

    def __init__(self, markets: Markets, clock: Clock, requests: Requests) -> None:
        self.markets, self.clock, self.requests = markets, clock, requests

    async def fire(self, market: str, order: StandingOrderRecord) -> Outcome | None:
        """Its timer: what is due is made, in the commit that deals with its days; None if nothing is due.

        What the patient has already is left out, and becomes a person's task; so does what is refused.
        """
        stored, tuning = self.markets.store(market), await self.markets.tuning(market)
        tz = self.markets.zones[market]
        now_ms = self.clock.now_ms()
        context = Context(
            now_ms=now_ms, values=tuning.values, lists=tuning.lists, by=BY, subject=order.id, tz=tz
        )
        if order.timer_ms > context.now_ms:
            return None
        if order.state is StandingOrderState.ENDED:
            gone = due(order, context)
            return await stored.commit([gone]) if gone else None
        if order.state is StandingOrderState.PAUSED:
            waits = Change(order, moved_on(order, tz, context, **self._sealed_anew(stored, order)))
            return await stored.commit([Decision(changes=(waits,), at_ms=context.now_ms)])
        coming, why = to_deal_with(order, tz, context, AT_ONCE), list[Refusal]()
        for some in (coming, coming[:1]):  # the first alone: one that cannot be made holds up no other
            try:
                with traces.span("occurrences", dispatcher__market=market, dispatcher__subject=order.id):
                    traced = replace(context, trace=traces.carried())
                    return await self._made(stored, order, some, traced)
            except PASSING:
                raise
            except Refusal as refusal:
                why.append(refusal)
        if not coming:
            raise why[-1]
        return await stored.commit([await _refused(stored, order, coming[0], why[-1], context)])

    async def _made(
        self, stored: MarketStore, order: StandingOrderRecord, coming: Sequence[Ahead], context: Context
    ) -> Outcome:
        """These days, dealt with in one commit. Raises Refusal where one of them cannot be made."""
        anew = self._sealed_anew(stored, order)
        drafts = await self._drafted(stored, order, coming, context)
        fresh, there = await self._sorted(stored.name, stored, drafts, context)
        left, received, found, twice = await self._checked(stored.name, fresh, order, context)
        dealt = [_dealt(each, there | {one.id for one in fresh} - twice.keys(), twice) for each in drafts]
        after = moved_on(order, context.tz, context, dealt, **anew)
        decided = [
            step(order, after, "made" if drafts else "looked_at", context),
            *received,
            *found.filed,
        ]
        decided += await self._told(stored, twice, context)
        return await stored.commit(kept_apart(decided, found.near, context), requests=left)

    def _sealed_anew(self, stored: MarketStore, order: StandingOrderRecord) -> dict[str, Any]:
        """What lies sealed in it under the key in use, if that is another. Raises Unreadable."""
        part = stored.standing_orders
        if not part.is_under_another_key(order):
            return {}
        first, back = part.open(order)
        return {"request": part.seal(first), "return_ride": part.seal(back)}

    async def _drafted(
        self, stored: MarketStore, order: StandingOrderRecord, coming: Sequence[Ahead], context: Context
    ) -> list[Due]:
        """What each occurrence asks for, of the vendor that had the last one if tuning says so."""
        if not coming:
            return []
        first, back = stored.standing_orders.open(order)
        vendors = await _last_vendors(stored, order)
        first = with_vendor(first, vendors.get("", ""), context.values)
        back = with_vendor(back, vendors.get(RETURN, ""), context.values) if back is not None else None
        tz = self.markets.zones[stored.name]
        return [
            Due(
                each,
                tuple(made(order, first, back, each.comes, tz=tz, now_ms=context.now_ms))
                if each.comes.on
                else (),
            )
            for each in coming
        ]

    async def _sorted(
        self, market: str, stored: MarketStore, drafts: Sequence[Due], context: Context
    ) -> tuple[list[Request], set[str]]:
        """What is to be made, and ids that are there already. What could not start any more is neither."""
        asked = [request for each in drafts for request in each.requests]
        there = set(await stored.requests.records.get_all([each.id for each in asked])) if asked else set()
        fresh = []
        for each in asked:
            leaves = self.requests.leaves(market, each, context.values)
            if each.id not in there and asked_window(each, context, leaves).latest_ms > context.now_ms:
                fresh.append(each)
        return fresh, there

    async def _checked(
        self, market: str, fresh: Sequence[Request], order: StandingOrderRecord, context: Context
    ) -> tuple[list[Request], list[Decision], Checked, Others]:
        """What is made, what takes it in and files it; and what is left out as a duplicate."""
        twice: Others = {}
        while True:
            wanted = _together([each for each in fresh if each.id not in twice])
            wanted, received = await self._received(market, wanted, order, context)
            try:
                found = await self.requests.duplicates.checked(market, wanted, received, context)
                return wanted, received, found, twice
            except PossibleDuplicate as refusal:
                twice |= {each.request_id: each.duplicate_of for each in refusal.facts["duplicates"]}

    async def _received(
        self, market: str, wanted: list[Request], order: StandingOrderRecord, context: Context
    ) -> tuple[list[Request], list[Decision]]:
        """Their receipt; each by itself where they cannot be what they say: an episode is full, or gone."""
        try:
            return wanted, await self.requests.received(market, wanted, context, order.id)
        except Invalid:
            alone = [by_itself(each) for each in wanted]
            return alone, await self.requests.received(market, alone, context, order.id)

    async def _told(self, stored: MarketStore, twice: Others, context: Context) -> list[Decision]:
        """A task about each request that was there before: whether it is the same, a person says."""
        left_out = {other: name for name, others in twice.items() for other in others}
        records = await stored.requests.records.get_all(sorted(left_out)) if left_out else {}
        decided = []
        for name, record in records.items():
            if record.state in TERMINAL:
                continue
            task = opened(
                TaskKind.POSSIBLE_DUPLICATE, name, context, code=left_out[name], priority=record.priority
            )
            if task.id not in record.tasks:
                changes = (Change(record, with_task(record, task.id)), Change(None, task))
                told = (news(task, "opened", BY_ITSELF),)
                decided.append(Decision(changes=changes, messages=told, at_ms=context.now_ms))
        return decided


async def _refused(
    stored: MarketStore, order: StandingOrderRecord, each: Ahead, refusal: Refusal, context: Context
) -> Decision:
    """The day is dealt with, by a person: why it could not be made says the task's code."""
    day, code = each.comes.day, refusal.type.replace("-", "_")
    after = moved_on(order, context.tz, context, [Dealt(day.isoformat(), (), code)])
    decision = step(order, after, "made", context)
    kind = TaskKind.OCCURRENCE_MISSING
    fresh = replace(
        opened(kind, made_id(order.id, day), context, code=code), request_id="", standing_order=order.id
    )
    known = await stored.tasks.records.get(fresh.id)
    if known is not None and known.state is not TaskState.DONE:
        return decision
    task = fresh if known is None else reopened(known, fresh, context)
    return replace(
        decision,
        changes=(*decision.changes, Change(known, task)),
        messages=(*decision.messages, news(task, "opened", BY_ITSELF)),
    )


def _together(wanted: Sequence[Request]) -> list[Request]:
    """Each way back as that of its leg there where this is made, too."""
    ids = {each.id for each in wanted}
    return [
        without_leg(each) if each.way_back_of and each.way_back_of not in ids else each for each in wanted
    ]


def _dealt(each: Due, made_ids: set[str], twice: Others) -> Dealt:
    """What became of the day."""
    ids = tuple(one.id for one in each.requests if one.id in made_ids)
    others = tuple(dict.fromkeys(name for one in each.requests for name in twice.get(one.id, ())))
    passed = PASSED if len(ids) < len(each.requests) else ""
    code = HOLIDAY if not each.requests else DUPLICATE if others else passed
    return Dealt(each.ahead.comes.day.isoformat(), ids, code, others)


async def _last_vendors(stored: MarketStore, order: StandingOrderRecord) -> Mapping[str, str]:
    """Who had the last ride there, by "", and the last one back, by RETURN."""
    recent = [name for each in order.dealt[-LOOKED_AT:] for name in each.request_ids]
    records = await stored.requests.records.get_all(recent) if recent else {}
    found: dict[str, str] = {}
    for name in recent:
        record = records.get(name)
        if record is not None and record.dispatch is not None:
            found[RETURN if name.endswith(RETURN) else ""] = record.dispatch.vendor_id
    return found
