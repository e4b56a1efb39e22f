"""A busy market, played through the service: every part of the store has been written to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.authorizations import Authorization
from contracts.barriers import BarrierCode
from contracts.caps import Cap, CapPeriod, Caps
from contracts.codes import CredentialKind, DeclineCode, Role, TrackingStatus
from contracts.episodes import EpisodeDraft
from contracts.instants import MINUTE_MS
from contracts.patients import Patient
from contracts.proofs import Picture, ProofPart, ProofReport
from contracts.requests import Request
from contracts.scorecards import AnswerScoreDispute, Disputable, NewScoreDispute
from contracts.standing_orders import StandingOrder
from contracts.tasks import TaskOutcome
from contracts.threads import About
from contracts.tuning import TuningUpdate
from contracts.unmatched import Unmatched
from contracts.vendors import Credential
from contracts.webhooks import DeliveryOutcome, NewWebhook
from contracts.what_if import WhatIfAnswer, WhatIfChange, WhatIfRequest
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.table import Command
from dispatcher.domain.commands.tasks import ClaimTask, FinishTask
from dispatcher.domain.commands.unmatched import ExplainUnmatched
from dispatcher.domain.fairness import group_of
from dispatcher.domain.proposal import Proposal
from dispatcher.jobs.credentials import note_credentials
from dispatcher.jobs.timers import Timers
from dispatcher.security.principal import Principal
from dispatcher.security.rings import KeyPrint, Ring
from dispatcher.service.papers import PaperAt
from dispatcher.service.proofs import Place
from dispatcher.service.service import Service
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from dispatcher.store.webhooks import Buried, Called, Progress, Sent
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.store.made import DAY, NOW_MS, PATIENT, booking, pools, trip, vendor, will_call

PLATFORM, OPS = (Principal.of(role, markets=None) for role in (Role.PLATFORM, Role.OPS))
CASE_MANAGER = Principal.of(Role.CASE_MANAGER, markets=None)
VENDOR = Principal.of(Role.VENDOR, markets=None, vendor_id="v1")
ACCEPTED = ("accepted", "riding", "done", "nobody", "late")
OFFERED = ("offered", "declined", *ACCEPTED)
NAMES = ("open", "explained", "cancelled", "called", *OFFERED)
START_MS = NOW_MS + 120 * MINUTE_MS
PDF = b"%PDF-1.7"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def of(name: str) -> Patient:
    """Whose request that is: one each."""
    return replace(PATIENT, record_number=f"MRN {name}")


def asked_as(name: str) -> Request:
    """As it comes in."""
    return will_call(name, of(name)) if name == "called" else trip(name, of(name))


COUNTS = ("requests", "changed", "anyway", "floor", "told")


class Busy:
    """One market under the service, with a clock that moves as its day is played."""

    def __init__(self, store: Store, market: MarketStore) -> None:
        self.store, self.market, self.name = store, market, market.name
        self.clock = ManualClock(NOW_MS)
        self.service = Service(store, self.clock, {market.name: ZoneInfo("UTC")}, Registry.found())
        self.timers = Timers(self.service)
        self.fence = ""

    async def call_webhook(self) -> None:
        """One is called: something was taken, something waits, something is a dead letter."""
        key = IdempotencyRecord.of("webhooks", "k1", b"body")
        wanted = NewWebhook(url="https://vendor.example/told")
        hook = await self.service.webhooks.make(VENDOR, self.name, wanted, key)
        part, stream = self.market.webhooks, self.market.keys.stream("v1")
        fence = await part.lease.acquire("matcher", 60_000) or ""
        sent = Sent(stream, "1-1", "r1", "dispatch.offer.made", "r1.1", "r1.2.0", NOW_MS)
        called = Called(NOW_MS, sent, DeliveryOutcome.DEAD, "msg_1", 7)
        progress, dead = Progress(position="1-1", replays=1), Buried(NOW_MS, sent)
        outcome = await part.flush(hook, fence, progress, waiting=[sent], called=[called], dead=[dead])
        assert outcome.ok

    async def open(self) -> None:
        """A vendor, its capacity, tuning, and a matcher."""
        assert await self.store.formats.problems([self.name]) == ()
        await self.service.vendors.put(OPS, self.name, vendor(), None)
        await self.service.capacity.put(OPS, self.name, "v1", DAY, pools(20), expected_version=None)
        update = TuningUpdate(values={"overdue_minutes": 10}, reason="a test")
        await self.service.tuning.put(OPS, self.name, update, None)
        most = Caps(caps=(Cap(payer="medicaid", period=CapPeriod.MONTH, trips=100),))
        await self.service.caps.put(CASE_MANAGER, self.name, "v1", most, 0)
        await self.wonder()
        self.fence = await self.market.lease.acquire("matcher", 60_000) or ""
        await self.market.jobs_lease.acquire("jobs", 60_000)
        await self.market.matchers.announce("matcher", 60_000)
        await self.market.rings.announce(Ring("web here:1", "dev", {"dev": "0a"}), 60_000)
        await self.market.rings.use(KeyPrint("dev", "0a"))

    async def wonder(self) -> None:
        """Ops has asked what if; there is an answer."""
        asked, nothing = WhatIfRequest(change=WhatIfChange()), dict.fromkeys(COUNTS, 0)
        await self.service.what_ifs.ask(OPS, self.name, "wi-1", asked, b"body")
        answer = WhatIfAnswer(against="now", verdict="", figures=(), groups=(), rows=(), **nothing)
        await self.market.what_ifs.keep_answer("wi-1", answer, 1)

    async def order(self) -> None:
        """A standing order that begins in a month: nothing of it is made yet."""
        first = trip("dialysis", of("dialysis"))
        assert first.pickup_window is not None
        begins = replace(
            first.pickup_window,
            earliest=first.pickup_window.earliest + timedelta(days=30),
            latest=first.pickup_window.latest + timedelta(days=30),
        )
        order = StandingOrder(request=replace(first, pickup_window=begins), rule="FREQ=WEEKLY")
        await self.service.standing_orders.put(PLATFORM, self.name, "dialysis", order, 0)

    async def authorize(self) -> None:
        """Ten rides of one patient, on which one draws."""
        issued = Authorization(
            number="A-1",
            payer="Medicaid",
            services=("wheelchair",),
            granted=10,
            first_day=DAY,
            last_day=DAY + timedelta(days=60),
            patient=of("done"),
        )
        await self.service.authorizations.put(CASE_MANAGER, self.name, "rides", issued, 0)

    async def submit(self, *names: str, draws: str = "") -> None:
        """They come in in one batch; one of them draws on the authorization."""
        kept = IdempotencyRecord.of("submit", " ".join(names), b"body")
        asked = [asked_as(each) for each in names]
        asked = [replace(each, authorization="rides") if each.id == draws else each for each in asked]
        asked = [replace(each, payer="medicaid") for each in asked]
        await self.service.requests.submit(PLATFORM, self.name, asked, kept)

    async def play(self) -> None:
        """Each request ends up in the state that it is called after, and people see to what needs them."""
        await self.open()
        await self.order()
        await self.call_webhook()
        await self.authorize()
        await self.submit(*NAMES, draws="done")
        draft = EpisodeDraft(requests=("done",))
        await self.service.episodes.put(PLATFORM, self.name, "discharge", draft, None)
        await self.matcher("explained", ExplainUnmatched, unmatched=Unmatched(vendors=1, last_rule="hours"))
        for name in OFFERED:
            await self.offer(name)
        for name in ACCEPTED:
            await self.give(VENDOR, AcceptOffer(offer_id=f"{name}.1"))
        await self.give(VENDOR, DeclineOffer(offer_id="declined.1", code=DeclineCode.OTHER))
        await self.give(PLATFORM, CancelRequest(request_id="cancelled"))
        self.clock.ms = START_MS
        for name in ("riding", "done"):
            await self.report(name, TrackingStatus.AT_PICKUP)
        await self.report("done", TrackingStatus.COMPLETED)
        await self.report("nobody", TrackingStatus.NO_SHOW)
        self.clock.ms = START_MS + 15 * MINUTE_MS
        while await self.timers.fire_due(self.name):
            pass
        await self.give(PLATFORM, ActivateRequest(request_id="called"))
        await self.prove()
        await self.dispute()
        await self.people()
        await self.words()
        await self.service.patient_reads.read(PLATFORM, self.name, "done", None)
        await self.papers()
        self.market.losses.note({(DAY.isoformat(), "others"): {"v1": 1}})
        await self.market.losses.write()
        await self.market.sending.tell(nothing=True)  # last: whoever hears it plans no notification

    async def papers(self) -> None:
        """The vendor's only paper runs out within days; ops has its document."""
        paper = Credential(kind=CredentialKind.BACKGROUND_CHECK, expires_on=DAY + timedelta(days=10))
        await self.service.vendors.put(OPS, self.name, replace(vendor(), credentials=(paper,)), None)
        assert await note_credentials(self.service, self.name) == 1
        at = PaperAt("v1", CredentialKind.BACKGROUND_CHECK)
        await self.service.papers.put(OPS, self.name, at, "application/pdf", PDF)

    async def prove(self) -> None:
        """What was done is proved, with a picture."""
        report, place = ProofReport(part=ProofPart.PICKUP), Place("done.1", ProofPart.PICKUP, Picture.PHOTO)
        await self.service.proofs.give(VENDOR, self.name, "done.1", report, None)
        await self.service.proofs.attach(VENDOR, self.name, place, "image/png", PNG)

    async def dispute(self) -> None:
        """What the vendor declined counts no more: it was right."""
        said = NewScoreDispute(
            offer_id="declined.1", outcome=Disputable.DECLINED, text="Canary Wren had called us herself"
        )
        cards, answer = self.service.scorecards, AnswerScoreDispute(upheld=True, reason="Canary Wren did")
        made = await cards.dispute(VENDOR, self.name, "v1", said, None)
        await cards.answer(OPS, self.name, "v1", made.id, said=answer, idempotency=None)

    async def people(self) -> None:
        """A task is claimed, commented and done; a command is repeated to no effect."""
        await self.give(PLATFORM, ClaimTask(task_id="nobody.no_show", by="kim"))
        await self.service.tasks.comment(
            PLATFORM, self.name, "nobody.no_show", by="kim", text="Canary Wren is at her daughter's"
        )
        done = FinishTask(
            task_id="nobody.no_show",
            by="kim",
            outcome=TaskOutcome.RESOLVED,
            barrier=BarrierCode.NO_ONE_AT_HOME,
        )
        for key in ("first", "second"):
            await self.give(PLATFORM, done, IdempotencyRecord.of("finish", key, b""))
        for who, text in ((PLATFORM, "Canary Wren waits at the side door"), (VENDOR, "Ten minutes")):
            kept = IdempotencyRecord.of("message", text, b"")
            await self.service.threads.post(
                who, self.name, About.DISPATCH, "riding.1", text=text, idempotency=kept
            )

    async def words(self) -> None:
        """Vendors' replies came over Redis, on every way there is, and cannot be used."""
        keys, streams = self.market.keys, self.store.streams
        for stream in (keys.shared_replies, keys.aside("v1"), keys.replies("v1")):
            await self.store.reader.ask("XADD", stream, "*", "ce", b"\xc1")
            await streams.ensure_group(stream, "replies")
            (entry,) = await streams.read_group(stream, "replies", "1")
        await self.market.dead_letters.bury(entry, "replies", "not MessagePack")
        await self.market.troubles.count("unreadable:body")
        await self.market.measures.add({"dispatcher_requests_ended:failed": 1})

    async def offer(self, name: str) -> None:
        """As the matcher does."""
        plan = Proposal(
            vendor=vendor(),
            pool_id="vans",
            start_ms=START_MS,
            end_ms=START_MS + 30 * MINUTE_MS,
            units=1,
            bookings=(booking(),),
            price_cents=4_500,
        )
        await self.matcher(name, MakeOffer, request=trip(name), proposal=plan, group=group_of(trip(name)))

    async def matcher(self, name: str, command: type[Command], **facts: Any) -> None:
        """What the matcher does with one request."""
        record = await self.market.requests.records.get(name)
        assert record is not None
        made: Command = command(request_id=name, **facts)
        outcome = await self.service.executor.attempt("matcher", self.name, made, record, fence=self.fence)
        assert outcome is not None
        assert outcome.ok, outcome

    async def report(self, name: str, status: TrackingStatus) -> None:
        """Its vendor says how the work goes."""
        await self.give(VENDOR, ReportStatus(offer_id=f"{name}.1", status=status))

    async def give(self, who: Principal, command: Command, kept: IdempotencyRecord | None = None) -> Any:
        """A command of somebody's."""
        return await self.service.execute(who, self.name, command, kept)
