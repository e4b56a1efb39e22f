"""Simulated vendors of whom each has a temper: what it likes to take, when, and how far ahead.

All tempers are drawn, none is fitted: vendors differ on the whole and in what they like beside that; what
nobody likes (stretchers, nights, short notice) is liked less by all; and now and then one is another from a
day on. How likely an offer is to be accepted follows from that alone; the service only sees the answers.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from math import exp
from zoneinfo import ZoneInfo

from contracts.codes import DeclineCode
from contracts.instants import to_ms
from contracts.offers import Offer
from dispatcher.domain.acceptance import Answer, Count, week_of
from simulation import behaviour
from simulation.behaviour import ANSWER_LIMIT_S, ANSWER_SHARE, Reaction, Report
from solvers.acceptance import Cell, cell_of
from solvers.screening import CLASS_INDEX

SILENT = 0.27  #: of those who do not accept, as in the field: 3 % beside 8 %
LIKES, SPREAD, BESIDE = 2.6, 1.1, 0.6  #: log-odds: on the whole, between vendors, in each thing for itself
SHUNNED = {"level": {CLASS_INDEX["stretcher"]: 1.0}, "hour": {0: 1.0, 3: 0.5}, "lead": {0: 0.6}}
CHANGES = 0.25  #: of the vendors are another from one day on


@dataclass(frozen=True)
class Tempers:
    """The true shares of all vendors."""

    seed: int

    def share(self, vendor_id: str, cell: Cell, day: int = 0) -> float:
        """How likely that vendor accepts an offer in a cell on a day, counted from the first."""
        changed = day >= _changes_on(self.seed, vendor_id)
        return _share(self.seed, f"{vendor_id}{'/another' if changed else ''}", cell)


@cache
def _changes_on(seed: int, vendor_id: str) -> int:
    draw = random.Random(f"{seed}/{vendor_id}/changes")
    return draw.randint(20, 60) if draw.random() < CHANGES else 10**6


@cache
def _share(seed: int, who: str, cell: Cell) -> float:
    odds = LIKES + SPREAD * random.Random(f"{seed}/{who}").gauss(0, 1)
    for name, value in zip(Cell._fields, cell, strict=True):
        odds += BESIDE * random.Random(f"{seed}/{who}/{name}/{value}").gauss(0, 1)
        odds -= SHUNNED.get(name, {}).get(value, 0.0)
    return 1.0 / (1.0 + exp(-odds))


@dataclass(frozen=True)
class Asked:
    """One offer of before, with its answer."""

    day: int
    answer: Answer
    share: float  #: how likely a yes was


def history(
    tempers: Tempers, vendors: Sequence[str], days: int, first: date, offers_a_day: float
) -> list[Asked]:
    """So many days of offers: vendors of all sizes, by day and night, soon and far ahead."""
    found = []
    for vendor_id in vendors:
        rng = random.Random(f"{tempers.seed}/asked/{vendor_id}")
        size = offers_a_day * rng.choice((0.2, 0.5, 1.0, 2.3))
        levels = ["wheelchair", "ambulatory", *(["stretcher"] if rng.random() < 0.5 else [])]
        for day in range(days):
            on = first + timedelta(days=day)
            at_ms = int(datetime(on.year, on.month, on.day, 12, tzinfo=UTC).timestamp() * 1000)
            for _ in range(int(size) + (rng.random() < size % 1)):
                hour = rng.choices(range(24), weights=[1] * 6 + [6] * 13 + [2] * 5)[0]
                lead_ms = rng.choice((1, 3, 12, 30)) * 3_600_000
                cell = cell_of(rng.choice(levels), lead_ms, hour, on.weekday())
                share = tempers.share(vendor_id, cell, day)
                found.append(Asked(day, Answer(vendor_id, week_of(at_ms), cell, rng.random() < share), share))
    return sorted(found, key=lambda each: each.day)


def counted(asked: Sequence[Asked]) -> dict[str, list[Count]]:
    """As the store has it, by week."""
    found = dict[str, list[Count]]()
    for each, number in Counter(one.answer for one in asked).items():
        found.setdefault(each.week, []).append(Count(each.vendor_id, each.cell, each.yes, number))
    return found


@dataclass(frozen=True)
class ByTemper:
    """The vendors of a played day. Drawn by request, vendor and how often that vendor had it before."""

    tempers: Tempers
    tz: ZoneInfo
    day: int  #: since the tempers' first
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)

    def anew(self) -> ByTemper:
        """Nobody was asked yet."""
        return replace(self)

    def reaction(self, offer: Offer, now_ms: int) -> Reaction:
        """Accepted, declined, or silence."""
        one = offer.request_id, offer.vendor_id
        self._asked[one] += 1
        rng = random.Random(f"{self.tempers.seed}/{one}/{self._asked[one]}")
        level = offer.level_of_service.value if offer.level_of_service else "equipment"
        opens_ms = to_ms(offer.window.earliest)
        opens = datetime.fromtimestamp(opens_ms / 1000, self.tz)
        cell = cell_of(level, opens_ms - now_ms, opens.hour, opens.weekday())
        yes = rng.random() < self.tempers.share(offer.vendor_id, cell, self.day)
        no = behaviour.Answer.SILENCE if rng.random() < SILENT else behaviour.Answer.DECLINE
        open_ms = min(to_ms(offer.expires_at) - now_ms, ANSWER_LIMIT_S * 1000)
        waits_ms = int(rng.uniform(*ANSWER_SHARE) * max(open_ms, 0))
        answer = behaviour.Answer.ACCEPT if yes else no
        return Reaction(answer, now_ms + waits_ms, DeclineCode.NO_VEHICLES_AVAILABLE)

    def course(self, offer: Offer) -> Sequence[Report]:
        """As those of the demo."""
        return behaviour.course(offer, self.tempers.seed)
