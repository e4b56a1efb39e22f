"""Scorecards as their vendors and ops read them, what stands behind each figure, and disputes of that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from contracts.base import FIRST_YEAR, LAST_YEAR
from contracts.codes import Role
from contracts.instants import to_instant
from contracts.scorecards import (
    AnswerScoreDispute,
    Disputable,
    NewScoreDispute,
    Scorecard,
    ScoreDispute,
    ScoreDisputePage,
    ScoreDisputeQuery,
    ScoreQuery,
    ScoreRequest,
    ScoreRequestPage,
    ScoreRequestQuery,
)
from dispatcher.domain.coarse_position import position_of
from dispatcher.domain.commands.dispute_score import AnswerDispute, DisputeScore
from dispatcher.domain.refusals import Invalid, no_such
from dispatcher.domain.requests import request_id_of
from dispatcher.domain.score_disputes import ScoreDisputeRecord, dispute_id, list_of
from dispatcher.domain.score_figures import (
    FIGURES,
    MOST_AREAS,
    UPHELD,
    group,
    groups,
    is_figure,
    is_of,
    quartiles,
)
from dispatcher.domain.scorecards import (
    DAYS,
    LEAST,
    Hard,
    Outcome,
    WorkOutcome,
    days_between,
    days_until,
)
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service import damping
from dispatcher.service.execute import Executor
from dispatcher.service.local_days import span_ms
from dispatcher.service.markets import Markets
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.listing import Cursor
from dispatcher.store.market import MarketStore
from dispatcher.store.scorecards import DayCounts, sum_of

LONGEST_DAYS, USUAL_DAYS = 400, 30
READS_SCORECARD = frozenset({Role.VENDOR, Role.OPS})


class Period(NamedTuple):
    """Some days of a market's clock, and from when until when they last."""

    tz: ZoneInfo
    start_ms: int
    end_ms: int

    @property
    def days(self) -> tuple[str, ...]:
        """The days (UTC) that it touches."""
        return days_between(self.start_ms, self.end_ms)

    def holds(self, one: WorkOutcome) -> bool:
        """Whether it came on one of these days."""
        return self.start_ms <= one.entry.at_ms < self.end_ms

    def hour(self, one: WorkOutcome) -> str:
        """The hour of the market's clock in which its work was to begin: `08`."""
        return f"{to_instant(one.entry.start_ms).astimezone(self.tz):%H}"


class Market(NamedTuple):
    """What all its vendors did: counts by day, and how late each was."""

    counts: Mapping[str, DayCounts]
    late: Mapping[str, Sequence[int]]


