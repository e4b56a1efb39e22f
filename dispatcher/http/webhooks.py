"""Webhooks: where a vendor or the platform is called with its events, and how calls went."""

from __future__ import annotations

from contracts.base import Id
from contracts.operations import Answer, Body
from contracts.webhooks import (
    DeadDeliveryPage,
    DeliveryPage,
    DeliveryQuery,
    ForgetDeadDeliveries,
    NewWebhook,
    ReplayWebhook,
    RotateSecret,
    SendWebhookAgain,
    TestCall,
    WebhookPage,
    WebhookQuery,
    WebhookSecret,
    WebhookSettings,
    WebhookView,
)
from dispatcher.domain.commands.webhooks import (
    ROLES,
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    MakeWebhook,
    OnWebhook,
    RemoveWebhook,
    ReplayFrom,
    RotateWebhookSecret,
    SendDeadAgain,
    TryWebhook,
)
from dispatcher.domain.webhooks import WebhookRecord
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

HOOKS = f"{MARKET}/webhooks"
HOOK = f"{HOOKS}/{{webhook_id}}"
VIEW = {200: Answer("the webhook", WebhookView)}
ROUTES = Routes("webhooks", 72, webhook_id=Id)


@ROUTES.get(
    HOOKS, id="listWebhooks", roles=ROLES, query=WebhookQuery, answers={200: Answer("a page", WebhookPage)}
)
async def list_webhooks(call: Call, parts: Parts) -> Reply:
    """List webhooks, the oldest first: a vendor its own, a platform the platform's, ops all."""
    return Reply(await parts.service.webhooks.page(call.principal, call.market, call.query))


@ROUTES.post(
    HOOKS,
    id="makeWebhook",
    command=MakeWebhook,
    body=Body(NewWebhook),
    keyed=True,
    answers={201: Answer("the webhook; its secret is read by itself", WebhookView)},
    problems=("wrong-state", "invalid-message"),
)
async def make(call: Call, parts: Parts) -> Reply:
    """Make a webhook: it is called with what is told from now on."""
    key = call.idempotency("MakeWebhook")
    assert key is not None  # noqa: S101  (the route is keyed)
    hook = await parts.service.webhooks.make(call.principal, call.market, call.body, key)
    return await _shown(call, parts, hook, 201)


@ROUTES.get(HOOK, id="getWebhook", roles=ROLES, answers=VIEW)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a webhook: how it does, what waits, how much is a dead letter."""
    hook = await parts.service.webhooks.get(call.principal, call.market, call.path["webhook_id"])
    return await _shown(call, parts, hook)


@ROUTES.put(
    HOOK,
    id="changeWebhook",
    command=ChangeWebhook,
    body=Body(WebhookSettings),
    answers=VIEW,
)
async def change(call: Call, parts: Parts) -> Reply:
    """Change a webhook: where it is called, and with which types of event."""
    name = call.path["webhook_id"]
    key = call.idempotency(f"ChangeWebhook/{name}")
    hook = await parts.service.webhooks.change(call.principal, call.market, name, call.body, key)
    return await _shown(call, parts, hook)


@ROUTES.delete(
    HOOK, id="removeWebhook", command=RemoveWebhook, answers={200: Answer("those that are left", WebhookPage)}
)
async def remove(call: Call, parts: Parts) -> Reply:
    """Remove a webhook, with what waits for it, its log and its dead letters."""
    name, hooks = call.path["webhook_id"], parts.service.webhooks
    await hooks.remove(call.principal, call.market, name)
    return Reply(await hooks.page(call.principal, call.market, WebhookQuery()))


@ROUTES.post(f"{HOOK}/enable", id="enableWebhook", command=EnableWebhook, answers=VIEW)
async def enable(call: Call, parts: Parts) -> Reply:
    """Enable a webhook: it hears what was told meanwhile, as far as that is kept."""
    return await _executed(call, parts, EnableWebhook(webhook_id=call.path["webhook_id"]))


@ROUTES.post(f"{HOOK}/disable", id="disableWebhook", command=DisableWebhook, answers=VIEW)
async def disable(call: Call, parts: Parts) -> Reply:
    """Disable a webhook: nothing is sent until it is enabled; how far it came is kept."""
    return await _executed(call, parts, DisableWebhook(webhook_id=call.path["webhook_id"]))


@ROUTES.get(
    f"{HOOK}/secret",
    id="getWebhookSecret",
    roles=ROLES,
    answers={200: Answer("what calls are signed with", WebhookSecret)},
)
async def secret(call: Call, parts: Parts) -> Reply:
    """Read what a webhook's calls are signed with; that ops reads it is kept."""
    found = await parts.service.webhooks.secret(call.principal, call.market, call.path["webhook_id"])
    return Reply(found, headers={"Cache-Control": "no-store"})


