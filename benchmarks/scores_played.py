"""A market of a few vendors, day by day: plans by the matcher's own functions, answers by drawn lots."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple, TypedDict

import numpy as np

from benchmarks.scores_market import (
    EASY,
    FARES,
    FIRST,
    HARD,
    TZ,
    VENDORS,
    open_request,
    requests_of,
    van_company,
)
from contracts.codes import DeclineCode, ServiceClass
from contracts.instants import HOUR_MS, to_ms
from contracts.requests import TripRequest
from contracts.tuning import Number
from contracts.vendors import Vendor
from dispatcher.domain.acceptance import Answer, Count, week_of
from dispatcher.domain.acceptance_sums import expected_of, tallied
from dispatcher.domain.acceptance_sums import summed as answers_of
from dispatcher.domain.damping import days_that_count, shares_of, summed, works_of
from dispatcher.domain.scorecards import Outcome, VendorLevel, months, shares
from solvers.acceptance import cell_of
from solvers.capacity.pools import PoolSupply, bits_of
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.planning import BatchPlan, Solver, plan
from solvers.rules import acceptance, scorecard
from solvers.rules.capacity import outward
from solvers.screening import OpenRequest

WAYS: Final = ("damped", "undamped", "none")
BEFORE, BAD = 10, 10  # days before the first bad day; bad days, usually
UNITS, ROUNDS = 3, 4  # vans of each vendor; how often what was declined is planned again on a day
VAN_HOUR_CENTS: Final = 2_600  # what an hour of a van costs: a hard ride is worth less to its vendor
EXTRA_MIN: Final = {EASY: 0, HARD: 45}


class Chances(NamedTuple):
    """How often an offer is declined, and work is late."""

    declines: float
    late: float


USUAL: Final = Chances(0.04, 0.05)
HARD_WORK: Final = Chances(0.06, 0.15)
BAD_DAY: Final = Chances(0.45, 0.6)


class Figures(TypedDict):
    """What came of it. Shares are of first offers; `over_honest`: what is earned beside the honest twin."""

    slump_share_before: float
    slump_share_bad: float
    slump_share_at_end: float
    slump_share_at_end_without: float  # had it had no bad days
    slump_came_back: float  # the one by the other
    picky_over_honest: float
    excused_over_honest: float
    earned_cents: dict[str, int]
    late_share: float
    declines_a_request: float


@dataclass
class Played:
    """One way, as it went."""

    days: list[int] = field(default_factory=list)  #: from 1, the first bad one
    offers: list[Counter[str]] = field(default_factory=list)  #: first offers of each day, by vendor
    earned: Counter[str] = field(default_factory=Counter)  #: cents after what the vans cost
    counted: Counter[str] = field(default_factory=Counter)

    def shares(self, vendor: str) -> list[float]:
        """Of the first offers, by day."""
        return [each[vendor] / max(1, each.total()) for each in self.offers]

    def figures(self, without: Played) -> Figures:
        """Means of five days where nothing else is said; `without`: the same, played without bad days."""
        usual = _mean(without.shares("slump")[-5:])
        slump, honest = self.shares("slump"), max(1, self.earned["honest"])
        return Figures(
            slump_share_before=_mean(slump[BEFORE - 5 : BEFORE]),
            slump_share_bad=_mean(slump[BEFORE + BAD - 5 : BEFORE + BAD]),
            slump_share_at_end=_mean(slump[-5:]),
            slump_share_at_end_without=usual,
            slump_came_back=round(_mean(slump[-5:]) / max(usual, 1e-9), 3),
            picky_over_honest=round(self.earned["picky"] / honest, 3),
            excused_over_honest=round(self.earned["excused"] / honest, 3),
            earned_cents=dict(sorted(self.earned.items())),
            late_share=round(self.counted["late"] / max(1, self.counted["done"]), 4),
            declines_a_request=round(self.counted["declined"] / max(1, self.counted["requests"]), 4),
        )


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(1, len(values)), 4)


def play(
    way: str,
    seed: int = 1,
    *,
    days: int = 30,
    requests: int = 96,
    bad: int = BAD,
    solver: Solver | None = None,
) -> Played:
    """All days, those before the first bad one too. `solver` None: the matcher's own fallback, greedy."""
    market = _Market(way, seed, bad, solver)
    for number in range(1 - BEFORE, days + 1):
        market.day(number, requests)
    return market.played


