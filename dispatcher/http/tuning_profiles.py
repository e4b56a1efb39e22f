"""Profiles of tuning, and the calendar by which they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.tuning_profiles import CalendarUpdate, ProfilesView, ProfileUpdate
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import changed, etag, removed

PROFILES = f"{MARKET}/tuning/profiles"
PROFILE = f"{PROFILES}/{{name}}"
CALENDAR = f"{MARKET}/tuning/calendar"
VIEW = {200: Answer("profiles and calendar", ProfilesView, ETAG)}
ROUTES = Routes("tuning", 92, name=Id)


@ROUTES.get(PROFILES, id="getTuningProfiles", roles={Role.OPS}, answers=VIEW)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the profiles, the calendar, which stands now and what comes next."""
    view = await parts.service.tuning_profiles.view(call.principal, call.market)
    return Reply(view, headers=etag(view.version))


@ROUTES.put(
    PROFILE,
    id="putTuningProfile",
    roles={Role.OPS},
    body=Body(ProfileUpdate),
    versioned=True,
    answers=VIEW,
    problems=("invalid-request",),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Write what a profile changes while it stands; all else stays as it is."""
    change = partial(
        parts.service.tuning_profiles.put, call.principal, call.market, call.path["name"], call.body
    )
    return await _changed(call, parts, change)


@ROUTES.delete(
    PROFILE,
    id="deleteTuningProfile",
    roles={Role.OPS},
    versioned=True,
    answers=VIEW,
    problems=("wrong-state",),
)
async def delete(call: Call, parts: Parts) -> Reply:
    """Forget a profile that the calendar does not name."""
    profiles, who, market, name = (
        parts.service.tuning_profiles,
        call.principal,
        call.market,
        call.path["name"],
    )

    async def current() -> int:
        return (await profiles.view(who, market)).version

    again = partial(profiles.deleted, who, market, name)
    view = await removed(call, partial(profiles.delete, who, market, name), current, again)
    return Reply(view, headers=etag(view.version))


@ROUTES.put(
    CALENDAR,
    id="putTuningCalendar",
    roles={Role.OPS},
    body=Body(CalendarUpdate),
    versioned=True,
    answers=VIEW,
    problems=("invalid-request",),
)
async def put_calendar(call: Call, parts: Parts) -> Reply:
    """Replace the calendar: by its days and hours, in the market's time zone, profiles stand and end."""
    profiles = parts.service.tuning_profiles
    return await _changed(call, parts, partial(profiles.put_calendar, call.principal, call.market, call.body))


async def _changed(call: Call, parts: Parts, change: Callable[[int], Awaitable[ProfilesView]]) -> Reply:
    async def current() -> int:
        return (await parts.service.tuning_profiles.view(call.principal, call.market)).version

    view = await changed(call, change, current)
    return Reply(view, headers=etag(view.version))
