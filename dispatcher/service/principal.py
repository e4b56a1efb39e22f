"""For whom a call is made: every read and every command takes one."""

from __future__ import annotations

import msgspec

from contracts.codes import Role
from dispatcher.domain.refusals import NotFound


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls, as its token says: a role, the markets it may touch, and for a vendor its id.

    `markets` is empty for no market at all; None means every market of this service (ops tools only).
    """

    role: Role
    subject: str = ""
    markets: frozenset[str] | None = frozenset()
    vendor_id: str = ""

    @property
    def name(self) -> str:
        """How histories and audits name the caller."""
        return f"vendor:{self.vendor_id}" if self.role is Role.VENDOR else self.role.value

    def enter(self, market: str) -> None:
        """Raises NotFound for a market that the token does not name: it is as if it did not exist."""
        if self.markets is not None and market not in self.markets:
            raise NotFound(f"there is no market {market}\nMaybe the token was minted for another market.")

    def is_vendor(self, vendor_id: str) -> None:
        """Raises NotFound when a vendor asks for what is another's."""
        if self.role is Role.VENDOR and vendor_id != self.vendor_id:
            raise NotFound(f"there is no vendor {vendor_id}\nMaybe the id is misspelt.")
