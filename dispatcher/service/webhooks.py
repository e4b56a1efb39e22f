"""Webhooks as their owners set and read them: a vendor its own, a platform the platform's, ops all."""

from __future__ import annotations

import base64
import secrets as chance
from collections.abc import Sequence

from contracts.codes import Role
from contracts.instants import to_instant, to_ms
from contracts.problems import InvalidMessage
from contracts.webhooks import (
    DeadDeliveryPage,
    DeliveryPage,
    DeliveryQuery,
    NewWebhook,
    ReplayWebhook,
    TestCall,
    WebhookForm,
    WebhookPage,
    WebhookQuery,
    WebhookSecret,
    WebhookSettings,
    WebhookState,
    WebhookView,
    refuse_unknown_types,
)
from dispatcher.domain.commands.table import Command
from dispatcher.domain.commands.webhooks import (
    ROLES,
    ChangeWebhook,
    MakeWebhook,
    NoteWebhook,
    RemoveWebhook,
    ReplayFrom,
    RotateWebhookSecret,
    TryWebhook,
)
from dispatcher.domain.refusals import NotAllowed, NotFound, Reused, WrongState, no_such
from dispatcher.domain.webhooks import MOST_OF_ONE, TEST, WebhookRecord, message_id
from dispatcher.runtime.addresses import Networks
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.execute import Executor, already_applied
from dispatcher.service.markets import Markets
from dispatcher.service.webhook_views import dead_delivery, delivery, webhook_view
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.webhooks import WebhookPart

OPS = frozenset({Role.OPS})
SECRET_BYTES, PREFIX = 32, "whsec_"


