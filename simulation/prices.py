"""Who disputes what is charged: the platform, of some waits. Ops looks at each, and takes some back."""

from __future__ import annotations

import random

import msgspec

from client.errors import Problem
from client.ops import OpsClient
from client.platform import PlatformClient
from contracts.events import CloudEvent
from contracts.instants import MINUTE_MS
from contracts.prices import PriceChanged, PriceKind
from simulation.agenda import Agenda
from simulation.tally import Tally

DISPUTED, TAKEN_BACK = 0.3, 0.5  # of waits that cost something; of those that are disputed
LOOKS_MS, SETTLES_MS = 5 * MINUTE_MS, 15 * MINUTE_MS
MOVED_ON = frozenset({404, 409, 422})


class SimulatedDisputes:
    """A platform's clerk, and the one of ops who answers."""

    def __init__(
        self, platform: PlatformClient, ops: OpsClient, agenda: Agenda, tally: Tally, seed: int
    ) -> None:
        self.platform, self.ops, self.agenda, self.tally, self.seed = platform, ops, agenda, tally, seed
        self.looked_at = set[str]()

    def hear(self, event: CloudEvent) -> None:
        """Take one event in; a repeated one changes nothing."""
        if event.type != "dispatch.price.changed":
            return
        news = msgspec.convert(event.data, PriceChanged)
        kinds = [each.kind for each in news.price_lines]
        if PriceKind.WAITING not in kinds or news.waiting or news.offer_id in self.looked_at:
            return
        self.looked_at.add(news.offer_id)
        if self._draw("dispute", news.offer_id) < DISPUTED:
            line = kinds.index(PriceKind.WAITING) + 1
            self._later(LOOKS_MS, news.offer_id, line)

    def _later(self, after_ms: int, offer_id: str, line: int) -> None:
        self.agenda.at(self.agenda.clock.now_ms() + after_ms, lambda: self._dispute(offer_id, line))

    async def _dispute(self, offer_id: str, line: int) -> None:
        try:
            price = await self.platform.dispute(offer_id, line, "The ward says that nobody was waited for.")
        except Problem as problem:
            _refuse_strange(problem)
            return
        self.tally.disputed += 1
        due_ms, number = self.agenda.clock.now_ms() + SETTLES_MS, len(price.disputes)
        self.agenda.at(due_ms, lambda: self._settle(offer_id, number))

    async def _settle(self, offer_id: str, number: int) -> None:
        cents = 0 if self._draw("settle", offer_id) < TAKEN_BACK else None
        try:
            await self.ops.settle(offer_id, number, "The vehicle's track was looked at.", cents=cents)
        except Problem as problem:
            _refuse_strange(problem)
            return
        self.tally.settled += 1

    def _draw(self, what: str, offer_id: str) -> float:
        """By the offer: nothing else of the day changes with it."""
        return random.Random(f"{self.seed}/{what}/{offer_id}").random()


def _refuse_strange(problem: Problem) -> None:
    """Raises what is not for having moved on."""
    if problem.status not in MOVED_ON:
        raise problem
