"""For whom a call is made: every read and every command takes one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import msgspec

from contracts.codes import Role
from dispatcher.domain import rights
from dispatcher.domain.refusals import no_such


class Principal(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Who calls, as its token says: its roles, the markets it may touch, and a vendor's or a facility's id.

    These have that role alone (`security.tokens`). `markets` is empty for no market at all; None means
    every market of this service (ops tools only).
    """

    roles: frozenset[Role]
    subject: str = ""
    markets: frozenset[str] | None = frozenset()
    vendor_id: str = ""
    facility_id: str = ""
    mark: str = ""  # of a vendor's session: what stood when it was opened (`store.sign_ins`)

    @classmethod
    def of(cls, *roles: Role, **facts: Any) -> Principal:
        """Who has these roles."""
        return cls(roles=frozenset(roles), **facts)

    @cached_property
    def is_vendor(self) -> bool:
        """Whether it has offers and dispatches of its own, and nothing else."""
        return Role.VENDOR in self.roles

    @cached_property
    def is_outside(self) -> bool:
        """Whether only what is its own exists for it: a vendor, a facility."""
        return not self.roles.isdisjoint(rights.ALONE)

    @cached_property
    def name(self) -> str:
        """All that it is, in a word."""
        own = f":{self.vendor_id or self.facility_id}" if self.is_outside else ""
        return "+".join(sorted(self.roles)) + own

    @cached_property
    def caller(self) -> str:
        """Who it is among all callers, whatever its token."""
        return f"{self.name}/{self.subject}"

    def may(self, allowed: Iterable[Role]) -> bool:
        """Whether one of its roles is among these."""
        return not self.roles.isdisjoint(allowed)

    def acting_as(self, allowed: Iterable[Role]) -> str:
        """How histories and audits name it: by the one of these roles that it has; an outsider by its id."""
        role = rights.acting_as(self.roles, frozenset(allowed))
        return self.name if self.is_outside or role is None else role.value

    def may_enter(self, market: str) -> bool:
        """Whether the token names the market."""
        return self.markets is None or market in self.markets

    def refuse_others(self, vendor_id: str) -> None:
        """Raises NotFound when a vendor asks for what is another's."""
        if self.is_vendor and vendor_id != self.vendor_id:
            raise no_such(f"vendor {vendor_id}")