class Scorecards:
    """They raise NotFound for what is unknown or another's, in the same words, and Unavailable."""

    def __init__(self, markets: Markets, executor: Executor, clock: Clock) -> None:
        self.markets, self.executor, self.clock = markets, executor, clock

    async def view(self, who: Principal, market: str, vendor_id: str, query: ScoreQuery) -> Scorecard:
        """All figures of some days, whole and by level, zone and hour; and beside the market."""
        stored = await self._right(who, market, vendor_id)
        period, values = self._period(market, query), (await self.markets.tuning(market)).values
        least = LEAST.whole(values)
        outcomes = await self._outcomes(stored, vendor_id, period)
        counts = await stored.scorecards.days(period.days)
        late = await stored.scorecards.lateness(period.days)
        figures = await asyncio.to_thread(_figures, vendor_id, outcomes, Market(counts, late), period, least)
        return Scorecard(
            vendor_id=vendor_id,
            first=self._day(market, period.start_ms),
            last=self._day(market, period.end_ms - 1),
            kept_from=self._day(market, self.clock.now_ms()) - timedelta(days=DAYS.whole(values)),
            **figures,
            matching=await damping.told(stored, vendor_id, self.clock.now_ms(), values),
        )

    async def requests(
        self, who: Principal, market: str, vendor_id: str, query: ScoreRequestQuery
    ) -> ScoreRequestPage:
        """What a figure counts, the earliest first. Raises Invalid for a figure that there is not."""
        stored = await self._right(who, market, vendor_id)
        if not is_figure(query.figure):
            raise Invalid(
                f"there is no figure {query.figure} on a scorecard\nMaybe one of: "
                f"{', '.join((*FIGURES, UPHELD))}; of declined with its code: declined.OTHER."
            )
        period = self._period(market, query)
        behind = [
            each
            for each in await self._outcomes(stored, vendor_id, period)
            if is_of(each, query.figure) and _is_part(each, query, period) and _place(each) > _after(query)
        ]
        page, more = behind[: query.limit], len(behind) > query.limit
        names = [dispute_id(each.offer_id, each.outcome) for each in page]
        disputes = await stored.scorecards.disputes.get_all(names)
        return ScoreRequestPage(
            requests=tuple(_row(each, disputes.get(name)) for each, name in zip(page, names, strict=True)),
            cursor=".".join(map(str, _place(page[-1]))) if more else "",
        )

    async def dispute(
        self,
        who: Principal,
        market: str,
        vendor_id: str,
        said: NewScoreDispute,
        idempotency: IdempotencyRecord | None,
    ) -> ScoreDispute:
        """An outcome is wrong; the text is sealed before anything else sees it. Raises WrongState."""
        stored = await self._right(who, market, vendor_id)
        outcome = Outcome(said.outcome.value)
        name = dispute_id(said.offer_id, outcome)
        values = (await self.markets.tuning(market)).values
        days = days_until(self.clock.now_ms(), DAYS.whole(values) + 2)
        entry = await stored.scorecards.entry(vendor_id, said.offer_id, outcome, days)
        sealed = stored.tasks.seal(_sealed_for(name), said.text)
        command = DisputeScore.of(said.offer_id, outcome, sealed, entry)
        return self._shown(stored, await self.executor.execute(who, market, command, idempotency))

    async def disputes(
        self, who: Principal, market: str, vendor_id: str, query: ScoreDisputeQuery
    ) -> ScoreDisputePage:
        """A vendor's disputes, the oldest first."""
        stored = await self._right(who, market, vendor_id)
        found, cursor = await stored.scorecards.disputes.page(
            [list_of(vendor_id)], Cursor.parse(query.cursor), query.limit
        )
        return ScoreDisputePage(disputes=tuple(map(partial(self._shown, stored), found)), cursor=cursor or "")

    async def answer(
        self,
        who: Principal,
        market: str,
        vendor_id: str,
        name: str,
        *,
        said: AnswerScoreDispute,
        idempotency: IdempotencyRecord | None,
    ) -> ScoreDispute:
        """What ops decides about a dispute. Raises WrongState where it decided otherwise before."""
        stored = self.markets.store(market)
        sealed = stored.tasks.seal(_sealed_for(name), said.reason)
        command = AnswerDispute(dispute_id=name, vendor_id=vendor_id, upheld=said.upheld, sealed=sealed)
        return self._shown(stored, await self.executor.execute(who, market, command, idempotency))

    async def _right(self, who: Principal, market: str, vendor_id: str) -> MarketStore:
        """What is stored, for who may read the vendor's card."""
        self.markets.authorize(who, market)
        stored = self.markets.store(market)
        who.refuse_others(vendor_id)
        if not who.may(READS_SCORECARD) or await stored.vendors.get(vendor_id) is None:
            raise no_such(f"vendor {vendor_id}")
        return stored

    def _period(self, market: str, query: ScoreQuery) -> Period:
        first, last = _days_of(query, self._day(market, self.clock.now_ms()))
        tz = self.markets.zones[market]
        return Period(tz, span_ms(first, tz)[0], span_ms(last, tz)[1])

    def _day(self, market: str, at_ms: int) -> date:
        return to_instant(at_ms).astimezone(self.markets.zones[market]).date()

    async def _outcomes(self, stored: MarketStore, vendor_id: str, period: Period) -> list[WorkOutcome]:
        found = await stored.scorecards.entries(vendor_id, period.days)
        return [each for each in found if period.holds(each) and each.outcome is not Outcome.CHARGED]

    def _shown(self, stored: MarketStore, record: ScoreDisputeRecord) -> ScoreDispute:
        """With its texts opened; one that cannot be read hides nothing else."""
        sealed_for = _sealed_for(record.id)
        return ScoreDispute(
            id=record.id,
            vendor_id=record.vendor_id,
            offer_id=record.offer_id,
            outcome=Disputable(record.outcome.value),
            code=record.entry.code,
            outcome_at=to_instant(record.entry.at_ms),
            level=record.entry.level,
            minutes=record.entry.minutes,
            at=to_instant(record.made_ms),
            by=record.by,
            text=stored.tasks.open(sealed_for, record.sealed),
            state=record.state,
            answered_at=to_instant(record.answered_ms) if record.answered_ms else None,
            answered_by=record.answered_by,
            reason=stored.tasks.open(sealed_for, record.reason) if record.reason else "",
        )


