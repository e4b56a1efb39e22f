"""Tuning: a market's parameters, read and replaced by version; its versions, compared and brought back."""

from __future__ import annotations

from functools import partial

from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.tuning import TuningUpdate, TuningView
from contracts.tuning_parameters import Measuring, ParameterPage
from contracts.tuning_versions import (
    DiffQuery,
    Restore,
    TuningDiff,
    TuningVersions,
    VersionNumber,
    VersionQuery,
)
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import changed, etag

TUNING = f"{MARKET}/tuning"
VERSION = f"{TUNING}/versions/{{version}}"
ROUTES = Routes("tuning", 90, version=VersionNumber)


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


@ROUTES.get(
    f"{TUNING}/parameters",
    id="listTuningParameters",
    roles={Role.OPS},
    answers={200: Answer("all parameters", ParameterPage)},
)
async def parameters(call: Call, parts: Parts) -> Reply:
    """List every parameter: value, bounds, who reads it, what a nudge would have moved on a saved day."""
    return Reply(await parts.service.tuning.parameters(call.principal, call.market))


@ROUTES.post(
    f"{TUNING}/parameters/measure",
    id="measureTuningParameters",
    roles={Role.OPS},
    answers={202: Answer("measured once nothing more pressing is solved", Measuring)},
)
async def measure(call: Call, parts: Parts) -> Reply:
    """Have what each parameter does measured now, on the last day with saved batches, today included."""
    return Reply(await parts.service.tuning.measure(call.principal, call.market), status=202)


@ROUTES.get(
    f"{TUNING}/versions",
    id="listTuningVersions",
    roles={Role.OPS},
    query=VersionQuery,
    answers={200: Answer("a page", TuningVersions)},
)
async def versions(call: Call, parts: Parts) -> Reply:
    """List the versions that are kept, the newest first, with who made each, why, and what it changed."""
    return Reply(await parts.service.tuning.versions(call.principal, call.market, call.query))


@ROUTES.get(
    VERSION,
    id="getTuningVersion",
    roles={Role.OPS},
    answers={200: Answer("the version", TuningView)},
)
async def version(call: Call, parts: Parts) -> Reply:
    """Read a version: what it set, and of every other parameter the default as it is now."""
    return Reply(await parts.service.tuning.version(call.principal, call.market, call.path["version"]))


@ROUTES.get(
    f"{VERSION}/diff",
    id="diffTuningVersions",
    roles={Role.OPS},
    query=DiffQuery,
    answers={200: Answer("what changes", TuningDiff)},
)
async def diff(call: Call, parts: Parts) -> Reply:
    """Compare a version with another, or with the one that stands."""
    to = call.query.to
    return Reply(await parts.service.tuning.diff(call.principal, call.market, call.path["version"], to))


@ROUTES.post(
    f"{VERSION}/restore",
    id="restoreTuningVersion",
    roles={Role.OPS},
    body=Body(Restore),
    versioned=True,
    answers={200: Answer("the tuning", TuningView, ETAG)},
    problems=("invalid-request",),
)
async def restore(call: Call, parts: Parts) -> Reply:
    """Bring back a version as a new one, over the version that If-Match names."""
    who, market, tuning = call.principal, call.market, parts.service.tuning

    async def current() -> int:
        return (await tuning.get(who, market)).version

    change = partial(tuning.restore, who, market, call.path["version"], call.body)
    view = await changed(call, change, current)
    return Reply(view, headers=etag(view.version))
