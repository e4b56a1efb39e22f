"""A day as a whole: its requests with their steps, what is booked against posted, and who reaches where."""

from __future__ import annotations

from aiohttp import web

from contracts import codec
from contracts.base import Day
from contracts.codes import Role
from contracts.coverage import Coverage, CoverageQuery
from contracts.days import DayCapacity, DayRequests, DayRequestsQuery
from contracts.operations import Answer
from dispatcher.domain.rights import READERS
from dispatcher.http.call import Call
from dispatcher.http.large import JSON, large
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

DAY = f"{MARKET}/days/{{day}}"
ROUTES = Routes("days", 95, day=Day)


@ROUTES.get(
    f"{DAY}/requests",
    id="readDayRequests",
    roles=READERS,
    query=DayRequestsQuery,
    answers={200: Answer("a page, in columns", DayRequests, media=JSON)},
    problems=("invalid-request",),
)
async def day_requests(call: Call, parts: Parts) -> web.Response:
    """Read the requests of a day in columns, with every step: state, vendor, when; positions are coarse."""
    query = call.query
    found = await parts.service.days.requests(
        call.principal, call.market, call.path["day"], query.cursor or None, query.limit
    )
    return await large(call, codec.encode(found, codec.JSON))


@ROUTES.get(
    f"{DAY}/capacity",
    id="readDayCapacity",
    roles={Role.OPS},
    answers={200: Answer("every pool of the day", DayCapacity, media=JSON)},
    problems=("invalid-request",),
)
async def day_capacity(call: Call, parts: Parts) -> web.Response:
    """Read what all vendors posted for a day, and what is booked of it, by bucket."""
    found = await parts.service.days.capacity(call.principal, call.market, call.path["day"])
    return await large(call, codec.encode(found, codec.JSON))


@ROUTES.get(
    f"{MARKET}/coverage",
    id="readCoverage",
    roles={Role.OPS},
    query=CoverageQuery,
    answers={200: Answer("cells that somebody reaches", Coverage, media=JSON)},
    problems=("invalid-request",),
)
async def coverage(call: Call, parts: Parts) -> web.Response:
    """Read how many vendors that take work reach each cell of a part of the map."""
    found = await parts.service.coverage.read(call.principal, call.market, call.query)
    return await large(call, codec.encode(found, codec.JSON))
