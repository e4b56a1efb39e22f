"""For whom a call is made: every read and every command takes one."""

from __future__ import annotations

from functools import cached_property

import msgspec

from contracts.codes import Role
from dispatcher.domain.refusals import NotFound


class Principal(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Who calls, as its token says: a role, the markets it may touch, and for a vendor its id.

    `markets` is empty for no market at all; None means every market of this service (ops tools only).
    """

    role: Role
    subject: str = ""
    markets: frozenset[str] | None = frozenset()
    vendor_id: str = ""

    @cached_property
    def name(self) -> str:
        """How histories and audits name the caller."""
        return f"vendor:{self.vendor_id}" if self.role is Role.VENDOR else self.role.value

    @cached_property
    def caller(self) -> str:
        """Who it is among all callers, whatever its token."""
        return f"{self.name}/{self.subject}"

    def may_enter(self, market: str) -> bool:
        """Whether the token names the market."""
        return self.markets is None or market in self.markets

    def refuse_others(self, vendor_id: str) -> None:
        """Raises NotFound when a vendor asks for what is another's."""
        if self.role is Role.VENDOR and vendor_id != self.vendor_id:
            raise NotFound(f"there is no vendor {vendor_id}\nMaybe the id is misspelt.")
