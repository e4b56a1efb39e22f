"""Standing orders: put and read by platform and ops."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.geo import WindowView
from contracts.instants import to_instant
from contracts.requests import Request, TripRequest
from contracts.standing_orders import (
    Holidays,
    Made,
    Occurrence,
    Shift,
    StandingOrder,
    StandingOrderQuery,
    StandingOrderState,
    StandingOrderSummary,
    StandingOrderView,
)
from dispatcher.domain.commands.standing_orders import ROLES, PutStandingOrder
from dispatcher.domain.commands.table import decide
from dispatcher.domain.context import Context
from dispatcher.domain.occurrences import begins_at, ends_at, made
from dispatcher.domain.recurrence import AHEAD, days, holidays_of, read
from dispatcher.domain.refusals import Invalid, no_such
from dispatcher.domain.standing_orders import Ahead, Free, StandingOrderRecord, ahead, left_out
from dispatcher.domain.windows import start_window
from dispatcher.runtime.clock import Clock
from dispatcher.security.blind_index import identity
from dispatcher.security.principal import Principal
from dispatcher.service.execute import ATTEMPTS, too_busy
from dispatcher.service.markets import Markets
from dispatcher.service.requests import Requests
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.vendors import stale

SHOWN = 10  # occurrences to come, in a view
BACK_WITHIN = timedelta(hours=48)


class StandingOrders:
    """They raise NotFound for what is unknown, Unreadable, and Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, requests: Requests) -> None:
        self.markets, self.clock, self.requests = markets, clock, requests

    async def put(
        self, who: Principal, market: str, order_id: str, body: StandingOrder, expected_version: int
    ) -> StandingOrderRecord:
        """The order as it is now; the same once more is no change. Raises Invalid, WrongState, Stale."""
        self.markets.authorize_requests(who, market)
        stored, tuning = self.markets.store(market), await self.markets.tuning(market)
        body = _with_patient(body)
        for _ in range(ATTEMPTS):
            current = await stored.standing_orders.records.get(order_id)
            if current is not None and _asked(stored, current) == body:
                return current
            version = current.version if current else 0
            if expected_version != version:
                raise stale(f"standing order {order_id}", expected_version)
            context = Context(
                now_ms=self.clock.now_ms(),
                values=tuning.values,
                by=who.acting_as(ROLES),
                subject=who.subject,
                roles=who.roles,
                tz=self.markets.zones[market],
            )
            decision = decide(current, self._command(market, order_id, body), context)
            assert decision is not None  # noqa: S101  (it is another than it was)
            outcome = await stored.commit([decision])
            if outcome.status is Status.OK:
                after: StandingOrderRecord = decision.after
                return after
        raise too_busy(f"standing order {order_id}")

    async def get(self, who: Principal, market: str, order_id: str) -> StandingOrderRecord:
        """One standing order."""
        self.markets.authorize_requests(who, market)
        found = await self.markets.store(market).standing_orders.records.get(order_id)
        if found is None:
            await self.markets.refuse_if_lost()
            raise no_such(f"standing order {order_id}")
        return found

    async def page(
        self, who: Principal, market: str, query: StandingOrderQuery
    ) -> tuple[list[StandingOrderSummary], str | None]:
        """Standing orders by when they were first put, and where the next page starts."""
        self.markets.authorize_requests(who, market)
        part = self.markets.store(market).standing_orders
        found, cursor = await part.page(query.state, query.cursor or None, query.limit)
        return [_summary(each) for each in found], cursor

    async def view(self, market: str, order: StandingOrderRecord) -> StandingOrderView:
        """For platform and ops: what was asked for, without the patient; what was made and is to come."""
        stored, tuning = self.markets.store(market), await self.markets.tuning(market)
        context = Context(now_ms=self.clock.now_ms(), values=tuning.values)
        asked = _without_patient(_asked(stored, order))
        return StandingOrderView(
            id=order.id,
            state=order.state,
            version=order.version,
            order=asked,
            start=date.fromisoformat(order.start),
            made=tuple(
                Made(day=date.fromisoformat(each.day), request_ids=each.request_ids)
                for each in order.dealt
                if each.request_ids
            ),
            left_out=tuple(left_out(each) for each in order.dealt if each.code),
            next=self._coming(market, order, asked, context),
        )

    def _coming(
        self, market: str, order: StandingOrderRecord, asked: StandingOrder, context: Context
    ) -> tuple[Occurrence, ...]:
        """What is to come; also while it is paused: so it would go on."""
        if order.state is StandingOrderState.ENDED:
            return ()
        following = ahead(order, self.markets.zones[market], context)
        return tuple(
            self._occurrence(market, order, asked, each, context)
            for each in islice((each for each in following if each.comes.on), SHOWN)
        )

    def _occurrence(
        self, market: str, order: StandingOrderRecord, asked: StandingOrder, each: Ahead, context: Context
    ) -> Occurrence:
        tz = self.markets.zones[market]
        requests = made(order, asked.request, asked.return_ride, each.comes, tz=tz, now_ms=context.now_ms)
        leaves = self.requests.leaves(market, requests[0], context.values)
        window = start_window(requests[0], context.values, leaves)
        return Occurrence(
            day=each.comes.day,
            window=WindowView(earliest=to_instant(window.earliest_ms), latest=to_instant(window.latest_ms)),
            request_ids=tuple(one.id for one in requests),
        )

    def _command(self, market: str, order_id: str, body: StandingOrder) -> PutStandingOrder:
        """What is put, checked and sealed. Raises Invalid."""
        tz, part = self.markets.zones[market], self.markets.store(market).standing_orders
        start = begins_at(body.request).astimezone(tz).date()
        rule = read(body.rule, tz)
        first = next(days(rule, start, start, start + AHEAD), None)
        if first != start:
            following = f"the first from then on is {first}" if first else "nor any other in nine years"
            remedy = (
                "give the first request that day" if first else "its UNTIL is before that, or it never comes"
            )
            raise Invalid(
                f"the first request is on {start}, which the rule {body.rule} has not: {following}\n"
                f"Maybe {remedy}."
            )
        legs: list[Request] = [body.request] if body.return_ride is None else [body.request, body.return_ride]
        for each in legs:
            _refuse_what_comes_once(each)
        if body.return_ride is not None:
            _refuse_strange_back(body.request, body.return_ride, tz)
        free = body.holidays
        if free is not None:
            holidays_of(free.country, free.subdivision)
        return PutStandingOrder(
            order_id=order_id,
            tz=tz,
            rule=body.rule,
            start=start,
            request=part.seal(body.request),
            return_ride=part.seal(body.return_ride),
            except_days=body.except_days,
            shifts=tuple((each.day, each.minutes) for each in body.shifts),
            holidays=Free(free.country, free.subdivision, free.then) if free else None,
        )