@dataclass
class _Market:
    way: str
    seed: int
    bad: int = BAD  #: days
    solver: Solver | None = None
    cards: dict[date, dict[VendorLevel, Counter[str]]] = field(default_factory=dict)
    answers: Counter[Answer] = field(default_factory=Counter)
    played: Played = field(default_factory=Played)

    def __post_init__(self) -> None:
        """Documents are the same every day."""
        self.vendors = [van_company(name, off) for name, off in VENDORS.items()]
        self.values: dict[str, Number] = (
            {scorecard.CENTS.name: 0, acceptance.CENTS.name: 0} if self.way == "none" else {}
        )

    def day(self, number: int, requests: int) -> None:
        """All its requests are planned in the morning; what is declined, again."""
        today = FIRST + timedelta(days=number - 1)
        known = {scorecard.RULE.reads: self._shares(today), acceptance.RULE.reads: self._expected(today)}
        round_, first = _Day(self, number, today, VendorBook.of(self.vendors, known)), Counter[str]()
        waiting = [open_request(each) for each in requests_of(self.seed, today, requests)]
        self.cards[today] = round_.cards
        for nth in range(ROUNDS):
            waiting = round_.offered(waiting, first if nth == 0 else Counter())
        self.played.days.append(number)
        self.played.offers.append(first)
        self.played.counted["requests"] += requests

    def _expected(self, today: date) -> Mapping[str, bytes]:
        """How likely each is to accept, of all answers of the days before."""
        if self.way == "undamped":  # the peer knew nothing of it
            return {}
        weeks = defaultdict[str, list[Count]](list)
        for each, number in self.answers.items():
            weeks[each.week].append(Count(each.vendor_id, each.cell, each.yes, number))
        told = {week: tallied(counts) for week, counts in weeks.items()}
        return expected_of(answers_of(told, _dawn_ms(today), self.values), self.values)

    def _shares(self, today: date) -> Mapping[str, float]:
        before = {day: each for day, each in self.cards.items() if day < today}
        if self.way == "undamped":
            return shares(_by_month(before, today), self.values)
        since = today - timedelta(days=days_that_count(self.values))
        works = {day: works_of(each) for day, each in before.items() if day > since}
        return shares_of(summed(works, today, self.values), self.values)


def _by_month(
    cards: Mapping[date, Mapping[VendorLevel, Counter[str]]], today: date
) -> Mapping[str, Counter[str]]:
    """Of this month and the one before, by vendor: as matching went by before."""
    wanted = months(to_ms(datetime(today.year, today.month, today.day, tzinfo=UTC)))
    found = defaultdict[str, Counter[str]](Counter)
    for day, counts in cards.items():
        for whose, card in counts.items() if f"{day:%Y-%m}" in wanted else ():
            found[whose.vendor_id].update(card)
    return found


