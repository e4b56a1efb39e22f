"""What vendors do beside their work, and what is done about them: webhooks, papers, proofs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from contracts.codes import CredentialKind, RequestState
from contracts.instants import to_instant
from contracts.proofs import NotSigned, Picture, ProofPart, ProofReport, Signature
from contracts.vendors import Credential
from contracts.webhooks import NewWebhook, ReplayWebhook, WebhookState
from dispatcher.domain.commands.webhooks import (
    DisableWebhook,
    EnableWebhook,
    NoteWebhook,
    SendDeadAgain,
    Tried,
)
from dispatcher.domain.credentials import AGREED_FROM, beyond, near_end
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.requests import offer_id
from dispatcher.jobs.credentials import note_credentials
from dispatcher.service.proofs import Place
from dispatcher.store.idempotency import IdempotencyRecord
from tests.domain import make

if TYPE_CHECKING:
    from tests.service.care import Care

PNG = b"\x89PNG\r\n\x1a\n"
VENDOR_IDS = ("v0", "v1", "v2")
HOOK_DEEDS = (
    *("disable", "enable", "rotate", "replay", "test", "tried", "remove"),
    *("dead", "dead", "failing", "well", "again"),
)


class VendorDeeds:
    """A part of `Care`."""

    async def do_webhook(self: Any) -> None:
        """The platform's webhook is made, set in all the ways that there are, fails, and is well again."""
        care: Care = self
        world, hooks = care.world, care.world.service.webhooks
        about = (world.platform, world.market)
        known = await world.store.market(world.market).webhooks.all()
        care.count += 1
        key = IdempotencyRecord.of("hooks", str(care.count), b"")
        if not known:
            await hooks.make(*about, NewWebhook(url="https://platform.example/told"), key)
            return
        hook = care.chance.choice(known)
        match care.chance.choice(HOOK_DEEDS):
            case "rotate":
                await hooks.rotate(*about, hook.id, care.chance.choice((0, 2)), None)
            case "replay":
                await hooks.replay(*about, hook.id, ReplayWebhook(after="0-0"), None)
            case "test":
                await hooks.test(*about, hook.id, None)
            case "remove":
                await hooks.remove(*about, hook.id)
                await hooks.remove(*about, hook.id)  # said again
            case "disable":
                await hooks.execute(*about, DisableWebhook(webhook_id=hook.id), None)
            case "enable":
                await hooks.execute(*about, EnableWebhook(webhook_id=hook.id), None)
            case "again":
                await hooks.execute(*about, SendDeadAgain(webhook_id=hook.id), None)
            case noted:
                command = {
                    "tried": Tried(webhook_id=hook.id, events=hook.tests[:1]),
                    "dead": NoteWebhook(webhook_id=hook.id, state=hook.state, code="http_500", dead=True),
                    "failing": NoteWebhook(webhook_id=hook.id, state=WebhookState.FAILING, code="timeout"),
                    "well": NoteWebhook(webhook_id=hook.id, state=WebhookState.ACTIVE, well=True),
                }[noted]
                await world.service.executor.attempt("webhooks", world.market, command, hook)

    async def do_papers(self: Any) -> None:
        """A vendor's insurance is renewed, or is over soon; now and then nobody has looked at it yet."""
        care: Care = self
        world, name = care.world, care.chance.choice(VENDOR_IDS)
        days = care.chance.choice((-1, 0, 0, 1, 6, 8, 40, None))
        today = to_instant(world.clock.ms).date()
        kind = CredentialKind.AUTO_INSURANCE
        papers = () if days is None else (Credential(kind=kind, expires_on=today + timedelta(days=days)),)
        vendor = replace(make.vendor(name, assumed=name == "v0"), credentials=papers)
        await world.store.market(world.market).vendors.put(vendor)
        if care.chance.choice((True, True, False)):
            await note_credentials(world.service, world.market)

    async def do_prove(self: Any) -> None:
        """A vendor says that a part was done, with a picture of it or without."""
        care: Care = self
        states = {RequestState.ACCEPTED, RequestState.IN_PROGRESS, RequestState.COMPLETED}
        record = await care._record(states)
        if record.dispatch is None:
            raise NotFound("nobody has the work")
        name, who = offer_id(record, record.dispatch), care.world.vendor(record.dispatch.vendor_id)
        part = ProofPart.DROPOFF if record.kind == "trip" else ProofPart.DELIVERY
        signed = care.chance.choice((None, Signature(refused=NotSigned.UNABLE)))
        proofs, market = care.world.service.proofs, care.world.market
        await proofs.give(who, market, name, ProofReport(part=part, signature=signed), None)
        if care.chance.choice((True, False)):
            picture = PNG + bytes([care.chance.randint(0, 3)])
            await proofs.attach(who, market, Place(name, part, Picture.SIGNATURE), "image/png", picture)


async def not_noted(care: Care) -> list[str]:
    """Agreed work beyond a paper that was warned of, and that is nobody's: there is never any."""
    world = care.world
    stored, found = world.store.market(world.market), list[str]()
    watches = await stored.credentials.get_all()
    records = (await stored.requests.records.get_all(care.acknowledged)).values()
    context = make.context(now_ms=world.clock.ms)
    for name, watch in watches.items():
        warned = [each for each in watch.papers if each.step <= AGREED_FROM]
        due = near_end(warned, context)
        found += [
            each.offer_id
            for each in beyond(name, records, due, context.tz)
            if each.offer_id not in watch.beyond
        ]
    return found
