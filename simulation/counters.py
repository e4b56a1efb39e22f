"""Counter-offers: what a vendor would do instead, and the coordinator who takes it or does not."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from client.care import CareClient
from client.errors import Problem
from contracts.counters import Counter, CounterChanged, CounterView
from contracts.events import CloudEvent
from contracts.instants import MINUTE_MS
from contracts.offers import Offer
from simulation.agenda import Agenda
from simulation.tally import Tally

THINKS_MS = 1 * MINUTE_MS
LATER_MINUTES = (5, 10)  # within the window, for most: taken by itself where it costs no more
BEYOND_MINUTES = (5, 15)  # the end of the window
DEARER = (1.05, 1.2)
DEAREST_SHARE, LATEST_MINUTES = 0.15, 10  # what a coordinator takes
MOVED_ON = frozenset({404, 409, 422})
Answering = Callable[[str, int], Awaitable[object]]


def countered(offer: Offer, seed: int, share: float) -> Counter | None:
    """What its vendor would rather do; None: it takes the offer as it is. Nothing else changes with it."""
    rng = random.Random(f"{seed}/counter/{offer.id}")
    if rng.random() >= share:
        return None
    draw = rng.random()
    if draw < 0.4:
        later = offer.start_at + timedelta(minutes=rng.choice(LATER_MINUTES))
        return (
            Counter(start_at=min(later, offer.window.latest))
            if offer.window.latest > offer.start_at
            else None
        )
    if draw < 0.7:
        return Counter(price_cents=round(offer.price_cents * rng.uniform(*DEARER)))
    return Counter(start_at=offer.window.latest + timedelta(minutes=rng.randint(*BEYOND_MINUTES)))


def agreed(offer: Offer, counter: Counter | None) -> Offer:
    """The work as its vendor has it: as it countered, or as it was offered."""
    if counter is None:
        return offer
    price = offer.price_cents if counter.price_cents is None else counter.price_cents
    return replace(offer, start_at=counter.start_at or offer.start_at, price_cents=price)


class SimulatedCounters:
    """The coordinator at whose desk counter-offers come in."""

    def __init__(self, desk: CareClient, agenda: Agenda, tally: Tally) -> None:
        self.desk, self.agenda, self.tally = desk, agenda, tally
        self.seen = set[tuple[str, int]]()

    def hear(self, event: CloudEvent) -> None:
        """Take one event in; a repeated one changes nothing."""
        if event.type != "dispatch.counter.made":
            return
        made = msgspec.convert(event.data, CounterChanged).counter
        if (made.offer_id, made.number) not in self.seen:
            self.seen.add((made.offer_id, made.number))
            self.agenda.at(self.agenda.clock.now_ms() + THINKS_MS, lambda: self._answer(made))

    async def _answer(self, made: CounterView) -> None:
        """What cannot be taken after all is refused: the offer stays good."""
        if is_fair(made) and await self._did(self.desk.take_counter, made):
            self.tally.desk["counters taken"] += 1
        elif await self._did(self.desk.refuse_counter, made):
            self.tally.desk["counters refused"] += 1

    async def _did(self, answer: Answering, made: CounterView) -> bool:
        try:
            await answer(made.offer_id, made.number)
        except Problem as problem:
            if problem.status not in MOVED_ON:
                raise
            return False
        return True


def is_fair(made: CounterView) -> bool:
    """Little later than was asked for, and not much dearer."""
    was_cents = made.price_cents - made.more_cents
    return made.outside_window_minutes <= LATEST_MINUTES and made.more_cents <= DEAREST_SHARE * max(
        was_cents, 0
    )
