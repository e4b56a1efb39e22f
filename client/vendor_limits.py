"""What bounds a vendor's work: its payers' caps, and why it gets no offers."""

from __future__ import annotations

from client.answers import about
from client.http import Connection, segment
from contracts.caps import Caps, CapsView
from contracts.why_vendor import VendorWhy


class CapReader(Connection):
    """Calls of a vendor about itself, and of whoever sets caps."""

    async def caps(self, vendor_id: str) -> CapsView:
        """A vendor's caps by payer, with what is used and left; none, at version 0, where none were set."""
        path = f"/vendors/{segment(vendor_id)}/caps"
        found = await self.call("GET", path, CapsView)
        return about(found, found.vendor_id, vendor_id, f"GET {path}")


class CapSetter(CapReader):
    """Calls of ops and of a case manager."""

    async def put_caps(self, vendor_id: str, caps: Caps, *, version: int = 0) -> CapsView:
        """All of a vendor's caps, over those of that version (0: it has none yet).

        Raises Problem 412 or 428 where others stand by now.
        """
        path, headers = f"/vendors/{segment(vendor_id)}/caps", {"If-Match": f'"{version}"'} if version else {}
        found = await self.call("PUT", path, CapsView, statuses=(200, 201), body=caps, headers=headers)
        return about(found, found.vendor_id, vendor_id, f"PUT {path}")


class WhyNoOffers(Connection):
    """Calls of a vendor about itself, and of ops."""

    async def why(self, vendor_id: str, *, days: int = 7) -> VendorWhy:
        """What it lost to which rule in so many days, and what would change that."""
        path = f"/vendors/{segment(vendor_id)}/why"
        found = await self.call("GET", path, VendorWhy, params={"days": str(days)})
        return about(found, found.vendor_id, vendor_id, f"GET {path}")