def _asked(stored: MarketStore, order: StandingOrderRecord) -> StandingOrder:
    """What stands, as it was put and changed since."""
    first, back = stored.standing_orders.open(order)
    free = order.holidays
    return StandingOrder(
        request=first,
        return_ride=back if isinstance(back, TripRequest) else None,
        rule=order.rule,
        except_days=tuple(map(date.fromisoformat, order.except_days)),
        shifts=tuple(Shift(day=date.fromisoformat(day), minutes=minutes) for day, minutes in order.shifts),
        holidays=Holidays(country=free.country, subdivision=free.subdivision, then=free.then)
        if free
        else None,
    )


def _with_patient(body: StandingOrder) -> StandingOrder:
    """As it is stored: the ride back is the same patient's, days in order."""
    back = body.return_ride
    if back is not None and back.patient is None:
        back = replace(back, patient=body.request.patient)
    days_in_order = tuple(sorted(set(body.except_days)))
    shifts = tuple(sorted(body.shifts, key=lambda each: each.day))
    return replace(body, return_ride=back, except_days=days_in_order, shifts=shifts)


def _without_patient(body: StandingOrder) -> StandingOrder:
    back = body.return_ride
    return replace(
        body,
        request=replace(body.request, patient=None),
        return_ride=None if back is None else replace(back, patient=None),
    )


def _summary(order: StandingOrderRecord) -> StandingOrderSummary:
    return StandingOrderSummary(
        id=order.id,
        state=order.state,
        version=order.version,
        rule=order.rule,
        start=date.fromisoformat(order.start),
    )


def _refuse_what_comes_once(leg: Request) -> None:
    """Raises Invalid where what is to come again names one that comes once."""
    once = {
        "what goes before it (after)": leg.after,
        "its leg there (return_of)": leg.way_back_of,
        "an episode (episode)": leg.episode,
    }
    for what, given in once.items():
        if given:
            raise Invalid(
                f"a standing order's request names {what}, which comes once\n"
                "Maybe leave it out, and say it of the requests that are made: each day's ride back is that "
                "of its ride there by itself (return_ride)."
            )


def _refuse_strange_back(there: Request, back: TripRequest, tz: ZoneInfo) -> None:
    """Raises Invalid for a ride back at a strange time, or of another patient."""
    whose, others = identity(there.patient), identity(back.patient)
    if others and others != whose:
        raise Invalid(
            "the ride back of a standing order is another patient's than the ride there\n"
            "Maybe leave its patient out: it is the same one's."
        )
    if back.will_call is None:
        _refuse_strange_return(there, begins_at(back))
    elif back.will_call.day != (day := begins_at(there).astimezone(tz).date()):
        raise Invalid(f"the ride back is a will-call of {back.will_call.day}\nMaybe of the day there: {day}.")


def _refuse_strange_return(there: Request, back_at: datetime) -> None:
    latest = ends_at(there)
    if not latest <= back_at <= latest + BACK_WITHIN:
        raise Invalid(
            f"the ride back begins at {back_at.isoformat()}, the ride there by {latest.isoformat()}\n"
            f"Maybe one has another day: it begins after that, within {BACK_WITHIN // timedelta(hours=1)} h."
        )
