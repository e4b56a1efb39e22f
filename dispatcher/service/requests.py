"""Requests: all that came together taken in in one commit, before anybody is told that they are safe."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.instants import to_ms
from contracts.request_views import RequestQuery, RequestView
from contracts.requests import Request
from contracts.tuning import Number, Tuning
from dispatcher.domain.apart import kept_apart
from dispatcher.domain.arranging import entered
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.episodes import EPISODE_KIND
from dispatcher.domain.joining import joined
from dispatcher.domain.needed import Needed, needed
from dispatcher.domain.refusals import PossibleDuplicate, Refusal, Unreadable, no_such
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.rights import SEES_DOORS, SUBMITTERS
from dispatcher.domain.views import as_asked, read_back, request_view
from dispatcher.domain.windows import Leaves, at_once
from dispatcher.runtime import traces
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.steps import Steps
from dispatcher.security.principal import Principal
from dispatcher.service.authorizing import Authorizing
from dispatcher.service.barriers import with_note
from dispatcher.service.duplicates import Duplicates
from dispatcher.service.execute import ATTEMPTS, already_applied, refuse_reuse, too_busy
from dispatcher.service.legs import refuse_odd_legs
from dispatcher.service.local_days import span_ms
from dispatcher.service.markets import Markets
from dispatcher.service.one_patient import OnePatient
from dispatcher.service.repeats import Repeats, refuse_repeats
from dispatcher.service.rides import leaves
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.request_search import Wanted, search
from dispatcher.store.store import Store
from solvers.travel import TravelOf


class Requests:
    """`travel_of` is the matcher's: it says how long the ride to an appointment takes."""

    def __init__(self, store: Store, markets: Markets, clock: Clock, travel_of: TravelOf) -> None:
        self.store, self.markets, self.clock, self.travel_of = store, markets, clock, travel_of
        self.duplicates = Duplicates(store)
        self.repeats = Repeats(store)
        self.patients = OnePatient(store)
        self.authorizing = Authorizing(store)
        self.steps = Steps()  # of submissions

    async def submit(
        self, who: Principal, market: str, requests: Sequence[Request], idempotency: IdempotencyRecord
    ) -> tuple[str, ...]:
        """Store all of them, durably, or none; their ids in order, which is all a repeat has to answer.

        A request that is stored already under the same body is left as it is. Raises NotFound (market),
        Invalid (a window in the past, a sequence that cannot be, a return of no leg that there is), Reused
        (key or request id with another body), PossibleDuplicate, Unavailable.
        """
        self.markets.authorize_requests(who, market)
        with self.steps:
            await self.steps.together()
            return await self._take_in(who, market, requests, idempotency)

    async def _take_in(
        self, who: Principal, market: str, requests: Sequence[Request], idempotency: IdempotencyRecord
    ) -> tuple[str, ...]:
        ids = tuple(request.id for request in requests)
        refuse_repeats(ids)
        await self.store.refuse_unless_durable(market)
        tuning, market_store = await self.markets.tuning(market), self.markets.store(market)
        wanted = requests
        for attempt in range(ATTEMPTS):
            try:
                context = self.context(who, market, tuning)
                decided = await self.received(market, wanted, context)
                await self.steps.together()
                found = await self.duplicates.checked(market, wanted, decided, context, unseen=not attempt)
            except Refusal as refusal:
                if await already_applied(market_store, idempotency):
                    return ids
                wanted = await self._but_stored(market, wanted, refusal)
                continue
            decided = [*kept_apart(decided, found.near, context), *found.filed]
            await self.steps.together()
            outcome = await market_store.commit(decided, requests=wanted, idempotency=idempotency)
            if outcome.ok:
                return ids
            refuse_reuse(outcome)
            if outcome.stale_id in ids:  # else a patient is known, or moved on
                wanted = await self.repeats.missing(market, requests)
        raise too_busy(f"a batch of {len(requests)}")

    async def _but_stored(
        self, market: str, wanted: Sequence[Request], refusal: Refusal
    ) -> Sequence[Request]:
        """Those that are not stored already: what is, is no duplicate of itself. Else raises the refusal."""
        if isinstance(refusal, PossibleDuplicate):
            left = await self.repeats.missing(market, wanted)
            if len(left) < len(wanted):
                return left
        raise refusal

    async def view(self, who: Principal, market: str, request_id: str) -> RequestView:
        """One request with all that was asked, as far as it can be read. Raises NotFound, Unavailable."""
        record = await self.record(who, market, request_id)
        view = request_view(record)
        with contextlib.suppress(Unreadable):  # it is named elsewhere; the rest is there
            asked = await self.markets.store(market).requests.expected_body(request_id)
            view = self._read_back(who, market, record, asked)
        return replace(view, barrier=with_note(self.markets.store(market), record))

    async def record(self, who: Principal, market: str, request_id: str) -> RequestRecord:
        """One request as it is stored, to be answered about. Raises NotFound, Unavailable."""
        self.markets.authorize_requests(who, market)
        part = self.markets.store(market).requests
        record = await part.records.get(request_id)
        if record is None:
            await self.store.refuse_if_lost()
            record = await part.come_or_lost(request_id)
        if record is None:
            raise no_such(f"request {request_id}")
        return record

    async def page(
        self, who: Principal, market: str, state: RequestState | None, cursor: str | None, limit: int
    ) -> tuple[list[RequestView], str | None]:
        """Requests by time received, and where the next page starts. Raises Invalid for a strange cursor."""
        self.markets.authorize_requests(who, market)
        page = await self.markets.store(market).requests.page(state, cursor, limit)
        return [request_view(record) for record in page.records], page.cursor

    async def search(
        self, who: Principal, market: str, query: RequestQuery
    ) -> tuple[list[RequestView], str | None]:
        """Requests for which all that is asked holds (`RequestQuery`). Raises Invalid: no such cursor."""
        if replace(query, state=None, cursor="", limit=1) == RequestQuery(limit=1):
            return await self.page(who, market, query.state, query.cursor or None, query.limit)
        self.markets.authorize_requests(who, market)
        tz, day = self.markets.zones[market], query.day
        wanted = Wanted(
            state=query.state,
            day_ms=span_ms(day, tz) if day else None,
            vendor_id=query.vendor_id or "",
            match_by_ms=to_ms(query.match_by_before) if query.match_by_before else None,
            service_class=query.service_class,
            id=query.id,
        )
        return await self.found(who, market, wanted, query.cursor or None, query.limit)

    async def found(
        self, who: Principal, market: str, wanted: Wanted, cursor: str | None, limit: int
    ) -> tuple[list[RequestView], str | None]:
        """A page of those for which all that is wanted holds. Raises Invalid: no such cursor."""
        self.markets.authorize_requests(who, market)
        page = await search(self.markets.store(market).requests, wanted, cursor, limit)
        return [request_view(record) for record in page.records], page.cursor

    def context(self, who: Principal, market: str, tuning: Tuning) -> Context:
        """What requests of this caller are taken in in."""
        return Context(
            now_ms=self.clock.now_ms(),
            values=tuning.values,
            lists=tuning.lists,
            by=who.acting_as(SUBMITTERS),
            subject=who.subject,
            roles=who.roles,
            tz=self.markets.zones[market],
            trace=traces.carried(),
        )

    async def received(
        self, market: str, requests: Sequence[Request], context: Context, standing_order: str = ""
    ) -> list[Decision]:
        """What taking them in changes: they, and what goes before them. Raises Invalid.

        `standing_order`: which one makes them.
        """
        decisions, stored = await self.receipts(market, requests, context, standing_order), {}
        if named := {link.request_id for each in decisions for link in each.after.after}:
            part = self.markets.store(market).requests
            stored = await part.records.get_all(sorted(named - {each.id for each in requests}))
            await self.refuse_odd_legs(market, requests, decisions, stored, context)
        told = joined(decisions, stored, context)
        if any(each.episode for each in requests):
            told += await self._entered(market, requests, context)
        return told

    async def refuse_odd_legs(
        self,
        market: str,
        requests: Sequence[Request],
        receipts: Sequence[Decision],
        before: Mapping[str, RequestRecord],
        context: Context,
    ) -> None:
        """Raises Invalid for a way back that cannot be that of its leg there, whichever door it came by.

        Nor is it another patient's.
        """
        travel = self.travel_of(context.values)
        await refuse_odd_legs(self.markets.store(market), requests, receipts, before, travel)
        if any(each.way_back_of for each in requests):
            await self.patients.refuse_another_s_way_back(market, requests)

    async def _entered(self, market: str, requests: Sequence[Request], context: Context) -> list[Decision]:
        """The episodes that they name, with them. Raises Invalid."""
        named = dict[str, list[str]]()
        for each in requests:
            if each.episode is not None:
                named.setdefault(each.episode, []).append(each.id)
        found = await self.markets.store(market).records(EPISODE_KIND).get_all(list(named))
        for name, episode in found.items():
            new = [each for each in requests if each.episode == name]
            await self.patients.refuse_several(market, name, new, (), episode.requests)
        return [entered(found.get(name), name, tuple(ids), context) for name, ids in named.items()]

    async def receipts(
        self, market: str, requests: Sequence[Request], context: Context, standing_order: str = ""
    ) -> list[Decision]:
        """Each request by itself, as it comes in; on hold where it lacks an authorization. Raises Invalid."""
        asked = {
            each.id: one
            for each in requests
            if (one := needed(each, context.values, context.lists)) is not None
        }
        found = await self._authorized(market, requests, asked, context) if asked else {}
        received = []
        for each in requests:
            wanted, one = found.get(each.id, (each, None))
            way = self.leaves(market, each, context.values)
            received.append(receive(wanted, context, way, standing_order, one))
        return received

    async def _authorized(
        self, market: str, requests: Sequence[Request], asked: Mapping[str, Needed], context: Context
    ) -> dict[str, tuple[Request, Needed | None]]:
        """Those that need an authorization, each on hold unless it has one, and what it draws on."""
        found = await asyncio.gather(
            *(
                self.authorizing.found(
                    market, each, asked[each.id], context, self.leaves(market, each, context.values)
                )
                for each in requests
                if each.id in asked
            )
        )
        return {each.id: (each, one) for each, one in found}

    def leaves(self, market: str, request: Request, values: Mapping[str, Number]) -> Leaves:
        """When the ride to an appointment leaves, as the matcher times it."""
        if request.arrive_by is None:
            return at_once
        return leaves(request, self.markets.zones[market], self.travel_of(values))

    def _read_back(self, who: Principal, market: str, record: RequestRecord, asked: Request) -> RequestView:
        """The record with its body, and with what its amendments replaced or proposed."""
        part, sees_doors = self.markets.store(market).requests, who.may(SEES_DOORS)
        view = read_back(request_view(record), asked, sees_doors=sees_doors)
        bodies = [
            {}
            if each.retimes
            else {
                "before" if each.made else "proposed": part.opened(
                    record.id, each.before if each.made else each.proposed
                )
            }
            for each in record.amendments
        ]
        shown = tuple(
            replace(one, **{name: as_asked(body, sees_doors=sees_doors) for name, body in two.items()})
            for one, two in zip(view.amendments, bodies, strict=True)
        )
        return replace(view, amendments=shown)
