"""What vendors do with offers and dispatches, drawn so that both sides of a comparison meet the same luck."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from contracts.codes import DeclineCode, ReportCode, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import MINUTE_MS, to_ms
from contracts.offers import Offer
from dispatcher.domain.scorecards import LATE_MINUTES, Outcome
from dispatcher.store.scorecards import Scorecard
from simulation import behaviour
from simulation.behaviour import ANSWER_LIMIT_S, ANSWER_SHARE, Answer, Reaction, Report

LEAST_WORKS = 20  # below, a vendor is taken for what all vendors of the market are together
FIELD = Counter(
    accepted=890, declined=80, expired=30, turned_back=15, late=70, on_time=780, no_show=20, failed=3,
    late_minutes=1_900,
)  # fmt: skip


class Answers(Protocol):
    """The vendors of a played day."""

    def anew(self) -> Answers:
        """As they are before the day begins: each side of a comparison has its own."""
        ...

    def reaction(self, offer: Offer, now_ms: int) -> Reaction:
        """The answer to an offer that is heard now."""
        ...

    def course(self, offer: Offer) -> Sequence[Report]:
        """What is reported of a dispatch."""
        ...


@dataclass(frozen=True)
class AsPlayed:
    """As the simulated vendors of the demo: the very same draws, so that a played day can be compared."""

    seed: int

    def anew(self) -> AsPlayed:
        """They keep nothing in mind."""
        return self

    def reaction(self, offer: Offer, now_ms: int) -> Reaction:
        """See `simulation.behaviour`."""
        return behaviour.reaction(offer, self.seed, now_ms)

    def course(self, offer: Offer) -> Sequence[Report]:
        """See `simulation.behaviour`."""
        return behaviour.course(offer, self.seed)


@dataclass(frozen=True)
class Rates:
    """How often a vendor's offers and dispatches end how."""

    declines: float
    silent: float
    turns_back: float
    no_show: float
    fails: float
    late: float
    late_minutes: float  # of one that is late, on average

    @classmethod
    def of(cls, card: Scorecard) -> Rates:
        """From a scorecard; what was declined for no fault of the vendor's is declined all the same."""
        offers = max(1, card[Outcome.ACCEPTED] + card[Outcome.DECLINED] + card[Outcome.EXPIRED])
        works = max(1, sum(card[each] for each in _WORKS))
        late_minutes = card[LATE_MINUTES] / max(1, card[Outcome.LATE])
        return cls(
            declines=card[Outcome.DECLINED] / offers, silent=card[Outcome.EXPIRED] / offers,
            turns_back=card[Outcome.TURNED_BACK] / works, no_show=card[Outcome.NO_SHOW] / works,
            fails=card[Outcome.FAILED] / works, late=card[Outcome.LATE] / works,
            late_minutes=late_minutes or 20.0,
        )  # fmt: skip


_WORKS = (Outcome.TURNED_BACK, Outcome.ON_TIME, Outcome.DONE, Outcome.LATE, Outcome.NO_SHOW, Outcome.FAILED)


def rates_of(scorecards: Mapping[str, Scorecard]) -> tuple[Mapping[str, Rates], Rates]:
    """By vendor, of those with work enough to tell; and of all the others, as the market is on the whole."""
    together = sum(scorecards.values(), Counter[str]())
    known = {name: Rates.of(card) for name, card in scorecards.items() if _offers(card) >= LEAST_WORKS}
    return known, Rates.of(together if _offers(together) >= LEAST_WORKS else FIELD)


def _offers(card: Scorecard) -> int:
    return card[Outcome.ACCEPTED] + card[Outcome.DECLINED] + card[Outcome.EXPIRED]


@dataclass(frozen=True)
class AsRecorded:
    """By each vendor's own outcomes. Drawn by request, vendor and how often that vendor had it before."""

    seed: int
    rates: Mapping[str, Rates]
    others: Rates
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)

    def anew(self) -> AsRecorded:
        """Nobody was asked yet."""
        return replace(self)

    def reaction(self, offer: Offer, now_ms: int) -> Reaction:
        """Accepted, declined with a code, or silence."""
        one = offer.request_id, offer.vendor_id
        self._asked[one] += 1
        rng, rates = self._rng("answer", offer), self._of(offer)
        draw = rng.random()
        silent = draw < rates.declines + rates.silent
        answer = Answer.DECLINE if draw < rates.declines else Answer.SILENCE if silent else Answer.ACCEPT
        open_ms = min(to_ms(offer.expires_at) - now_ms, ANSWER_LIMIT_S * 1000)
        waits_ms = int(rng.uniform(*ANSWER_SHARE) * max(open_ms, 0))
        return Reaction(answer, now_ms + waits_ms, DeclineCode.NO_VEHICLES_AVAILABLE)

    def course(self, offer: Offer) -> Sequence[Report]:
        """Turned back, or to the door (in time or late) and to its end."""
        rng, rates, start_ms = self._rng("course", offer), self._of(offer), to_ms(offer.start_at)
        fate, lateness = rng.random(), rng.random()
        if fate < rates.turns_back:
            at_ms = start_ms - rng.randint(45, 120) * MINUTE_MS
            return [_report(at_ms, TrackingStatus.TURNED_BACK, ReportCode.NO_VEHICLES_AVAILABLE)]
        if lateness < rates.late:
            start_ms += round(rates.late_minutes * rng.uniform(0.8, 1.2)) * MINUTE_MS
        begun = [_report(start_ms, TrackingStatus.AT_PICKUP)]
        if fate < rates.turns_back + rates.no_show:
            return [*begun, _report(start_ms + 5 * MINUTE_MS, TrackingStatus.NO_SHOW, ReportCode.NO_CLIENT)]
        if fate < rates.turns_back + rates.no_show + rates.fails:
            return [
                *begun,
                _report(start_ms + 5 * MINUTE_MS, TrackingStatus.FAILED, ReportCode.PROVIDER_ADMIN_CANCEL),
            ]
        done_ms = start_ms + offer.duration_minutes * MINUTE_MS
        return [*begun, _report(max(done_ms, start_ms + 6 * MINUTE_MS), TrackingStatus.COMPLETED)]

    def _rng(self, what: str, offer: Offer) -> random.Random:
        nth = self._asked[offer.request_id, offer.vendor_id]
        return random.Random(f"{self.seed}/{what}/{offer.request_id}/{offer.vendor_id}/{nth}")

    def _of(self, offer: Offer) -> Rates:
        return self.rates.get(offer.vendor_id, self.others)


def _report(at_ms: int, status: TrackingStatus, code: ReportCode | None = None) -> Report:
    return Report(at_ms, StatusUpdate(status=status, code=code))
