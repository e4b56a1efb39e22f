"""Shadow: a candidate tuning that plans each batch beside the one in force, and offers nothing."""

from __future__ import annotations

from functools import partial

from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.tuning_shadow import ShadowUpdate, ShadowView
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import changed, etag, removed

SHADOW = f"{MARKET}/tuning/shadow"
VIEW = {200: Answer("the shadow", ShadowView, ETAG)}
ROUTES = Routes("tuning", 93)


@ROUTES.get(SHADOW, id="getTuningShadow", roles={Role.OPS}, answers=VIEW)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the shadow: its candidate, and what it would have planned otherwise."""
    return _shown(await parts.service.tuning_shadow.view(call.principal, call.market))


@ROUTES.put(
    SHADOW,
    id="putTuningShadow",
    roles={Role.OPS},
    body=Body(ShadowUpdate),
    versioned=True,
    answers=VIEW,
    problems=("invalid-request",),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Let a candidate plan each batch beside what is in force; nothing of it is offered."""
    shadow, who, market = parts.service.tuning_shadow, call.principal, call.market

    async def current() -> int:
        return (await shadow.view(who, market)).version

    return _shown(await changed(call, partial(shadow.put, who, market, call.body), current))


@ROUTES.delete(SHADOW, id="deleteTuningShadow", roles={Role.OPS}, versioned=True, answers=VIEW)
async def delete(call: Call, parts: Parts) -> Reply:
    """Take the candidate away."""
    shadow, who, market = parts.service.tuning_shadow, call.principal, call.market

    async def current() -> int:
        return (await shadow.view(who, market)).version

    again = partial(shadow.deleted, who, market)
    return _shown(await removed(call, partial(shadow.delete, who, market), current, again))


def _shown(view: ShadowView) -> Reply:
    return Reply(view, headers=etag(view.version))
