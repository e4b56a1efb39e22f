"""Barriers: a note's way to where it is sealed and back, and patterns over a period."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from contracts.barriers import MAX_WEEKS, BarrierReport, BarrierView, PatternQuery, Patterns
from contracts.base import FIRST_DAY, LAST_DAY
from contracts.instants import to_instant
from dispatcher.domain.barriers import LEAST, barrier_view, matches, summed
from dispatcher.domain.commands.barriers import RecordBarrier
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor
from dispatcher.service.markets import Markets
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.market import MarketStore

USUAL_WEEKS = 13
WEEK = timedelta(weeks=1)
PURPOSE, DRAWN_BYTES = "rounding of patterns", 8


class Barriers:
    """They raise NotFound for what is unknown or another's, and Unavailable."""

    def __init__(self, markets: Markets, executor: Executor, clock: Clock) -> None:
        self.markets, self.executor, self.clock = markets, executor, clock

    async def record(
        self,
        who: Principal,
        market: str,
        request_id: str,
        report: BarrierReport,
        idempotency: IdempotencyRecord | None = None,
    ) -> RequestRecord:
        """What somebody says it was; a note is sealed before anything else sees it. Raises WrongState."""
        self.markets.authorize_requests(who, market)
        tasks = self.markets.store(market).tasks
        sealed = tasks.seal(_sealed_for(request_id), report.note) if report.note else b""
        command = RecordBarrier(request_id=request_id, code=report.code, sealed=sealed)
        record: RequestRecord = await self.executor.execute(who, market, command, idempotency)
        return record

    def shown(self, market: str, record: RequestRecord) -> BarrierView | None:
        """The barrier of a request with its note."""
        return with_note(self.markets.store(market), record)

    async def patterns(self, who: Principal, market: str, query: PatternQuery) -> Patterns:
        """How often which barrier, where, in a period. Raises Invalid for one that is too long, or none."""
        self.markets.authorize_requests(who, market)
        values = (await self.markets.tuning(market)).values
        weeks = list(_weeks(query, to_instant(self.clock.now_ms()).date()))
        found = await self.markets.store(market).patterns.of(weeks)
        wanted = {where: count for where, count in found.items() if matches(where[1], query)}
        least = LEAST.whole(values)
        told = summed(wanted, least, self._draw(market))
        return Patterns(since_week=weeks[0], until_week=weeks[-1], least=least, **told)

    def _draw(self, market: str) -> Callable[[bytes], int]:
        """By a key of this service's own: who knows it could tell what was rounded up."""
        key = self.markets.store(market).tasks.vault.derived(PURPOSE)[0]

        def drawn(counted: bytes) -> int:
            return int.from_bytes(hashlib.blake2b(counted, key=key, digest_size=DRAWN_BYTES).digest())

        return drawn


def with_note(stored: MarketStore, record: RequestRecord) -> BarrierView | None:
    """The barrier with its note opened; one that cannot be read hides nothing else."""
    barrier = record.barrier
    if barrier is None:
        return None
    note = stored.tasks.open(_sealed_for(record.id), barrier.sealed) if barrier.sealed else ""
    return barrier_view(barrier, note)


def _sealed_for(request_id: str) -> str:
    return f"barrier.{request_id}"


def _weeks(query: PatternQuery, today: date) -> Iterator[str]:
    """The ISO weeks asked for, the first first."""
    until = query.until or max(today, query.since or today)
    usual = (USUAL_WEEKS - 1) * WEEK
    since = query.since or (until - usual if until > FIRST_DAY + usual else FIRST_DAY)
    if not FIRST_DAY <= since <= until <= LAST_DAY:
        raise Invalid(
            f"no period runs from {since} to {until}; it begins before it ends, and lies within "
            f"{FIRST_DAY} and {LAST_DAY}\nMaybe `since` and `until` were mixed up."
        )
    monday, last = (each - timedelta(days=each.weekday()) for each in (since, until))
    count = (last - monday) // WEEK + 1
    if count > MAX_WEEKS:
        raise Invalid(
            f"from {since} to {until} there are {count} weeks; one answer has at most {MAX_WEEKS}\n"
            "Maybe ask for one year after the other."
        )
    for number in range(count):
        yield f"{monday + number * WEEK:%G-W%V}"
