"""Saved sets of tuning, and sliders."""

from __future__ import annotations

from functools import partial

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.tuning_sets import MovedSliders, MoveSliders, SavedSet, SavedSets, SetUpdate, Sliders
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import changed, etag, removed

SETS = f"{MARKET}/tuning/sets"
SET = f"{SETS}/{{name}}"
MOVING = f"{MARKET}/tuning/sliders"
ROUTES = Routes("tuning", 91, name=Id)


@ROUTES.get(SETS, id="listTuningSets", roles={Role.OPS}, answers={200: Answer("all sets", SavedSets)})
async def all_sets(call: Call, parts: Parts) -> Reply:
    """List the saved sets by name."""
    return Reply(await parts.service.tuning_sets.all(call.principal, call.market))


@ROUTES.get(SET, id="getTuningSet", roles={Role.OPS}, answers={200: Answer("the set", SavedSet, ETAG)})
async def read(call: Call, parts: Parts) -> Reply:
    """Read a saved set."""
    found = await parts.service.tuning_sets.get(call.principal, call.market, call.path["name"])
    return Reply(found, headers=etag(found.version))


@ROUTES.put(
    SET,
    id="putTuningSet",
    roles={Role.OPS},
    body=Body(SetUpdate),
    versioned=True,
    answers={200: Answer("the set", SavedSet, ETAG)},
    problems=("invalid-request",),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Save a set of overrides under a name, with sliders moved over them; it is not in force by that."""
    sets, who, market, name = parts.service.tuning_sets, call.principal, call.market, call.path["name"]

    async def current() -> int:
        return (await sets.get(who, market, name)).version

    saved = await changed(call, partial(sets.put, who, market, name, call.body), current)
    return Reply(saved, headers=etag(saved.version))


@ROUTES.delete(
    SET,
    id="deleteTuningSet",
    roles={Role.OPS},
    versioned=True,
    answers={200: Answer("the set as it was", SavedSet)},
)
async def delete(call: Call, parts: Parts) -> Reply:
    """Forget a saved set; said again with the same If-Match, it is answered as the first time."""
    sets, who, market, name = parts.service.tuning_sets, call.principal, call.market, call.path["name"]

    async def current() -> int:
        return (await sets.get(who, market, name)).version

    again = partial(sets.deleted, who, market, name)
    return Reply(await removed(call, partial(sets.delete, who, market, name), current, again))


@ROUTES.get(MOVING, id="listTuningSliders", roles={Role.OPS}, answers={200: Answer("all sliders", Sliders)})
async def sliders(call: Call, parts: Parts) -> Reply:
    """List the sliders: objectives in words, where the tuning has each, and the parameters behind it."""
    return Reply(await parts.service.tuning_sets.sliders(call.principal, call.market))


@ROUTES.post(
    MOVING,
    id="moveTuningSliders",
    roles={Role.OPS},
    body=Body(MoveSliders),
    answers={200: Answer("the overrides that follow", MovedSliders)},
    problems=("invalid-request",),
)
async def move(call: Call, parts: Parts) -> Reply:
    """Show what moved sliders make of the tuning; nothing is stored."""
    return Reply(await parts.service.tuning_sets.move(call.principal, call.market, call.body))
