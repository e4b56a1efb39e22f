"""The simulated platform: submits the day's requests, cancels a few, hears what becomes of them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Protocol

import msgspec

from client.errors import Problem
from client.platform import PlatformClient
from client.streams import MatchStream
from contracts.codes import RequestState
from contracts.events import CloudEvent, RequestChanged, RequestMatched, RequestUnmatched
from contracts.instants import MINUTE_MS
from simulation.agenda import Agenda
from simulation.day import Day, Submission, wanted_ms
from simulation.tally import Tally


class Clerk(Protocol):
    """Somebody at a desk who hears what the platform hears."""

    def hear(self, event: CloudEvent) -> None: ...


class SimulatedPlatform:
    """A hospital's platform backend."""

    def __init__(
        self,
        day: Day,
        client: PlatformClient,
        agenda: Agenda,
        tally: Tally,
        seed: int,
        *,
        clerks: Sequence[Clerk] = (),
    ) -> None:
        self.clerks = tuple(clerks)
        self.day, self.client, self.agenda, self.tally = day, client, agenda, tally
        self.rng = random.Random(f"{seed}/platform")
        self.imminent_within_ms = 60 * MINUTE_MS

    def plan(self) -> None:
        """Put every submission on the agenda."""
        for submission in self.day.submissions:
            self.agenda.at(submission.at_ms, lambda each=submission: self._submit(each))  # type: ignore[misc]

    async def _submit(self, submission: Submission) -> None:
        requests = submission.requests
        sent_s = time.monotonic()
        try:
            acknowledged = await self.client.submit(requests[0] if len(requests) == 1 else requests)
        except Problem as problem:
            if problem.status != 422:  # on a slow machine the window has gone by
                raise
            self.tally.refused |= dict.fromkeys([each.id for each in requests], problem.reason)
            return
        now_s = time.monotonic()
        self.tally.submit_ms.append(1000 * (now_s - sent_s))
        self.tally.acknowledged |= dict.fromkeys(acknowledged, now_s)
        for request in submission.requests:
            self.tally.saw_state(request.id, RequestState.RECEIVED, 0)
            if wanted_ms(request) - submission.at_ms <= self.imminent_within_ms:
                self.tally.imminent.add(request.id)
            if self.rng.random() < self.day.cancel_share:
                cancel_ms = self.rng.randint(submission.at_ms, wanted_ms(request))
                self.agenda.at(cancel_ms, lambda each=request.id: self._cancel(each))  # type: ignore[misc]

    async def _cancel(self, request_id: str) -> None:
        try:
            await self.client.cancel(request_id)
        except Problem as problem:
            if problem.status != 409:  # it has ended already
                raise

    async def listen(self) -> None:
        """Hear the market's events until cancelled."""
        async for received in self.client.events(after="0-0"):
            self.hear(received.event)

    async def listen_for_matches(self, matches: MatchStream) -> None:
        """Hear the matches on their Redis stream until cancelled."""
        async for batch in matches.batches():
            for entry in batch:
                if entry.event is not None and entry.event.type == "dispatch.request.matched":
                    self.tally.saw_match(msgspec.convert(entry.event.data, RequestMatched).match.request_id)
            await matches.acknowledge(*batch)

    def hear(self, event: CloudEvent) -> None:
        """Take one event in."""
        for clerk in self.clerks:
            clerk.hear(event)
        if event.type in {"dispatch.request.received", "dispatch.request.changed"}:
            changed = msgspec.convert(event.data, RequestChanged)
            self.tally.saw_state(changed.request_id, changed.state, changed.version)
        elif event.type == "dispatch.request.unmatched":
            gone = msgspec.convert(event.data, RequestUnmatched)
            self.tally.saw_state(gone.request_id, RequestState.UNMATCHED, 1 << 30)
