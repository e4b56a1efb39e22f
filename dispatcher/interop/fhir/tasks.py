"""Task over HTTP: one, and a search in pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from contracts.codes import RequestState
from contracts.paging import MAX_PAGE, Cursor
from contracts.problems import InvalidParameter
from contracts.request_views import RequestView
from dispatcher.domain.refusals import NotFound, Unreadable
from dispatcher.http.call import Call
from dispatcher.http.parts import Parts
from dispatcher.interop.fhir.answering import Format, answer, base_of, searchset
from dispatcher.interop.fhir.canonical import EPISODE_ID
from dispatcher.interop.fhir.ids import one, our_id, sought
from dispatcher.interop.fhir.references import addressed
from dispatcher.interop.fhir.states import TASK_STATUSES, states_of
from dispatcher.interop.fhir.task import Npis, task, vendors_of
from dispatcher.interop.fhir.told import KINDS
from dispatcher.store.request_search import Wanted

Text = Annotated[str, Meta(max_length=2_000)]


class TaskQuery(Format):
    """Which Tasks: those for which all that is given holds. A page may be shorter than `_count`."""

    id: Annotated[Text, Meta(description="of a Task")] = msgspec.field(name="_id", default="")
    focus: Annotated[Text, Meta(description="ServiceRequest/ID or DeviceRequest/ID")] = ""
    based_on: Annotated[Text, Meta(description="the same")] = msgspec.field(name="based-on", default="")
    group: Annotated[Text, Meta(description="SYSTEM|VALUE of the episode")] = msgspec.field(
        name="group-identifier", default=""
    )
    focus_identifier: Annotated[Text, Meta(description="SYSTEM|VALUE of what it is about")] = msgspec.field(
        name="focus:identifier", default=""
    )
    status: Annotated[Text, Meta(description="one, or several with commas between")] = ""
    owner: Annotated[Text, Meta(description="Organization/ID: vendor that is asked or has the work")] = ""
    count: Annotated[int, Meta(ge=1, description=f"at most {MAX_PAGE} come")] = msgspec.field(
        name="_count", default=50
    )
    cursor: Cursor = msgspec.field(name="_cursor", default="")


async def read(call: Call, parts: Parts) -> web.Response:
    """The Task of a request."""
    view = await parts.service.requests.view(call.principal, call.market, our_id(call.path["resource_id"]))
    return answer(call, task(view, await _npis(call, parts, [view])))


async def search(call: Call, parts: Parts) -> web.Response:
    """A page of Tasks, the oldest first, as a searchset."""
    query: TaskQuery = call.query
    states = _states(query.status)
    name, vendor_id = _name(query), _vendor(query.owner)
    if sum(map(bool, (query.group, name, vendor_id))) > 1:
        raise InvalidParameter(
            "a request, group-identifier and owner are not searched for together\n"
            "Maybe give one of them, with status."
        )
    if query.group:
        views, cursor = await _of_episode(call, parts, query.group, states), None
    elif name:
        views, cursor = await _one(call, parts, name, states), None
    elif states is not None and not states:
        views, cursor = [], None
    else:
        views, cursor = await _page(call, parts, vendor_id, states)
    npis = await _npis(call, parts, views)
    found = [task(each, npis) for each in views]
    whole = cursor is None and not query.cursor
    return answer(call, searchset(call, base_of(call, parts), "Task", found, cursor=cursor, whole=whole))


def _states(status: str) -> frozenset[RequestState] | None:
    """Those that are meant; None: all. Raises InvalidParameter."""
    if not status:
        return None
    named = [each.rpartition("|")[2] for each in status.split(",")]
    if unknown := [each for each in named if each not in TASK_STATUSES]:
        raise InvalidParameter(
            f"status {unknown[0][:40]!r} is none of a Task's\nMaybe one of {', '.join(TASK_STATUSES)}."
        )
    return frozenset().union(*map(states_of, named))


def _name(query: TaskQuery) -> str:
    """The one request that is meant; "": not one alone. Raises InvalidParameter for several."""
    named = {one(query.id)} if query.id else set[str]()
    for about in filter(None, (query.focus, query.based_on)):
        kind, name = addressed(about)
        if kind not in KINDS.values() or not name:
            raise InvalidParameter(
                "focus is no request of this server\nMaybe ServiceRequest/ID or DeviceRequest/ID."
            )
        named.add(our_id(name))
    if query.focus_identifier:
        named.add(sought(query.focus_identifier))
    if len(named) > 1:
        raise InvalidParameter("_id and focus name different requests\nMaybe give one of them.")
    return named.pop() if named else ""


def _vendor(owner: str) -> str:
    """The vendor that is meant, by address or by id alone; "": none. Raises InvalidParameter."""
    kind, name = addressed(owner if "/" in owner else f"Organization/{owner}")
    if owner and (kind != "Organization" or not name):
        raise InvalidParameter("owner is no vendor\nMaybe Organization/ID.")
    return our_id(name)


async def _one(
    call: Call, parts: Parts, name: str, states: frozenset[RequestState] | None
) -> list[RequestView]:
    """It, if it is there and fits; a kind that it is not is nothing that is there."""
    query: TaskQuery = call.query
    try:
        view = await parts.service.requests.view(call.principal, call.market, name)
    except NotFound:
        return []
    kind, _ = addressed(query.focus or query.based_on)
    fits = (not kind or KINDS[view.kind] == kind) and (states is None or view.state in states)
    return [view] if fits else []


async def _of_episode(
    call: Call, parts: Parts, group: str, states: frozenset[RequestState] | None
) -> list[RequestView]:
    """Those of an episode, all of them at once. Raises InvalidParameter."""
    name = sought(group, EPISODE_ID)
    try:
        episode = await parts.service.episodes.view(call.principal, call.market, name)
    except NotFound:
        return []
    named = [each.id for each in episode.requests if each.state is not None]
    views = await asyncio.gather(
        *(parts.service.requests.view(call.principal, call.market, n) for n in named)
    )
    return [each for each in views if states is None or each.state in states]


async def _page(
    call: Call, parts: Parts, vendor_id: str, states: frozenset[RequestState] | None
) -> tuple[list[RequestView], str | None]:
    query: TaskQuery = call.query
    wanted = Wanted(within=states or frozenset(RequestState), vendor_id=vendor_id)
    limit = min(query.count, MAX_PAGE)
    return await parts.service.requests.found(
        call.principal, call.market, wanted, query.cursor or None, limit
    )


async def _npis(call: Call, parts: Parts, views: Iterable[RequestView]) -> Npis:
    """Of all vendors that they name; one that is gone, or cannot be read, has none."""

    async def npi(name: str) -> tuple[str, str | None]:
        with contextlib.suppress(NotFound, Unreadable):
            return name, (await parts.service.vendors.get(call.principal, call.market, name)).value.npi
        return name, None

    named = set[str]().union(*map(vendors_of, views))
    return {name: found for name, found in await asyncio.gather(*map(npi, sorted(named))) if found}
