"""Counter-offers, waiting and proof over Redis replies amid kills: what the store took has its effect."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

from chaos.parts import LIMIT_S, Parts, until_ready, whole
from chaos.trial import Trial
from client.errors import Problem, Unreachable
from client.ops import OpsClient
from client.platform import PlatformClient
from client.streams import VendorStream
from contracts.codes import RequestState, Role, TrackingStatus
from contracts.counters import Counter
from contracts.dispatches import StatusUpdate
from contracts.events import CloudEvent
from contracts.proofs import ProofPart, ProofReport
from contracts.request_views import RequestView
from dispatcher.audit.auditor import audit
from dispatcher.settings import Markets, Settings
from dispatcher.store.connection import Reader, connect
from tests.e2e.conftest import MARKET, descendants, kill, reply_key, token
from tests.e2e.made import post, trip

VICTIMS = ("web", "matcher", "store")
EACH_ROUND, VENDOR, WISH_CENTS = 3, "v1", 99_900
PARTS = frozenset({ProofPart.PICKUP, ProofPart.DROPOFF})


async def kill_amid_replies(trial: Trial) -> None:
    """Web, matcher or store are killed amid a vendor's replies; counters, waiting and proofs are there."""
    settings = Settings(data_dir=trial.folder, port=0, markets=Markets.parse(f"{MARKET}=UTC"))
    async with whole(settings) as parts:
        await parts.start("supervisor")
        await until_ready(parts.url)
        async with Replies(trial, parts) as replies:
            for number in range(trial.rounds):
                await replies.round(VICTIMS[number % len(VICTIMS)])
                trial.over()
            await replies.judge()


class Replies:
    """A platform, and a vendor that does all its work over its two streams."""

    def __init__(self, trial: Trial, parts: Parts) -> None:
        self.trial, self.parts, self.chance = trial, parts, random.Random(trial.seed)
        self.platform = PlatformClient(
            parts.url, token(parts.settings, Role.PLATFORM), MARKET, total_timeout_s=LIMIT_S
        )
        self.ops = OpsClient(parts.url, token(parts.settings, Role.OPS), MARKET, total_timeout_s=LIMIT_S)
        key = reply_key(parts.settings, VENDOR)
        self.stream = VendorStream(parts.redis_url, MARKET, VENDOR, reply_key=key)
        self.acknowledged = list[str]()
        self.said = dict[str, set[str]]()  #: by offer, what the store has taken
        self._at_work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Replies:
        """The vendor is registered, and listens."""
        await post(self.ops, VENDOR, units=500)
        await self.stream.__aenter__()
        self._at_work = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *ended: object) -> None:
        if self._at_work is not None:
            self._at_work.cancel()
            await asyncio.gather(self._at_work, return_exceptions=True)
        await asyncio.gather(self.platform.close(), self.ops.close(), self.stream.close())

    async def round(self, victim: str) -> None:
        """Some rides; amid the replies to them one is killed; in the end all are done."""
        names = [f"r{self.chance.getrandbits(64):x}" for _ in range(EACH_ROUND)]
        for name in names:
            self.acknowledged += await self.platform.submit(trip(name))
        await asyncio.sleep(self.chance.uniform(0.0, 0.6))
        with self.trial.strike():
            kill(_process(self.parts.running["supervisor"].pid, victim), signal.SIGKILL)
            await asyncio.sleep(0.1)
            await until_ready(self.parts.url)
        async with asyncio.timeout(LIMIT_S):
            for name in names:
                while not await self._is_done(name):
                    await asyncio.sleep(0.05)

    async def judge(self) -> None:
        """By the audit, and by what ops reads of each dispatch."""
        client = connect(self.parts.redis_url)
        try:
            found = await audit(Reader(client), MARKET, self.acknowledged, streams=True, settle_s=0.5)
        finally:
            await client.aclose()
        self.trial.judged(found, self.acknowledged)
        if len(self.said) < len(self.acknowledged):
            self.trial.find(f"{len(self.said)} offers were answered of {len(self.acknowledged)} requests")
        for offer_id, said in self.said.items():
            if missing := said - await self._there(offer_id):
                self.trial.find(f"{MARKET}: lost: {offer_id} lacks {', '.join(sorted(missing))}")

    async def _there(self, offer_id: str) -> set[str]:
        view = await self.ops.view(offer_id.rpartition(".")[0])
        (attempt,) = (each for each in view.attempts if each.id == offer_id)
        price, proof = await self.ops.price(offer_id), await self.ops.proof(offer_id)
        found = {f"proof of {each.report.part}" for each in proof.parts}
        found |= {"a counter-offer"} if attempt.counter is not None else set()
        found |= {"a wait"} if any(each.until is not None for each in price.waits) else set()
        return found | ({"its end"} if view.state is RequestState.COMPLETED else set())

    async def _is_done(self, name: str) -> bool:
        if self._at_work is not None and self._at_work.done():
            self._at_work.result()
        view: RequestView | None = None
        with contextlib.suppress(Problem, Unreachable):
            view = await self.platform.view(name)
        return view is not None and view.state is RequestState.COMPLETED

    async def _listen(self) -> None:
        async for entry in self.stream.entries():
            event = cast(CloudEvent, entry.event)  # one that cannot be read is a finding: it ends this
            async for said in self._answered(event):
                self.said.setdefault(event.subject, set()).add(said)
            await self.stream.acknowledge(entry)

    async def _answered(self, event: CloudEvent) -> AsyncIterator[str]:
        """Reply to it; what each reply that the store took has to have done."""
        stream, offer_id, now = self.stream, event.subject, dt.datetime.now(dt.UTC)
        if event.type == "dispatch.offer.made":
            await stream.counter(offer_id, Counter(price_cents=WISH_CENTS), now)
            yield "a counter-offer"
            await stream.accept(offer_id, now)
        elif event.type == "dispatch.dispatch.confirmed":
            await stream.report(offer_id, StatusUpdate(status=TrackingStatus.AT_PICKUP), now)
            await stream.waiting(offer_id, now)
            await stream.ready(offer_id, dt.datetime.now(dt.UTC))
            yield "a wait"
            for part in sorted(PARTS):
                await stream.prove(offer_id, ProofReport(part=part), dt.datetime.now(dt.UTC))
                yield f"proof of {part}"
            done = StatusUpdate(status=TrackingStatus.COMPLETED)
            await stream.report(offer_id, done, dt.datetime.now(dt.UTC))
            yield "its end"


def _process(supervisor: int, role: str) -> int:
    """The child that has this role; the embedded server is `store`."""
    for each in sorted(descendants(supervisor)):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{each}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
            is_store = "valkey-server" in words[0] or "redis-server" in words[0]
            if is_store if role == "store" else role in words:
                return each
    raise AssertionError(f"there is no {role} to kill")
