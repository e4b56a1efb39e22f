"""Episodes: put, submitted whole, read with everything about them; requests added and removed; notes."""

from __future__ import annotations

from functools import partial
from typing import cast

import msgspec

from contracts.base import Id
from contracts.episode_views import EpisodePage, EpisodeQuery, EpisodeSubmission, EpisodeView
from contracts.episodes import EpisodeDraft, Note
from contracts.operations import Answer, Body
from dispatcher.domain.refusals import PossibleDuplicate
from dispatcher.domain.rights import READERS, SUBMITTERS
from dispatcher.http.call import Call, Reply
from dispatcher.http.duplicates import with_pointers
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import POSTED, etag, posted
from dispatcher.store.idempotency import IdempotencyRecord

EPISODES = f"{MARKET}/episodes"
EPISODE = f"{EPISODES}/{{episode_id}}"
MEMBER = f"{EPISODE}/requests/{{request_id}}"
ARRANGERS = READERS
WHOLE = {200: Answer("the episode", EpisodeView, ETAG)}
ROUTES = Routes("episodes", 35, episode_id=Id, request_id=Id)


@ROUTES.get(
    EPISODES,
    id="listEpisodes",
    roles=READERS,
    query=EpisodeQuery,
    answers={200: Answer("a page", EpisodePage)},
)
async def list_episodes(call: Call, parts: Parts) -> Reply:
    """List open episodes, the oldest first."""
    found, cursor = await parts.service.episodes.page(call.principal, call.market, call.query)
    return Reply(EpisodePage(episodes=tuple(found), cursor=cursor or ""))


@ROUTES.post(
    EPISODES,
    id="submitEpisode",
    roles=SUBMITTERS,
    body=Body(EpisodeSubmission),
    keyed=True,
    answers={202: Answer("durable, with all its requests", EpisodeView, ETAG)},
    problems=("invalid-request", "possible-duplicate"),
)
async def submit(call: Call, parts: Parts) -> Reply:
    """Submit an episode with all its requests in one call, stored together or not at all."""
    whole: EpisodeSubmission = call.body
    key = cast(IdempotencyRecord, call.idempotency("episode", msgspec.msgpack.encode(whole)))
    try:
        await parts.service.episodes.submit(call.principal, call.market, whole, key)
    except PossibleDuplicate as refusal:
        raise with_pointers(refusal, whole.requests, parts.metrics) from None
    parts.metrics.accepted.inc(len(whole.requests))
    return await _whole(call, parts, whole.id, 202)


@ROUTES.put(
    EPISODE,
    id="putEpisode",
    roles=ARRANGERS,
    body=Body(EpisodeDraft),
    versioned=True,
    answers=POSTED,
    problems=("invalid-request",),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Make or change an episode of requests that are stored: which, in what sequence, whose."""
    who, market, name = call.principal, call.market, call.path["episode_id"]
    episodes = parts.service.episodes
    current = partial(episodes.version, who, market, name)
    return await posted(call, partial(episodes.put, who, market, name, call.body), current)


@ROUTES.get(EPISODE, id="getEpisode", roles=READERS, answers=WHOLE)
async def read(call: Call, parts: Parts) -> Reply:
    """Read everything about an episode: its requests, its sequence, what is open, what happened."""
    return await _whole(call, parts, call.path["episode_id"])


@ROUTES.put(MEMBER, id="addToEpisode", roles=ARRANGERS, answers=WHOLE, problems=("invalid-request",))
async def add(call: Call, parts: Parts) -> Reply:
    """Add a stored request to an episode."""
    name, request_id = call.path["episode_id"], call.path["request_id"]
    await parts.service.episodes.add(call.principal, call.market, name, request_id)
    return await _whole(call, parts, name)


@ROUTES.delete(MEMBER, id="removeFromEpisode", roles=ARRANGERS, answers=WHOLE)
async def remove(call: Call, parts: Parts) -> Reply:
    """Take a request out of an episode; what it goes after and before stands."""
    name, request_id = call.path["episode_id"], call.path["request_id"]
    await parts.service.episodes.remove(call.principal, call.market, name, request_id)
    return await _whole(call, parts, name)


@ROUTES.post(
    f"{EPISODE}/notes",
    id="noteOnEpisode",
    roles=READERS,
    body=Body(Note),
    answers=WHOLE,
    problems=("invalid-request",),
)
async def note(call: Call, parts: Parts) -> Reply:
    """Write a note on an episode; the text is encrypted at rest."""
    name = call.path["episode_id"]
    key = call.idempotency(f"note/{name}")
    await parts.service.episodes.note(call.principal, call.market, name, call.body.text, key)
    return await _whole(call, parts, name)


async def _whole(call: Call, parts: Parts, name: str, status: int = 200) -> Reply:
    view = await parts.service.episodes.view(call.principal, call.market, name)
    return Reply(view, status, headers=etag(view.version))