class Webhooks:
    """They raise NotFound for what is unknown or another's, InvalidMessage, WrongState, Unavailable."""

    def __init__(self, markets: Markets, executor: Executor, acts: Acts, networks: Networks) -> None:
        self.markets, self.executor, self.acts, self.networks = markets, executor, acts, networks

    async def make(
        self, who: Principal, market: str, wanted: NewWebhook, idempotency: IdempotencyRecord
    ) -> WebhookRecord:
        """A new one; under one key it is made once."""
        part, owner = self._part(who, market), await self._owner(who, market, wanted.vendor_id)
        form = wanted.form or WebhookForm.CLOUD_EVENTS
        self._refuse(wanted, owner, form)
        name = f"w{idempotency.digest}"
        was_made = await already_applied(self.markets.store(market), idempotency)
        if not was_made and await part.records.get(name) is not None:
            raise Reused(
                f"webhook {name} was made under this Idempotency-Key long ago\n"
                "Maybe use a new key for a new webhook."
            )
        if not was_made and await part.count(owner) >= MOST_OF_ONE:
            raise WrongState(
                f"there are {MOST_OF_ONE} webhooks of {owner or 'the platform'} already, as many as may be\n"
                "Maybe remove one, or choose more types of event for one."
            )
        command = MakeWebhook(
            webhook_id=name,
            vendor_id=owner,
            url=wanted.url,
            events=tuple(dict.fromkeys(wanted.events)),
            description=wanted.description,
            form=form,
            sealed=part.seal(name, chance.token_bytes(SECRET_BYTES)),
            begin=await part.now(owner),
        )
        return await self._execute(who, market, command, idempotency)

    async def change(
        self,
        who: Principal,
        market: str,
        webhook_id: str,
        wanted: WebhookSettings,
        idempotency: IdempotencyRecord | None,
    ) -> WebhookRecord:
        """Another URL, or other events, from now on."""
        hook = await self.get(who, market, webhook_id)
        form = wanted.form or hook.form
        self._refuse(wanted, hook.vendor_id, form)
        command = ChangeWebhook(
            webhook_id=webhook_id,
            url=wanted.url,
            events=tuple(dict.fromkeys(wanted.events)),
            description=wanted.description,
            form=form,
        )
        return await self._execute(who, market, command, idempotency)

    async def rotate(
        self,
        who: Principal,
        market: str,
        webhook_id: str,
        overlap_hours: int,
        idempotency: IdempotencyRecord | None,
    ) -> WebhookRecord:
        """Another secret; the one before signs beside it for so long."""
        part = self._part(who, market)
        sealed = part.seal(webhook_id, chance.token_bytes(SECRET_BYTES))
        command = RotateWebhookSecret(webhook_id=webhook_id, sealed=sealed, overlap_hours=overlap_hours)
        return await self._execute(who, market, command, idempotency)

    async def replay(
        self,
        who: Principal,
        market: str,
        webhook_id: str,
        wanted: ReplayWebhook,
        idempotency: IdempotencyRecord | None,
    ) -> WebhookRecord:
        """What followed is sent once more, under the ids that it had."""
        hook = await self.get(who, market, webhook_id)
        begin = wanted.after if wanted.after is not None else f"{to_ms(wanted.since) - 1}-0"  # type: ignore[arg-type]
        if hook.vendor_id and "~" in begin:
            raise InvalidMessage.at(
                "/after", "it is no position of a vendor's webhook\nMaybe of a platform's."
            )
        command = ReplayFrom(webhook_id=webhook_id, begin=begin)
        return await self._execute(who, market, command, idempotency)

    async def test(
        self, who: Principal, market: str, webhook_id: str, idempotency: IdempotencyRecord | None
    ) -> TestCall:
        """It is called once, within seconds; under one key once."""
        number = idempotency.digest if idempotency is not None else chance.token_urlsafe(12)
        event_id = f"test.{number}"
        await self._execute(who, market, TryWebhook(webhook_id=webhook_id, event_id=event_id), idempotency)
        return TestCall(event_id=event_id, webhook_id=message_id(market, TEST, event_id))

    async def execute(
        self, who: Principal, market: str, command: Command, idempotency: IdempotencyRecord | None
    ) -> WebhookRecord:
        """A command on one's own."""
        return await self._execute(who, market, command, idempotency)

    async def remove(self, who: Principal, market: str, webhook_id: str) -> None:
        """It is gone, with its log and its dead letters; also when it is said again."""
        stored = self.markets.store(market)
        done = IdempotencyRecord.of(f"RemoveWebhook/{who.caller}", webhook_id, b"")
        try:
            await self._execute(who, market, RemoveWebhook(webhook_id=webhook_id), done)
        except NotFound:
            if not await already_applied(stored, done):
                raise
        if await stored.webhooks.records.get(webhook_id) is not None:  # made anew under its key since
            await self._execute(who, market, RemoveWebhook(webhook_id=webhook_id), None)
        await stored.webhooks.forget(webhook_id)

    async def get(self, who: Principal, market: str, webhook_id: str) -> WebhookRecord:
        """One's own."""
        hook = await self._part(who, market).records.get(webhook_id)
        if hook is None:
            await self.markets.refuse_if_lost()
            raise _unknown(webhook_id)
        self._refuse_others(who, hook)
        return hook

    async def page(self, who: Principal, market: str, query: WebhookQuery) -> WebhookPage:
        """One's own, the oldest first; for ops those of all, or of one vendor."""
        owner = query.vendor_id if who.may(OPS) else who.vendor_id
        found, cursor = await self._part(who, market).page(owner, query.cursor, query.limit)
        return WebhookPage(webhooks=tuple(await self.views(market, found)), cursor=cursor or "")

    async def secret(self, who: Principal, market: str, webhook_id: str) -> WebhookSecret:
        """What to verify with. That ops reads one is kept."""
        hook, part = await self.get(who, market, webhook_id), self._part(who, market)
        plain = part.secrets(hook, self.executor.clock.now_ms())
        if who.may(OPS):
            entry = await self.acts.entry(who, market, "read_webhook_secret", "webhook", webhook_id)
            await self.markets.store(market).commit([entry])
        texts = [PREFIX + base64.b64encode(each).decode() for each in plain]
        until_ms = hook.secrets[1].until_ms if len(texts) > 1 else 0
        return WebhookSecret(
            secret=texts[0],
            previous=texts[1] if len(texts) > 1 else "",
            previous_until=to_instant(until_ms) if until_ms else None,
        )

    async def deliveries(
        self, who: Principal, market: str, webhook_id: str, query: DeliveryQuery
    ) -> DeliveryPage:
        """The log, the newest call first."""
        await self.get(who, market, webhook_id)
        found, cursor = await self._part(who, market).log(webhook_id, query.cursor, query.limit)
        shown = tuple(delivery(*each) for each in found)
        return DeliveryPage(deliveries=shown, cursor=cursor)

    async def letters(
        self, who: Principal, market: str, webhook_id: str, query: DeliveryQuery
    ) -> DeadDeliveryPage:
        """What is tried no more, the newest first."""
        await self.get(who, market, webhook_id)
        found, cursor = await self._part(who, market).dead(webhook_id, query.cursor, query.limit)
        shown = tuple(dead_delivery(*each) for each in found)
        return DeadDeliveryPage(letters=shown, cursor=cursor)

    async def forget_letters(
        self, who: Principal, market: str, webhook_id: str, letters: Sequence[str]
    ) -> DeadDeliveryPage:
        """They are listed no more; where none is left and all is taken, nobody needs to see to it either."""
        hook, part = await self.get(who, market, webhook_id), self._part(who, market)
        if who.may(OPS):
            entry = await self.acts.entry(who, market, "forget_dead_deliveries", "webhook", webhook_id)
            await self.markets.store(market).commit([entry])
        found = await part.letters(webhook_id, letters or None)
        await part.forget_letters(webhook_id, [name for name, _ in found])
        if hook.state is WebhookState.ACTIVE and not await part.count_dead(webhook_id):
            over = NoteWebhook(webhook_id=webhook_id, state=hook.state, well=True)
            await self.executor.attempt(who.acting_as(ROLES), market, over, hook)
        return await self.letters(who, market, webhook_id, DeliveryQuery())

    async def view(self, market: str, hook: WebhookRecord) -> WebhookView:
        """One of them."""
        return (await self.views(market, [hook]))[0]

    async def views(self, market: str, hooks: Sequence[WebhookRecord]) -> list[WebhookView]:
        """With what is kept beside."""
        part = self.markets.store(market).webhooks
        beside = await part.beside([each.id for each in hooks])
        return [webhook_view(each, kept) for each, kept in zip(hooks, beside, strict=True)]

    async def _execute(
        self, who: Principal, market: str, command: Command, idempotency: IdempotencyRecord | None
    ) -> WebhookRecord:
        async def prepare(record: WebhookRecord | None, wanted: Command) -> Command:
            if record is not None:
                self._refuse_others(who, record)
            return wanted

        hook: WebhookRecord = await self.executor.execute(who, market, command, idempotency, prepare=prepare)
        return hook

    async def _owner(self, who: Principal, market: str, vendor_id: str | None) -> str:
        """Whose it will be; "": the platform's."""
        if who.is_vendor:
            who.refuse_others(vendor_id or who.vendor_id)
            return who.vendor_id
        if vendor_id is None:
            return ""
        if not who.may(OPS):
            raise NotAllowed(
                "a vendor's webhook is for the vendor and ops to set\nMaybe leave vendor_id out."
            )
        if await self.markets.store(market).vendors.get(vendor_id) is None:
            raise no_such(f"vendor {vendor_id}")
        return vendor_id

    def _part(self, who: Principal, market: str) -> WebhookPart:
        self.markets.authorize(who, market)
        return self.markets.store(market).webhooks

    def _refuse(self, wanted: WebhookSettings, owner: str, form: WebhookForm) -> None:
        refuse_unknown_types(wanted.events, owner, form)
        why = self.networks.refusal(wanted.url)
        if why:
            raise InvalidMessage.at(
                "/url",
                f"this URL cannot be called: {why}\n"
                "Maybe the network is yours: then ops may allow it, DISPATCHER_WEBHOOK_NETWORKS.",
            )

    def _refuse_others(self, who: Principal, hook: WebhookRecord) -> None:
        if not who.may(OPS) and hook.vendor_id != who.vendor_id:
            raise _unknown(hook.id)


def _unknown(webhook_id: str) -> NotFound:
    return no_such(f"webhook {webhook_id}")
