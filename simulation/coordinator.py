"""The simulated coordinators: submit episodes, some twice; call for returns; act where care is late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial

import msgspec

from client.care import CareClient
from client.errors import PossibleDuplicate, Problem
from client.standing_orders import StandingOrderClient
from contracts.amendments import Amend
from contracts.codes import RequestState
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import EpisodeDraft, SequenceChanged
from contracts.events import CloudEvent
from contracts.geo import Window
from contracts.instants import MINUTE_MS
from simulation.agenda import Agenda
from simulation.episodes import Again, Episode
from simulation.tally import Tally

THINKS_MS = 5 * MINUTE_MS
CALLS_AGAIN_MS = 10 * MINUTE_MS
MADE_MS = 15 * MINUTE_MS  # until what a standing order makes is there
ENDED = frozenset({404, 409, 422})  # somebody, or time, was faster: on a slow machine windows go by
BEFORE_OTHERS = frozenset(
    {RequestState.CANCELLED, RequestState.FAILED, RequestState.NO_SHOW, RequestState.UNMATCHED}
)
PUT_OFF = timedelta(minutes=60)
WITHOUT_VENDOR = "predecessor_without_vendor"
GO_WITHOUT = "-bed"  # without a bed the patient goes home all the same; not without oxygen


class SimulatedCoordinator:
    """The coordinators of a hospital, with one desk; and the facility that calls when a patient is ready."""

    def __init__(
        self,
        episodes: Iterable[Episode],
        desk: CareClient,
        orders: StandingOrderClient,
        agenda: Agenda,
        tally: Tally,
    ) -> None:
        self.episodes, self.agenda, self.tally = tuple(episodes), agenda, tally
        self.desk, self.orders = desk, orders
        self.own = {name for each in self.episodes for name in each.ids}

    def plan(self) -> None:
        """Put every episode on the agenda."""
        for episode in self.episodes:
            self._at(episode.at_ms, self._begin, episode)

    async def listen(self) -> None:
        """Hear the market's events until cancelled."""
        async for received in self.desk.events(after="0-0"):
            self.hear(received.event)

    def hear(self, event: CloudEvent) -> None:
        """Who waits for something that will not be done is looked at, by a person, some minutes later."""
        if event.type == "dispatch.sequence.at_risk":
            news = msgspec.convert(event.data, SequenceChanged)
            if news.request_id in self.own:
                self._at(self.agenda.clock.now_ms() + THINKS_MS, self._decide, news.request_id)

    async def _begin(self, episode: Episode) -> None:
        if episode.order is not None:
            await self.desk.put_episode(episode.id, EpisodeDraft())
            await self.orders.put_standing_order(episode.order)
            self._at(self.agenda.clock.now_ms() + MADE_MS, self._join, episode)
        elif episode.whole is not None and (why := await self._refused(episode.whole)):
            self.tally.refused |= dict.fromkeys(episode.ids, why)
            return
        self.tally.began(episode.id, episode.ids)
        if episode.again is not None:
            self._at(episode.again.at_ms, self._once_more, episode, episode.again)
        if episode.call_ms:
            self._at(episode.call_ms, self._call, episode)

    async def _refused(self, whole: EpisodeSubmission) -> str:
        """Why it is not taken in; "" if it is. On a slow machine its windows have gone by."""
        try:
            await self.desk.submit_episode(whole)
        except Problem as problem:
            if problem.status != 422:
                raise
            return problem.reason
        return ""

    async def _join(self, episode: Episode) -> None:
        """What its standing order has made belongs to the episode; what is not there yet is awaited."""
        made = [name for name in episode.ids if await self._is_there(name)]
        for name in made:
            await self._try(self.desk.add_to_episode(episode.id, name))
        if len(made) < len(episode.ids) and self.agenda.clock.now_ms() < episode.call_ms:
            self._at(self.agenda.clock.now_ms() + MADE_MS, self._join, episode)

    async def _is_there(self, request_id: str) -> bool:
        return await self._state(request_id) is not None

    async def _state(self, request_id: str) -> RequestState | None:
        """None: its standing order has not made it yet, on a slow machine."""
        try:
            return (await self.desk.view(request_id)).state
        except Problem as problem:
            if problem.status != 404:
                raise
            return None

    async def _once_more(self, episode: Episode, again: Again) -> None:
        """Somebody else asks for the same; what is let through after all is a request like any other.

        Not before its standing order has made it: else it would be that which is left out as asked for twice.
        """
        if not await self._is_there(episode.ids[0]):
            if self.agenda.clock.now_ms() < episode.call_ms:
                self._at(self.agenda.clock.now_ms() + MADE_MS, self._once_more, episode, again)
            return
        self.tally.sent_twice += len(again.requests)
        try:
            self.tally.let_through.update(await self.desk.submit(again.requests))
        except PossibleDuplicate as problem:
            self.tally.caught += len({each.request_id for each in problem.duplicates})

    async def _call(self, episode: Episode) -> None:
        """The patient is ready, if the ride there came; the facility calls later where that is late."""
        there, back = episode.ids
        state = await self._state(there)
        if state is RequestState.COMPLETED:
            await self._try(self.desk.activate(back))
        elif state not in BEFORE_OTHERS:
            self._at(self.agenda.clock.now_ms() + CALLS_AGAIN_MS, self._call, episode)

    async def _decide(self, request_id: str) -> None:
        """Without oxygen nobody is sent home, without a bed they are; a way back without a way there is none.

        What has a vendor before what goes before it has one again is put off: there is more time to find one.
        """
        view = await self.desk.view(request_id)
        broken = [each.request for each in view.after if each.broken]
        if view.state in BEFORE_OTHERS | {RequestState.COMPLETED}:
            return
        if broken and all(name.endswith(GO_WITHOUT) for name in broken):
            for name in broken:
                self.tally.released.add((name, request_id))
                await self._try(self.desk.release_request(request_id, name))
        elif broken:
            await self._try(self.desk.cancel(request_id))
        elif view.at_risk == WITHOUT_VENDOR and view.match is not None and view.window is not None:
            earliest = view.match.start_at + PUT_OFF
            latest = max(view.window.latest, earliest + PUT_OFF)
            later = Amend(pickup_window=Window(earliest=earliest, latest=latest))
            await self._try(self.desk.amend(request_id, later))
            self.tally.put_off.add(request_id)

    async def _try(self, call: Awaitable[object]) -> None:
        try:
            await call
        except Problem as problem:
            if problem.status not in ENDED:
                raise

    def _at(self, due_ms: int, act: Callable[..., Awaitable[None]], *about: object) -> None:
        self.agenda.at(due_ms, partial(act, *about))