@ROUTES.post(
    f"{HOOK}/rotate-secret",
    id="rotateWebhookSecret",
    command=RotateWebhookSecret,
    body=Body(RotateSecret, optional=True),
    answers=VIEW,
    problems=("wrong-state",),
)
async def rotate(call: Call, parts: Parts) -> Reply:
    """Rotate a webhook's secret: for a while calls are signed with both, the new one first."""
    name, key = call.path["webhook_id"], call.idempotency(f"RotateWebhookSecret/{call.path['webhook_id']}")
    hours = call.body.overlap_hours
    hook = await parts.service.webhooks.rotate(call.principal, call.market, name, hours, key)
    return await _shown(call, parts, hook)


@ROUTES.post(
    f"{HOOK}/replay",
    id="replayWebhook",
    command=ReplayFrom,
    body=Body(ReplayWebhook),
    answers=VIEW,
)
async def replay(call: Call, parts: Parts) -> Reply:
    """Send once more what followed a position or an instant, under the ids that it had."""
    name, key = call.path["webhook_id"], call.idempotency(f"ReplayFrom/{call.path['webhook_id']}")
    hook = await parts.service.webhooks.replay(call.principal, call.market, name, call.body, key)
    return await _shown(call, parts, hook)


@ROUTES.post(
    f"{HOOK}/test",
    id="testWebhook",
    command=TryWebhook,
    answers={202: Answer("the call to come: the log of deliveries has it, by its event_id", TestCall)},
    problems=("wrong-state",),
)
async def test(call: Call, parts: Parts) -> Reply:
    """Call a webhook once with `dispatch.webhook.test`, to see whether that is taken; it is not retried."""
    name, key = call.path["webhook_id"], call.idempotency(f"TryWebhook/{call.path['webhook_id']}")
    return Reply(await parts.service.webhooks.test(call.principal, call.market, name, key), 202)


@ROUTES.get(
    f"{HOOK}/deliveries",
    id="listDeliveries",
    roles=ROLES,
    query=DeliveryQuery,
    answers={200: Answer("a page", DeliveryPage)},
)
async def deliveries(call: Call, parts: Parts) -> Reply:
    """List the last calls of a webhook, the newest first: what became of each, and when it is tried next."""
    name = call.path["webhook_id"]
    return Reply(await parts.service.webhooks.deliveries(call.principal, call.market, name, call.query))


@ROUTES.get(
    f"{HOOK}/dead-letters",
    id="listDeadDeliveries",
    roles=ROLES,
    query=DeliveryQuery,
    answers={200: Answer("a page", DeadDeliveryPage)},
)
async def letters(call: Call, parts: Parts) -> Reply:
    """List what a webhook did not take for as long as it is tried, the newest first."""
    name = call.path["webhook_id"]
    return Reply(await parts.service.webhooks.letters(call.principal, call.market, name, call.query))


@ROUTES.post(
    f"{HOOK}/dead-letters/forget",
    id="forgetDeadDeliveries",
    roles=ROLES,
    body=Body(ForgetDeadDeliveries, optional=True),
    answers={200: Answer("the newest that are left", DeadDeliveryPage)},
)
async def forget(call: Call, parts: Parts) -> Reply:
    """Let dead letters of a webhook go: those named, or all."""
    name, letters = call.path["webhook_id"], call.body.letters
    hooks = parts.service.webhooks
    return Reply(await hooks.forget_letters(call.principal, call.market, name, letters))


@ROUTES.post(
    f"{HOOK}/send-again",
    id="sendWebhookAgain",
    command=SendDeadAgain,
    body=Body(SendWebhookAgain, optional=True),
    answers=VIEW,
    problems=("wrong-state",),
)
async def send_again(call: Call, parts: Parts) -> Reply:
    """Send dead letters of a webhook once more: those named, or all."""
    return await _executed(
        call, parts, SendDeadAgain(webhook_id=call.path["webhook_id"], letters=call.body.letters)
    )


async def _executed(call: Call, parts: Parts, command: OnWebhook) -> Reply:
    key = call.idempotency(f"{type(command).__name__}/{command.webhook_id}")
    hook = await parts.service.webhooks.execute(call.principal, call.market, command, key)
    return await _shown(call, parts, hook)


async def _shown(call: Call, parts: Parts, hook: WebhookRecord, status: int = 200) -> Reply:
    return Reply(await parts.service.webhooks.view(call.market, hook), status)
