"""Messages on a dispatch and on an episode: written, read, and marked as read by its parties."""

from __future__ import annotations

from contracts.base import Id, OfferId
from contracts.codes import Role
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
from dispatcher.domain.commands.threads import MarkRead, PostMessage
from dispatcher.domain.threads import SUBJECTS
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

MESSAGES = f"{MARKET}/dispatches/{{offer_id}}/messages"
OF_EPISODE = f"{MARKET}/episodes/{{episode_id}}/messages"
ROUTES = Routes("messages", 65, offer_id=OfferId, episode_id=Id)


OF_DISPATCH: frozenset[Role] = SUBJECTS[About.DISPATCH].parties
CARERS: frozenset[Role] = SUBJECTS[About.EPISODE].parties  # who cares for an episode: no vendor
THREAD = {200: Answer("the thread", ThreadView)}
MESSAGE = {200: Answer("the message", MessageView)}
MARKED = {200: Answer("up to where", ReadMark)}


@ROUTES.get(
    MESSAGES,
    id="listMessages",
    roles=OF_DISPATCH,
    query=ThreadQuery,
    answers=THREAD,
    problems=("wrong-state",),
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the messages on a dispatch, and who has read up to where; a vendor those on its own."""
    return await _shown(call, parts, About.DISPATCH, call.path["offer_id"])


@ROUTES.post(
    MESSAGES,
    id="postMessage",
    command=PostMessage,
    body=Body(PostedMessage),
    keyed=True,
    answers=MESSAGE,
    problems=("wrong-state", "invalid-request"),
)
async def post(call: Call, parts: Parts) -> Reply:
    """Write to the other parties of a dispatch; the text is encrypted at rest, events carry its id."""
    return await _posted(call, parts, About.DISPATCH, call.path["offer_id"])


@ROUTES.post(
    f"{MESSAGES}/read",
    id="markMessagesRead",
    command=MarkRead,
    body=Body(ReadUpTo, optional=True),
    answers=MARKED,
    problems=("wrong-state", "invalid-request"),
)
async def mark_read(call: Call, parts: Parts) -> Reply:
    """Say up to which message you have read; left out: all there are."""
    return await _marked(call, parts, About.DISPATCH, call.path["offer_id"])


@ROUTES.get(OF_EPISODE, id="listEpisodeMessages", roles=CARERS, query=ThreadQuery, answers=THREAD)
async def read_of_episode(call: Call, parts: Parts) -> Reply:
    """Read the messages on an episode, and who has read up to where; no vendor does."""
    return await _shown(call, parts, About.EPISODE, call.path["episode_id"])


@ROUTES.post(
    OF_EPISODE,
    id="postEpisodeMessage",
    roles=CARERS,
    body=Body(PostedMessage),
    keyed=True,
    answers=MESSAGE,
    problems=("invalid-request",),
)
async def post_on_episode(call: Call, parts: Parts) -> Reply:
    """Write to the others who care for an episode; the text is encrypted at rest, events carry its id."""
    return await _posted(call, parts, About.EPISODE, call.path["episode_id"])


@ROUTES.post(
    f"{OF_EPISODE}/read",
    id="markEpisodeMessagesRead",
    roles=CARERS,
    body=Body(ReadUpTo, optional=True),
    answers=MARKED,
    problems=("invalid-request",),
)
async def mark_read_of_episode(call: Call, parts: Parts) -> Reply:
    """Say up to which message of an episode you have read; left out: all there are."""
    return await _marked(call, parts, About.EPISODE, call.path["episode_id"])


async def _shown(call: Call, parts: Parts, about: About, name: str) -> Reply:
    threads = parts.service.threads
    return Reply(await threads.view(call.principal, call.market, about, name, call.query.after))


async def _posted(call: Call, parts: Parts, about: About, name: str) -> Reply:
    key = call.idempotency(f"message/{about}/{name}")
    assert key is not None  # noqa: S101  (the route needs one)
    threads, text = parts.service.threads, call.body.text
    return Reply(await threads.post(call.principal, call.market, about, name, text=text, idempotency=key))


async def _marked(call: Call, parts: Parts, about: About, name: str) -> Reply:
    command = MarkRead(about=about, subject_id=name, up_to=call.body.number)
    key = call.idempotency(f"read/{about}/{name}")
    return Reply(await parts.service.threads.mark_read(call.principal, call.market, command, key))
