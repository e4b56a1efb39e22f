"""Care amid kills: episodes, bundles, sequence, amendments, will-calls, a standing order, an authorization.

Coordinator and case manager work over HTTP beside the day's platform, on its requests and on some of their
own.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random

from msgspec.structs import replace

from chaos.papers import Filing
from chaos.parts import Parts
from chaos.proofs import Proving
from client.care import CareClient
from client.errors import Problem
from client.ops import OpsClient
from client.standing_orders import StandingOrderClient
from contracts.amendments import Amend
from contracts.authorizations import Authorization
from contracts.codes import LevelOfService, Role
from contracts.episodes import Bundle, Edge, EpisodeDraft
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.offer_modes import OfferMode
from contracts.patients import Patient
from contracts.requests import EquipmentOrder, Request, TripRequest
from contracts.standing_orders import StandingOrder
from contracts.will_call import WillCall
from dispatcher.domain.states import TERMINAL
from simulation.cast import Cast
from simulation.day import Day, Submission, instant, wanted_ms
from simulation.fleet import CENTRE

NEEDED = {
    "authorization_equipment": 1,
    "retention_hours": 8_760,  # where the machine is slow the day lasts for days, and all of it is judged
}
AUTHORIZATION, ORDER, OWN = "payer-1", "care-dialysis", "care-"
NAMED = 4  # one request in so many has a patient that can be told from others
GRANTED, PAUSE_S = 1_000, 0.05
MODES = (None, OfferMode.BROADCAST, None, OfferMode.CASCADE)  # one after the other
IMPOSSIBLE = frozenset({404, 409, 412, 422, 428})  # what was refused: it had moved on
NEAR = (CENTRE[0] + 0.02, CENTRE[1] + 0.02)


def in_care(day: Day) -> Day:
    """The day, its equipment drawing on an authorization; most of its patients known by a name alone.

    Those may be in one episode: nobody can say that they are two. Its requests are offered in every mode.
    """
    submissions = tuple(
        Submission(
            each.at_ms,
            tuple(
                _asked_otherwise(_known_by_name(_authorized(one), number), number) for one in each.requests
            ),
        )
        for number, each in enumerate(day.submissions)
    )
    return Day(**(vars(day) | {"submissions": submissions, "tuning": NEEDED}))


def _authorized(request: Request) -> Request:
    if isinstance(request, EquipmentOrder):
        return replace(request, authorization=AUTHORIZATION)
    return request


def _asked_otherwise(request: Request, number: int) -> Request:
    """Some are put to several vendors at once, some down a chain, the others as their vendors answer."""
    return replace(request, offer_mode=MODES[number % len(MODES)])


def _known_by_name(request: Request, number: int) -> Request:
    if number % NAMED == 0 or request.patient is None:
        return request
    return replace(request, patient=replace(request.patient, phone="", record_number=""))


class Care:
    """What is done beside the day; `acknowledged` are requests of its own, `episodes` those that were put."""

    def __init__(self, parts: Parts, cast: Cast, seed: int) -> None:
        day = cast.day
        self.parts, self.cast, self.day, self.chance = parts, cast, day, random.Random(f"{seed}/care")
        self.coordinator, self.manager = (
            CareClient(parts.url, cast.token_of(role, ""), day.market)
            for role in (Role.COORDINATOR, Role.CASE_MANAGER)
        )
        secret = cast.token_of(Role.PLATFORM, "")
        self.orders = StandingOrderClient(parts.url, secret, day.market)
        self.ops = OpsClient(parts.url, cast.token_of(Role.OPS, ""), day.market)
        self.proving = Proving(self.ops, cast, self.chance)
        self.filing = Filing(self.ops, cast, self.chance)
        for each in (self.coordinator, self.manager, self.orders, self.ops):
            each.total_timeout_s = cast.client.total_timeout_s
        self.acknowledged: list[str] = []
        self.episodes = dict[str, tuple[str, ...]]()
        self.done = 0
        self._wanted = {each.id: wanted_ms(each) for each in day.requests}

    async def __aenter__(self) -> Care:
        """What the day's equipment draws on; dialysis for five days."""
        await self._renew()
        await self.orders.put_standing_order(
            StandingOrder(request=self._ride(ORDER, 30 * HOUR_MS), rule="FREQ=DAILY;COUNT=5")
        )
        return self

    async def __aexit__(self, *ended: object) -> None:
        await asyncio.gather(
            self.coordinator.close(), self.manager.close(), self.orders.close(), self.ops.close()
        )

    async def go(self) -> None:
        """One deed after the other, until cancelled; what is refused had moved on."""
        deeds = (
            self._arrange,
            self._arrange,
            self._amend,
            self._round_trip,
            self._call,
            self._renew,
            self._price,
            self.proving.prove,
            self.filing.file,
        )
        while True:
            try:
                await self.chance.choice(deeds)()
                self.done += 1
            except Problem as problem:
                if problem.status not in IMPOSSIBLE:
                    raise
            await asyncio.sleep(PAUSE_S)

    async def lost(self) -> list[str]:
        """What is not there, or not with what was acknowledged of it: episodes, order, pictures, papers."""
        gone = []
        for name, ids in self.episodes.items():
            try:
                there = {each.id for each in (await self.coordinator.episode(name)).requests}
            except Problem:
                there = set[str]()
            if not there.issuperset(ids):
                gone.append(f"episode {name} has {sorted(there)} of {ids}")
        order = await self.orders.standing_order(ORDER)
        made = [name for each in order.made for name in each.request_ids]
        if len(set(made)) < len(made):
            gone.append(f"standing order {ORDER} made {made}")
        await self.manager.authorization(AUTHORIZATION)
        return gone + await self.proving.lost() + await self.filing.lost()

    def _open(self) -> list[str]:
        """The day's requests that are at work and in no episode; by when they are wanted."""
        taken = {name for ids in self.episodes.values() for name in ids}
        states = self.cast.tally.states
        going = [each for each in self._wanted if each in states and states[each] not in TERMINAL]
        return sorted((each for each in going if each not in taken), key=self._wanted.__getitem__)

    async def _arrange(self) -> None:
        """Two requests become an episode: in sequence where their times allow; now and then all or none."""
        if len(some := self._open()) < 2:
            return
        first, second = sorted(self.chance.sample(some, 2), key=self._wanted.__getitem__)
        apart = self._wanted[second] - self._wanted[first] > 2 * HOUR_MS
        whole = self.chance.random() < 0.2
        draft = EpisodeDraft(
            requests=(first, second),
            sequence=(Edge(before=first, after=second),) if apart else (),
            bundle=Bundle.ALL_OR_NONE if whole else Bundle.INDEPENDENT,
            decide_by=self._at(30 * MINUTE_MS) if whole else None,
        )
        name = f"episode{len(self.episodes)}-{self.chance.getrandbits(32):x}"
        await self.coordinator.put_episode(name, draft)
        self.episodes[name] = draft.requests

    async def _amend(self) -> None:
        """A ride goes elsewhere."""
        rides = [each for each in self._open() if each.startswith("ride")]
        if rides:
            place = Place(position=(NEAR[0] + self.chance.random() / 100, NEAR[1]))
            await self.coordinator.amend(self.chance.choice(rides), Amend(dropoff=place))

    async def _round_trip(self) -> None:
        """There at a time, back when somebody calls."""
        if len(self.acknowledged) > 40:
            return
        name = f"{OWN}{self.chance.getrandbits(48):x}"
        there = self._ride(name, 6 * HOUR_MS)
        assert there.pickup_window is not None
        day = there.pickup_window.earliest.astimezone(self.day.tz).date()
        back = replace(
            there,
            id=f"{name}-back",
            pickup_window=None,
            will_call=WillCall(day=day),
            return_of=name,
            pickup=there.dropoff,
            dropoff=there.pickup,
        )
        self.acknowledged += await self.coordinator.submit([there, back])

    async def _call(self) -> None:
        """A way back is called."""
        if backs := [each for each in self.acknowledged if each.endswith("-back")]:
            await self.coordinator.activate(self.chance.choice(backs))

    async def _price(self) -> None:
        """Ops disputes a line of a dispatch, or settles one."""
        name = self.chance.choice(sorted(self._wanted))
        view = await self.coordinator.view(name)
        for each in (one for one in view.attempts if one.price_lines):
            price = await self.ops.price(each.id)
            waiting = [one.number for one in price.disputes if not one.settled_at]
            if waiting:
                await self.ops.settle(each.id, waiting[0], "looked at", cents=self.chance.randrange(9_000))
            else:
                await self.ops.dispute(each.id, self.chance.randint(1, len(price.price_lines)), "too dear")

    async def _renew(self) -> None:
        """The authorization is issued, or renewed."""
        try:
            version = (await self.manager.authorization(AUTHORIZATION)).version
        except Problem:
            version = None
        whole = Authorization(
            number="A-1",
            payer="Medicaid",
            services=("equipment",),
            granted=GRANTED + self.chance.randrange(100),
            first_day=self.day.date - dt.timedelta(days=3),
            last_day=self.day.date + dt.timedelta(days=30),
            requests=("order-0001",),
        )
        await self.manager.put_authorization(AUTHORIZATION, whole, version=version)

    def _ride(self, name: str, ahead_ms: int) -> TripRequest:
        window = Window(earliest=self._at(ahead_ms), latest=self._at(ahead_ms + 30 * MINUTE_MS))
        return TripRequest(
            id=name,
            pickup=Place(position=CENTRE),
            dropoff=Place(position=NEAR),
            level_of_service=LevelOfService.AMBULATORY,
            pickup_window=window,
            patient=Patient(name="Nobody Example", phone="+1-555-0100", record_number=f"MRN-{name}"),
        )

    def _at(self, ahead_ms: int) -> dt.datetime:
        return instant(self.cast.clock.now_ms() + ahead_ms, self.day.tz)
