"""Documents that are replaced by version: what is put, whatever happened to the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from client.answers import Answered, about
from client.errors import Problem, UnexpectedAnswer
from client.http import Connection, segment
from client.pages import pages
from contracts.capacity import Capacity
from contracts.vendors import Posted, StoredVendor, Vendor, VendorPage

Value = TypeVar("Value")
STORED = frozenset({200, 201})
CHANGED_MEANWHILE = frozenset({412, 428})


class Stored(NamedTuple, Generic[Value]):
    """A document as it stands, and the `version` (its ETag) under which it may be replaced."""

    value: Value
    version: str


class Posting(Connection):
    """Calls of whoever posts a vendor's document and capacity: ops for any vendor, a vendor for itself."""

    async def vendors(self) -> AsyncIterator[StoredVendor]:
        """All vendors by id, each with the version that it stands at; a vendor finds itself alone."""
        async for page in pages(self, "/vendors", VendorPage, {}):
            for vendor in page.vendors:
                yield vendor

    async def vendor(self, vendor_id: str) -> Stored[Vendor]:
        """Its document, with its credentials and what ops says of them. Raises Problem 404."""
        path = _vendor(vendor_id)
        found: Answered[Vendor] = await self.exchange("GET", path, Vendor)
        about(found.value, found.value.id, vendor_id, f"GET {path}")
        return Stored(found.value, etag(found, path))

    async def put_vendor(self, vendor: Vendor, *, version: str | None = None) -> str:
        """Register or change a vendor; `version` is the ETag of what is replaced. Returns the new ETag."""
        return await self._put(_vendor(vendor.id), vendor, version)

    async def capacity(self, vendor_id: str, day: date) -> Stored[Capacity]:
        """What is posted for one day. Raises Problem 404 while nothing is."""
        path = _capacity(vendor_id, day)
        found: Answered[Capacity] = await self.exchange("GET", path, Capacity)
        return Stored(found.value, etag(found, path))

    async def put_capacity(
        self, vendor_id: str, day: date, capacity: Capacity, *, version: str | None = None
    ) -> str:
        """Post a vendor's capacity of one day; refused when it falls below what is booked.

        `version`: the ETag of what is replaced; None for a day without a posting. Returns the new ETag.
        """
        return await self._put(_capacity(vendor_id, day), capacity, version)

    async def _put(self, path: str, body: Vendor | Capacity, version: str | None) -> str:
        """Put until it is there: after a lost answer the repetition finds its own body, and is content."""
        condition = {"If-Match": version} if version else {}
        try:
            put = await self.exchange("PUT", path, Posted, statuses=STORED, body=body, headers=condition)
            return etag(put, path)
        except Problem as problem:
            if problem.status not in CHANGED_MEANWHILE:
                raise
            found = await self.exchange("GET", path, type(body))
            if _claimed(found.value) != _claimed(body):
                raise
            return etag(found, path)


def _claimed(value: Any) -> Any:
    """A vendor without what the service keeps in it: as it was sent."""
    return value.as_claimed if isinstance(value, Vendor) else value


def etag(answered: Answered[Any], path: str) -> str:
    """The version of what was answered. Raises UnexpectedAnswer where there is none."""
    if not (found := answered.headers.get("ETag", "")):
        raise UnexpectedAnswer(path, 200, "it has no ETag")
    return found


def _vendor(vendor_id: str) -> str:
    return f"/vendors/{segment(vendor_id)}"


def _capacity(vendor_id: str, day: date) -> str:
    return f"{_vendor(vendor_id)}/capacity/{day.isoformat()}"
