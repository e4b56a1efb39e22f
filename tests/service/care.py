"""What care is made of, one deed at a time, by chance: episodes, bundles, sequence, authorizations and more.

Each is what its role would do over HTTP, on whatever stands at that moment. Whoever plays says what is drawn:
a state machine, or the players of a kill round.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.authorizations import Authorization
from contracts.barriers import BarrierCode
from contracts.codes import DeclineCode, LevelOfService, RequestState, Requirement, Role, TrackingStatus
from contracts.counters import Counter
from contracts.dispatches import StatusUpdate
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import After, Bundle, Edge, EpisodeDraft, SequenceKind
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.offers import Accept, Decline
from contracts.standing_orders import StandingOrder
from contracts.tasks import BY_ITSELF, TaskOutcome
from contracts.threads import About
from dispatcher.domain.authorizations import AUTHORIZATION_KIND, record_id
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.ask_window import AskForWindow
from dispatcher.domain.commands.authorizations import RevokeAuthorization
from dispatcher.domain.commands.barriers import RecordBarrier
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.domain.commands.standing_orders import (
    EndStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
    ShiftStandingOrder,
    SkipStandingOrder,
)
from dispatcher.domain.commands.tasks import ClaimTask, FinishTask, ReleaseTask
from dispatcher.domain.episodes import EPISODE_KIND
from dispatcher.domain.kinds import kind_named
from dispatcher.domain.links import Bounds, bounds
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.standing_orders import STANDING_ORDER
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.jobs.timers import Timers
from dispatcher.security.principal import Principal
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.listing import Cursor
from tests.domain import make
from tests.service.vendor_deeds import VendorDeeds
from tests.service.world import World

VENDORS = tuple(make.vendor(f"v{n}", assumed=n == 0) for n in range(3))
VALUES = {
    "authorization_equipment": 1,
    "authorization_stretcher": 1,
    "authorization_low_visits": 1,
    "overdue_limit": 2,
}
ORDER, AUTHORIZATION = "dialysis", "a1"
UTC = ZoneInfo("UTC")
SAID = tuple(each for each in TaskOutcome if each not in BY_ITSELF)
Drawn = TypeVar("Drawn")


class Chance(Protocol):
    """What is drawn."""

    def choice(self, some: Sequence[Drawn], /) -> Drawn: ...
    def randint(self, least: int, most: int, /) -> int: ...


class Care(VendorDeeds):
    """One market, and what was acknowledged there: requests, episodes, and (`kept`) what else by kind."""

    def __init__(self, world: World, chance: Chance) -> None:
        self.world, self.chance = world, chance
        self.acknowledged: list[str] = []
        self.kept = dict[str, set[str]]()
        self.episodes: list[str] = []
        self.count = 0
        self.coordinator = world.someone(Role.COORDINATOR)

    async def open(self, units: int = 20) -> None:
        """Vendors, and an authorization of two visits for whatever equipment there will be."""
        await self.world.open_with(*VENDORS, units=units)

    @property
    def deeds(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """All that may be done, by name."""
        names = [name for name in dir(type(self)) if name.startswith("do_")]
        return {name.removeprefix("do_"): getattr(self, name) for name in names}

    async def do_discharge(self) -> None:
        """Oxygen, a bed and a ride home after the oxygen, all in one call; now and then all or none."""
        self.count += 1
        name, ahead_ms = f"home{self.count}", self._ahead_ms()
        ids = (f"oxygen{self.count}", f"bed{self.count}", name)
        rides = [
            make.trip(each, ahead_ms=at_ms, patient=None)  # an episode is one patient's
            for each, at_ms in ((ids[1], ahead_ms), (name, ahead_ms + HOUR_MS))
        ]
        oxygen = replace(
            make.equipment(ids[0], ahead_ms=ahead_ms),
            authorization=AUTHORIZATION,
            patient=make.patient(ids[0]),
        )
        edges = (Edge(before=ids[0], after=name, least_lag_minutes=self.chance.choice((0, 10))),)
        decide_by = to_instant(self.world.clock.ms + self.chance.choice((20, 120)) * MINUTE_MS)
        whole = self.chance.choice((True, False))
        draft = EpisodeDraft(
            sequence=edges,
            bundle=Bundle.ALL_OR_NONE if whole else Bundle.INDEPENDENT,
            decide_by=decide_by if whole else None,
        )
        episode = EpisodeSubmission(id=self._episode_name(), requests=(oxygen, *rides), episode=draft)
        key = IdempotencyRecord.of("episodes", name, b"")
        await self.world.service.episodes.submit(self.coordinator, self.world.market, episode, key)
        self.acknowledged += ids
        self._keep_episode(episode.id)

    async def do_single(self) -> None:
        """A ride, by itself or after another; or there and back, the way back when somebody calls."""
        self.count += 1
        name, ahead_ms = f"ride{self.count}", self._ahead_ms()
        match self.chance.choice(("alone", "after", "along", "back", "back")):
            case "alone":
                legs = [make.trip(name, ahead_ms=ahead_ms)]
            case "back":
                legs = [
                    make.trip(name, ahead_ms=ahead_ms),
                    make.will_call(f"{name}-back", return_of=name, patient=make.patient(name)),
                ]
            case how:
                kind = SequenceKind.START_TO_START if how == "along" else SequenceKind.FINISH_TO_START
                most = self.chance.choice((None, 90))
                after = After(request=self._a_request(), kind=kind, most_lag_minutes=most)
                legs = [make.trip(name, ahead_ms=ahead_ms, after=(after,))]
        await self.world.submit(*legs, key=name, body=b"the same")
        self.acknowledged += [each.id for each in legs]

    async def do_arrange(self) -> None:
        """An episode is put, or a request comes to one or goes."""
        episodes, name = self.world.service.episodes, self._a_request()
        about = (self.coordinator, self.world.market, self._an_episode())
        match self.chance.choice(("add", "remove", "put", "new")):
            case "add":
                await episodes.add(*about, name)
            case "remove":
                await episodes.remove(*about, name)
            case "put":
                view = await episodes.view(*about)
                ids = tuple(each.id for each in view.requests)
                more = tuple(dict.fromkeys((*ids, name)))
                draft = EpisodeDraft(requests=self.chance.choice((ids, ids[1:], more)))
                await episodes.put(*about, draft, self.chance.choice((None, view.version)))
            case _:
                draft = EpisodeDraft(requests=(name,))
                await episodes.put(
                    self.coordinator, self.world.market, fresh := self._episode_name(), draft, 0
                )
                self._keep_episode(fresh)

    async def do_offer(self) -> None:
        """As the matcher does: one that stands alone, or all that is open of a bundle."""
        record = await self._record(OPEN)
        wanted = await self._bundle_of(record)
        fresh, decided_on = dict[str, Any](), list[tuple[MakeOffer, RequestRecord]]()
        for each in wanted:
            start_ms = self._start_ms(each, await self._bounds(each, fresh))
            vendor = self.chance.choice(VENDORS)
            plan = replace(
                make.proposal(each, vendor),
                start_ms=start_ms,
                end_ms=start_ms + 30 * MINUTE_MS,
                preconditions=await self.world.grounds(vendor.id),
            )
            command = MakeOffer(request_id=each.id, request=await self.world.body(each.id), proposal=plan)
            decided_on.append((command, each))
            fresh[each.id] = plan.span
        await self.world.service.executor.attempt_all(
            "matcher", self.world.market, decided_on, fence=self.world.fence
        )

    async def do_accept(self) -> None:
        """Its vendor takes on what it was asked for."""
        record = await self._record({RequestState.OFFERED})
        offer = self.chance.choice(record.live_offers)
        await self.world.accept(self.world.vendor(offer.vendor_id), offer_id(record, offer), Accept())

    async def do_decline(self) -> None:
        """A vendor does not take it, or gives it back."""
        record = await self._record({RequestState.OFFERED, RequestState.ACCEPTED})
        offer = self.chance.choice(record.live_offers)
        who, answer = self.world.vendor(offer.vendor_id), Decline(code=DeclineCode.OTHER)
        await self.world.decline(who, offer_id(record, offer), answer)

    async def do_counter(self) -> None:
        """A vendor would do it otherwise, or a person says what they think of that."""
        record = await self._record({RequestState.OFFERED})
        offer = self.chance.choice(record.live_offers)
        name, terms = offer_id(record, offer), offer.counter
        if terms is not None and self.chance.choice((True, False)):
            await self.world.answer_counter(name, terms.number, take=self.chance.choice((True, False)))
            return
        at = to_instant(offer.start_ms + self.chance.choice((5, 20, 60)) * MINUTE_MS)
        cents = offer.price_cents + 100
        said = self.chance.choice((Counter(start_at=at), Counter(start_at=at, price_cents=cents)))
        await self.world.counter(name, said, self.world.vendor(offer.vendor_id))

    async def do_report(self) -> None:
        """A vendor says how far it is."""
        record = await self._record({RequestState.ACCEPTED, RequestState.IN_PROGRESS})
        offer = self.chance.choice(record.live_offers)
        status = self.chance.choice((*TrackingStatus, TrackingStatus.COMPLETED, TrackingStatus.COMPLETED))
        who = self.world.vendor(offer.vendor_id)
        await self.world.report(who, offer_id(record, offer), StatusUpdate(status=status))

    async def do_complete(self) -> None:
        """What a vendor has taken on is done, at its time."""
        record = await self._record({RequestState.ACCEPTED, RequestState.IN_PROGRESS})
        offer = self.chance.choice(record.live_offers)
        self.world.clock.ms = max(self.world.clock.ms, offer.start_ms)
        who, done = self.world.vendor(offer.vendor_id), StatusUpdate(status=TrackingStatus.COMPLETED)
        await self.world.report(who, offer_id(record, offer), done)

    async def do_cancel(self) -> None:
        """The platform takes one back, now and then."""
        await self.world.cancel(self.world.platform, self._a_request())

    async def do_hold(self) -> None:
        """A person holds a request, or lets it go, or lets it go out of its sequence."""
        name, case_manager = self._a_request(), self.world.case_manager
        match self.chance.choice(("hold", "resume", "release")):
            case "hold":
                wanted = self.chance.choice((Requirement.AUTHORIZATION, Requirement.PREDECESSOR))
                who = case_manager if wanted is Requirement.AUTHORIZATION else self.coordinator
                await self._give(who, HoldRequest(request_id=name, requirement=wanted))
            case "resume":
                wanted = self.chance.choice((Requirement.AUTHORIZATION, Requirement.PREDECESSOR))
                who = case_manager if wanted is Requirement.AUTHORIZATION else self.coordinator
                await self._give(who, ResumeRequest(request_id=name, requirement=wanted))
            case _:
                await self._give(self.coordinator, ReleaseSequence(request_id=name))

    async def do_amend(self) -> None:
        """A request changes: its time, its end, its level; or its vendor says what it thinks of that."""
        record = await self._record(set(RequestState) - TERMINAL)
        if record.pending is not None and self.chance.choice((True, True, False)):
            await self.world.answer_amendment(record, agree=self.chance.choice((True, True, False)))
            return
        window = self.chance.choice((0, 5, -5))
        shifted = Window(
            earliest=to_instant(record.earliest_ms + window * MINUTE_MS),
            latest=to_instant(record.latest_ms + window * MINUTE_MS),
        )
        patches: tuple[Amend, ...] = (Amend(window=shifted), Amend(notes="x"))
        if record.kind == "trip":
            patches = (
                Amend(pickup_window=shifted),
                Amend(pickup_window=shifted),
                Amend(dropoff=Place(position=(-73.97, 40.78 + self.chance.randint(0, 9) / 1000))),
                Amend(level_of_service=LevelOfService.STRETCHER),
            )
        await self.world.amend(record.id, self.chance.choice(patches))

    async def do_call(self) -> None:
        """A way back is called."""
        names = [each for each in self.acknowledged if each.endswith("-back")] or [self._a_request()]
        minutes = self.chance.choice((None, 0, 90))
        ready_ms = None if minutes is None else self.world.clock.ms + minutes * MINUTE_MS
        name = self.chance.choice(names)
        await self._give(self.world.platform, ActivateRequest(request_id=name, ready_ms=ready_ms))

    async def do_authorize(self) -> None:
        """The authorization is issued, renewed with more or less, or (rarely) revoked."""
        stored = self.world.service.authorizations
        try:
            version = (await stored.get(self.world.case_manager, self.world.market, AUTHORIZATION)).version
        except NotFound:
            version = 0
        if version and self.chance.randint(0, 9) == 0:
            revoke = RevokeAuthorization(authorization_id=AUTHORIZATION)
            await stored.revoke(self.world.case_manager, self.world.market, revoke, None)
            return
        body = Authorization(
            number="A-1",
            payer="Medicaid",
            services=("equipment", "stretcher"),
            granted=self.chance.randint(1, 4),
            first_day=date(2026, 3, 1),
            last_day=date(2026, 3, 3),
            requests=tuple(self.acknowledged[-20:]) or ("nothing",),
        )
        await stored.put(self.world.case_manager, self.world.market, AUTHORIZATION, body, version)
        self.kept[AUTHORIZATION_KIND.name] = {record_id(AUTHORIZATION)}

    async def do_standing_order(self) -> None:
        """Dialysis every day, its way back by call: put, or changed in one of all the ways that there are."""
        service, about = self.world.service.standing_orders, (self.world.platform, self.world.market)
        day = to_instant(self.world.clock.ms).date() + timedelta(days=self.chance.randint(0, 16))
        on = {"order_id": ORDER, "tz": UTC}
        try:
            version = (await service.get(*about, ORDER)).version
        except NotFound:
            version = 0
        deeds = ("put", "skip", "skip", "shift", "pause", "resume", "resume", "end")
        match self.chance.choice(deeds) if version else "put":
            case "put":
                await service.put(*about, ORDER, self._dialysis(), version)
                self.kept[STANDING_ORDER.name] = {ORDER}
            case "skip":
                await self._give(self.world.platform, SkipStandingOrder(day=day, **on))
            case "shift":
                await self._give(self.world.platform, ShiftStandingOrder(day=day, minutes=30, **on))
            case "pause":
                await self._give(self.world.platform, PauseStandingOrder(**on))
            case "resume":
                await self._give(self.world.platform, ResumeStandingOrder(**on))
            case _ if self.chance.randint(0, 3) == 0:
                await self._give(self.world.platform, EndStandingOrder(**on))

    async def do_ask(self) -> None:
        """A wider window is asked of the platform."""
        name = self._a_request()
        record = await self.world.store.market(self.world.market).requests.records.get(name)
        if record is None:
            raise NotFound("it is not there any more")
        wider_ms = self.chance.choice((30, 60)) * MINUTE_MS
        window = {"earliest_ms": record.earliest_ms, "latest_ms": record.latest_ms + wider_ms}
        await self._give(self.world.ops, AskForWindow(request_id=name, **window))

    async def do_task(self) -> None:
        """A person claims a task, and puts it back or finishes it."""
        tasks = self.world.store.market(self.world.market).tasks.records
        lists = [
            f"tasks:{state}:{owner}"
            for state in ("open", "claimed")
            for owner in ("care_coordinator", "case_manager", "ops", "platform")
        ]
        page, _ = await tasks.page(lists, Cursor(0, ""), 20)
        if not page:
            raise NotFound("there is nothing to do")
        name, by = self.chance.choice(page).id, self.chance.choice(("ann", "bob"))
        await self._give(self.world.ops, ClaimTask(task_id=name, by=by))
        if self.chance.choice((True, False)):
            await self._give(self.world.ops, ReleaseTask(task_id=name, by=by))
            return
        outcome = self.chance.choice(SAID)
        await self._give(self.world.ops, FinishTask(task_id=name, by=by, outcome=outcome))

    async def do_speak(self) -> None:
        """A word to the vendor, a note on an episode, or what the barrier was."""
        self.count += 1
        match self.chance.choice(("thread", "note", "barrier")):
            case "thread":
                record = await self._record({RequestState.ACCEPTED, RequestState.IN_PROGRESS})
                name = offer_id(record, record.live_offers[0])
                key = IdempotencyRecord.of("thread", str(self.count), b"")
                await self.world.service.threads.post(
                    self.coordinator, self.world.market, About.DISPATCH, name, text="hello", idempotency=key
                )
            case "note":
                await self.world.service.episodes.note(
                    self.coordinator, self.world.market, self._an_episode(), "a word", None
                )
            case _:
                code = self.chance.choice(tuple(BarrierCode))
                await self._give(self.coordinator, RecordBarrier(request_id=self._a_request(), code=code))

    async def do_wait(self) -> None:
        """Time passes, and what is due fires."""
        self.world.clock.ms += self.chance.choice((1, 5, 20, 60, 180)) * MINUTE_MS
        await self.fire()

    async def fire(self) -> None:
        """Every timer that is due, until none is."""
        timers = Timers(self.world.service)
        for _ in range(40):
            if not await timers.fire_due(self.world.market):
                return
        raise AssertionError("timers fire for ever")

    async def lost(self) -> list[tuple[str, str]]:
        """What was acknowledged, beside requests, and is not there: each is kept for days beyond its end."""
        stored = self.world.store.market(self.world.market)
        kept = {kind: tuple(ids) for kind, ids in self.kept.items()}  # others go on meanwhile
        there = {kind: await stored.records(kind_named(kind)).get_all(ids) for kind, ids in kept.items()}
        return [(kind, name) for kind, ids in kept.items() for name in ids if name not in there[kind]]

    def forget(self, lost: Iterable[tuple[str, str]]) -> None:
        """A fail-over may lose the last of it."""
        for kind, name in lost:
            self.kept[kind].discard(name)

    def _keep_episode(self, name: str) -> None:
        self.episodes.append(name)
        self.kept.setdefault(EPISODE_KIND.name, set()).add(name)

    async def _give(self, who: Principal, command: Any) -> None:
        await self.world.service.execute(who, self.world.market, command)

    async def _record(self, states: set[RequestState] | frozenset[RequestState]) -> RequestRecord:
        stored = self.world.store.market(self.world.market).requests
        found = await stored.records.get_all([*self.acknowledged[-40:], *await self._occurrences()])
        some = [each for each in found.values() if each.state in states]
        if not some:
            raise NotFound("there is none")
        return self.chance.choice(some)

    async def _occurrences(self) -> list[str]:
        stored = self.world.store.market(self.world.market).standing_orders.records
        order = await stored.get(ORDER)
        return [] if order is None else [name for each in order.dealt[:2] for name in each.request_ids]

    async def _bundle_of(self, record: RequestRecord) -> list[RequestRecord]:
        """It, or all of its bundle that has no vendor; what goes before another first. Raises NotFound."""
        if record.bundle_until_ms <= self.world.clock.ms:
            return [record]
        market = self.world.store.market(self.world.market)
        episode = await market.requests.episodes.get(record.episode)
        found = await market.requests.records.get_all(episode.requests if episode else ())
        wanted = [
            each
            for each in found.values()
            if not each.live_offers and each.state is not RequestState.COMPLETED
        ]
        if any(each.state not in OPEN for each in wanted):
            raise NotFound("not all of the bundle is open")
        return sorted(wanted, key=lambda each: len(each.after))

    async def _bounds(self, record: RequestRecord, fresh: dict[str, Any]) -> Bounds:
        """When it may start, as far as what goes before it stands; what is offered with it, does so soon."""
        names = [link.request_id for link in record.after]
        found = await self.world.store.market(self.world.market).requests.records.get_all(names)
        within = bounds(record, found, {}) or Bounds()
        latest = max((fresh[name].end_ms for name in names if name in fresh), default=None)
        return within.within(Bounds(None if latest is None else latest + 10 * MINUTE_MS))

    def _start_ms(self, record: RequestRecord, within: Bounds) -> int:
        soonest = max(record.earliest_ms, within.not_before_ms or 0)
        return soonest + self.chance.choice((0, 0, 10)) * MINUTE_MS

    def _dialysis(self) -> StandingOrder:
        start = to_instant(self.world.clock.ms + 2 * HOUR_MS)
        window = Window(earliest=start, latest=start + timedelta(minutes=30))
        there = make.trip(ORDER, pickup_window=window, patient=make.patient(ORDER))
        back = replace(make.will_call(ORDER, patient=None))
        assert back.will_call is not None
        back = replace(back, will_call=replace(back.will_call, day=start.date()))
        return StandingOrder(request=there, return_ride=back, rule="FREQ=DAILY;COUNT=20")

    def _ahead_ms(self) -> int:
        return self.world.clock.ms - make.NOW + self.chance.choice((30, 60, 240)) * MINUTE_MS

    def _a_request(self) -> str:
        if not self.acknowledged:
            raise NotFound("there is no request")
        return self.chance.choice(self.acknowledged[-20:])

    def _an_episode(self) -> str:
        if not self.episodes:
            raise NotFound("there is no episode")
        return self.chance.choice(self.episodes[-10:])

    def _episode_name(self) -> str:
        """Of its own; or as one of its requests is called: ids are the platform's to choose."""
        return self.chance.choice((f"home{self.count}", f"e{self.count}"))
