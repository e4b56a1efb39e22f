"""Messages on a dispatch: written, read, and marked as read by its parties."""

from __future__ import annotations

from contracts.base import OfferId
from contracts.operations import Answer, Body
from contracts.threads import (
    About,
    MessageView,
    PostedMessage,
    ReadMark,
    ReadUpTo,
    ThreadQuery,
    ThreadView,
)
from dispatcher.domain.commands.threads import PARTIES, MarkRead, PostMessage
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

MESSAGES = f"{MARKET}/dispatches/{{offer_id}}/messages"
ROUTES = Routes("messages", 65, offer_id=OfferId)


@ROUTES.get(
    MESSAGES,
    id="listMessages",
    roles=PARTIES,
    query=ThreadQuery,
    answers={200: Answer("the thread", ThreadView)},
    problems=("wrong-state",),
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the messages on a dispatch, and who has read up to where; a vendor those on its own."""
    name, after = call.path["offer_id"], call.query.after
    return Reply(await parts.service.threads.view(call.principal, call.market, About.DISPATCH, name, after))


@ROUTES.post(
    MESSAGES,
    id="postMessage",
    command=PostMessage,
    body=Body(PostedMessage),
    keyed=True,
    answers={200: Answer("the message", MessageView)},
    problems=("wrong-state", "invalid-request"),
)
async def post(call: Call, parts: Parts) -> Reply:
    """Write to the other parties of a dispatch; the text is encrypted at rest, events carry its id."""
    name = call.path["offer_id"]
    key = call.idempotency(f"message/{About.DISPATCH}/{name}")
    assert key is not None  # noqa: S101  (the route needs one)
    threads, text = parts.service.threads, call.body.text
    message = await threads.post(
        call.principal, call.market, About.DISPATCH, name, text=text, idempotency=key
    )
    return Reply(message)


@ROUTES.post(
    f"{MESSAGES}/read",
    id="markMessagesRead",
    command=MarkRead,
    body=Body(ReadUpTo, optional=True),
    answers={200: Answer("up to where", ReadMark)},
    problems=("wrong-state", "invalid-request"),
)
async def mark_read(call: Call, parts: Parts) -> Reply:
    """Say up to which message you have read; left out: all there are."""
    name = call.path["offer_id"]
    command = MarkRead(about=About.DISPATCH, subject_id=name, up_to=call.body.number)
    key = call.idempotency(f"read/{About.DISPATCH}/{name}")
    return Reply(await parts.service.threads.mark_read(call.principal, call.market, command, key))
