"""Canary: a candidate tuning that decides in some hours, and ends by itself if it harms."""

from __future__ import annotations

from functools import partial

from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.tuning_canary import CanaryPlan, CanaryUpdate, CanaryView
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import changed, etag, removed

CANARY = f"{MARKET}/tuning/canary"
VIEW = {200: Answer("the canary", CanaryView, ETAG)}
ROUTES = Routes("tuning", 94)


@ROUTES.get(CANARY, id="getTuningCanary", roles={Role.OPS}, answers=VIEW)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the canary: when its candidate decides, what its guardrails see, and how it ended."""
    return _shown(await parts.service.tuning_canary.view(call.principal, call.market))


@ROUTES.post(
    f"{CANARY}/plan",
    id="planTuningCanary",
    roles={Role.OPS},
    body=Body(CanaryUpdate),
    answers={200: Answer("what it would be", CanaryPlan)},
    problems=("invalid-request",),
)
async def plan(call: Call, parts: Parts) -> Reply:
    """Plan a canary: how many days it needs to see what would be too much. Nothing begins."""
    return Reply(await parts.service.tuning_canary.plan(call.principal, call.market, call.body))


@ROUTES.put(
    CANARY,
    id="startTuningCanary",
    roles={Role.OPS},
    body=Body(CanaryUpdate),
    versioned=True,
    answers=VIEW,
    problems=("invalid-request", "wrong-state"),
)
async def start(call: Call, parts: Parts) -> Reply:
    """Begin a canary, from the market's next midnight on."""
    canary, who, market = parts.service.tuning_canary, call.principal, call.market

    async def current() -> int:
        return (await canary.view(who, market)).version

    return _shown(await changed(call, partial(canary.start, who, market, call.body), current))


@ROUTES.delete(CANARY, id="endTuningCanary", roles={Role.OPS}, versioned=True, answers=VIEW)
async def end(call: Call, parts: Parts) -> Reply:
    """Stop a canary that is under way; put one away that has ended."""
    canary, who, market = parts.service.tuning_canary, call.principal, call.market

    async def current() -> int:
        return (await canary.view(who, market)).version

    again = partial(canary.ended, who, market)
    return _shown(await removed(call, partial(canary.end, who, market), current, again))


def _shown(view: CanaryView) -> Reply:
    return Reply(view, headers=etag(view.version))
