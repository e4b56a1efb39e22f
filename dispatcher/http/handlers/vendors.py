"""Vendors, their capacity, and a market's tuning: versioned by ETag and If-Match."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from contracts.problems import InvalidMessage, MissingPrecondition
from contracts.vendors import Posted
from dispatcher.domain.refusals import Stale
from dispatcher.http.call import Call, Reply, etag
from dispatcher.service.service import Service

Result = TypeVar("Result")


class Vendors:
    """Handlers over the service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def put(self, call: Call) -> Reply:
        """Register without If-Match, change with it."""
        if call.body.id != call.path["vendor_id"]:
            detail = f"the id is {call.body.id}, and the path says {call.path['vendor_id']}"
            raise InvalidMessage.at("/id", f"{detail}\nMaybe one of the two is misspelt.")
        return _posted(
            await _over(
                call, self.service.vendors.put(call.principal, call.market, call.body, call.version or 0)
            )
        )

    async def get(self, call: Call) -> Reply:
        """The vendor with its version."""
        found = await self.service.vendors.get(call.principal, call.market, call.path["vendor_id"])
        return Reply(found.value, headers=etag(found.version))

    async def put_capacity(self, call: Call) -> Reply:
        """Post a day; below what is booked it is refused, with every bucket."""
        vendor_id, day = call.path["vendor_id"], call.path["day"]
        change = self.service.capacity.put(
            call.principal, call.market, vendor_id, day, call.body, expected_version=call.version or 0
        )
        return _posted(await _over(call, change))

    async def get_capacity(self, call: Call) -> Reply:
        """A day as posted."""
        found = await self.service.capacity.get(
            call.principal, call.market, call.path["vendor_id"], call.path["day"]
        )
        return Reply(found.value, headers=etag(found.version))

    async def get_tuning(self, call: Call) -> Reply:
        """Every parameter with its value."""
        view = await self.service.tuning.get(call.principal, call.market)
        return Reply(view, headers=etag(view.version))

    async def put_tuning(self, call: Call) -> Reply:
        """Replace all overrides."""
        view = await _over(
            call, self.service.tuning.put(call.principal, call.market, call.body, call.version or 0)
        )
        return Reply(view, headers=etag(view.version))


def _posted(version: int) -> Reply:
    return Reply(Posted(version=version), 201 if version == 1 else 200, etag(version))


async def _over(call: Call, change: Awaitable[Result]) -> Result:
    """The change made; without If-Match it was meant as new, and Stale says that it is not."""
    try:
        return await change
    except Stale as refusal:
        if call.version is not None:
            raise
        raise MissingPrecondition(
            "it is there already, and If-Match is missing\nMaybe read it, and send its ETag in If-Match."
        ) from refusal
