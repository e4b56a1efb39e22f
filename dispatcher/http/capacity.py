"""Capacity: what a vendor posts for a day, by version."""

from __future__ import annotations

from contracts.base import Day, Id
from contracts.capacity import Capacity
from contracts.codes import Role
from contracts.operations import Answer, Body
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import POSTED, etag, posted

CAPACITY = f"{MARKET}/vendors/{{vendor_id}}/capacity/{{day}}"
ROUTES = Routes("vendors", 40, vendor_id=Id, day=Day)


@ROUTES.put(
    CAPACITY,
    id="putCapacity",
    roles={Role.OPS, Role.VENDOR},
    body=Body(Capacity),
    versioned=True,
    answers=POSTED,
    problems=("over-booked", "invalid-request"),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Post a vendor's capacity of one day; below what is booked it is refused."""
    capacity = parts.service.capacity
    place = call.principal, call.market, call.path["vendor_id"], call.path["day"]

    async def change(version: int) -> int:
        return await capacity.put(*place, call.body, expected_version=version)

    async def current() -> int:
        return (await capacity.get(*place)).version

    return await posted(call, change, current)


@ROUTES.get(
    CAPACITY,
    id="getCapacity",
    roles={Role.OPS, Role.VENDOR},
    answers={200: Answer("the capacity", Capacity, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a vendor's capacity of one day, as posted."""
    vendor_id, day = call.path["vendor_id"], call.path["day"]
    found = await parts.service.capacity.get(call.principal, call.market, vendor_id, day)
    return Reply(found.value, headers=etag(found.version))
