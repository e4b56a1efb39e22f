"""Tuning: a market's parameters, read and replaced by version."""

from __future__ import annotations

from functools import partial

from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.tuning import TuningUpdate, TuningView
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import changed, etag

TUNING = f"{MARKET}/tuning"
ROUTES = Routes("tuning", 90)


@ROUTES.get(
    TUNING,
    id="getTuning",
    roles={Role.OPS},
    answers={200: Answer("the tuning", TuningView, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read every parameter with its value, bounds and unit."""
    view = await parts.service.tuning.get(call.principal, call.market)
    return Reply(view, headers=etag(view.version))


@ROUTES.put(
    TUNING,
    id="putTuning",
    roles={Role.OPS},
    body=Body(TuningUpdate),
    versioned=True,
    answers={200: Answer("the tuning", TuningView, ETAG)},
    problems=("invalid-request",),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Replace all overrides; what is left out goes back to its default."""
    who, market, tuning = call.principal, call.market, parts.service.tuning

    async def current() -> int:
        return (await tuning.get(who, market)).version

    view = await changed(call, partial(tuning.put, who, market, call.body), current)
    return Reply(view, headers=etag(view.version))