@dataclass
class _Day:
    market: _Market
    number: int
    today: date
    book: VendorBook
    cards: dict[VendorLevel, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def __post_init__(self) -> None:
        """Nothing is booked yet."""
        self.horizon, vendors = Horizon.of(TZ, self.today, 2), len(self.book.vendors)
        nothing = PoolSupply.nothing(vendors, 1, self.horizon)
        self.supply = replace(
            nothing,
            serves=np.full_like(nothing.serves, bits_of(tuple(ServiceClass))),
            left=np.full_like(nothing.left, UNITS),
            daily_left=np.full_like(nothing.daily_left, 1_000),
        )

    def offered(self, waiting: Sequence[OpenRequest], first: Counter[str]) -> list[OpenRequest]:
        """Plan these and hear the answers; those that nobody has taken yet."""
        if not waiting:
            return []
        now_ms = _dawn_ms(self.today)
        screening = encode(
            waiting, self.book, self.supply, self.horizon, now_ms=now_ms, values=self.market.values
        )
        found = plan(screening, self.market.solver)
        left = dict(enumerate(waiting))
        for nth, row in enumerate(found.chosen.request.tolist()):
            vendor = self.book.vendors[int(found.chosen.vendor[nth])]
            first[vendor.id] += 1
            asked = waiting[row]
            if self._accepts(vendor.id, asked.request):
                self._taken(found, nth)
                self._works(vendor, asked.request, int(found.chosen.taken_ms[nth]))
                del left[row]
            else:
                left[row] = replace(asked, declined_by=asked.declined_by | {vendor.id})
        return list(left.values())

    def _accepts(self, vendor: str, request: TripRequest) -> bool:
        card, hard = self.cards[VendorLevel(vendor, request.service_class.value)], _is_hard(request)
        refuses = hard and vendor in ("picky", "excused")
        accepts = (
            not refuses and self._draw("answer", vendor, request) >= self._chances(vendor, hard).declines
        )
        self.market.answers[self._answer(vendor, request, yes=accepts)] += 1
        if accepts:
            card[Outcome.ACCEPTED] += 1
            return True
        code = DeclineCode.INVALID_SERVICE_HOURS if refuses and vendor == "excused" else DeclineCode.OTHER
        card[Outcome.DECLINED] += 1
        card[f"{Outcome.DECLINED}.{code}"] += 1
        self.market.played.counted["declined"] += 1
        return False

    def _answer(self, vendor: str, request: TripRequest, *, yes: bool) -> Answer:
        now_ms, window = _dawn_ms(self.today), request.wished_window
        assert window is not None  # noqa: S101  (they are made with one)
        level, opens = request.service_class.value, window.earliest
        cell = cell_of(level, to_ms(opens) - now_ms, opens.hour, opens.weekday())
        return Answer(vendor, week_of(now_ms), cell, yes)

    def _works(self, vendor: Vendor, request: TripRequest, taken_ms: int) -> None:
        late = self._draw("work", vendor.id, request) < self._chances(vendor.id, _is_hard(request)).late
        outcome = Outcome.LATE if late else Outcome.ON_TIME
        self.cards[VendorLevel(vendor.id, request.service_class.value)][outcome] += 1
        played, level = self.market.played, request.level_of_service
        hours = taken_ms / HOUR_MS + EXTRA_MIN[level] / 60
        played.earned[vendor.id] += round(FARES[level] - hours * VAN_HOUR_CENTS)
        played.counted.update({"done": 1, "late": int(late)})

    def _taken(self, found: BatchPlan, nth: int) -> None:
        one = found.chosen.only(np.array([nth]))
        first, end = outward(self.horizon, one.start_ms, one.start_ms + one.taken_ms, self.market.values)
        day = self.horizon.day_of(one.start_ms)
        self.supply = self.supply.less(one.vendor, one.resource, day, first, end)

    def _chances(self, vendor: str, hard: bool) -> Chances:
        if vendor == "slump" and 1 <= self.number <= self.market.bad:
            return BAD_DAY
        return HARD_WORK if hard else USUAL

    def _draw(self, what: str, vendor: str, request: TripRequest) -> float:
        return random.Random(f"{self.market.seed}/{what}/{vendor}/{request.id}").random()


def _dawn_ms(today: date) -> int:
    """When its requests are planned."""
    return to_ms(datetime(today.year, today.month, today.day, 5, tzinfo=UTC))


def _is_hard(request: TripRequest) -> bool:
    return request.level_of_service is HARD