def _days_of(query: ScoreQuery, today: date) -> tuple[date, date]:
    """The first day and the last. Raises Invalid for the wrong order, for too many, and for odd years."""
    last = query.last or (max(today, query.first) if query.first else today)
    usual = max(last.toordinal() - USUAL_DAYS + 1, date.min.toordinal())
    first = query.first or date.fromordinal(usual)
    odd = not FIRST_YEAR <= first.year <= last.year <= LAST_YEAR
    if odd or last < first or (last - first).days >= LONGEST_DAYS:
        raise Invalid(
            f"from {first} to {last} are no days of a scorecard: in order, {LONGEST_DAYS} at most, and from "
            f"{FIRST_YEAR} to {LAST_YEAR}\nMaybe the other way round, or ask twice."
        )
    return first, last


def _figures(
    vendor_id: str,
    outcomes: Sequence[WorkOutcome],
    market: Market,
    period: Period,
    least: int,
) -> dict[str, Any]:
    """All of the card: of a large vendor a tenth of a second's work."""
    counted = [each for each in outcomes if not each.entry.upheld]
    zones = [each for each in counted if each.entry.area]
    return {
        "all": group(outcomes, least),
        "by_level": groups(counted, lambda each: each.entry.level, least),
        "by_area": groups(zones, lambda each: each.entry.area, least, MOST_AREAS, zones=True),
        "by_hour": groups(counted, period.hour, least),
        "quartiles": quartiles(sum_of(market.counts.values()), vendor_id, least, market.late),
        "upheld": len(outcomes) - len(counted),
    }


def _sealed_for(name: str) -> str:
    return f"score.{name}"


def _is_part(one: WorkOutcome, query: ScoreRequestQuery, period: Period) -> bool:
    level, area = query.level in (None, one.entry.level), query.area in (None, one.entry.area)
    return level and area and (query.hour is None or int(period.hour(one)) == query.hour)


def _place(one: WorkOutcome) -> tuple[int, str, str]:
    return one.entry.at_ms, one.offer_id, one.outcome.value


def _after(query: ScoreRequestQuery) -> tuple[int, str, str]:
    at_ms, _, rest = query.cursor.partition(".")
    offer_id, _, outcome = rest.rpartition(".")
    return int(at_ms or -1), offer_id, outcome


def _row(one: WorkOutcome, disputed: ScoreDisputeRecord | None) -> ScoreRequest:
    entry = one.entry
    return ScoreRequest(
        offer_id=one.offer_id,
        request_id=request_id_of(one.offer_id),
        outcome=one.outcome.value,
        code=entry.code,
        at=to_instant(entry.at_ms),
        start_at=to_instant(entry.start_ms),
        level=entry.level,
        zone=position_of(entry.area),
        minutes=entry.minutes,
        far=bool(entry.hard & Hard.FAR),
        night=bool(entry.hard & Hard.NIGHT),
        dispute_id=disputed.id if disputed else "",
        dispute=disputed.state if disputed else None,
    )
