"""Caps of a vendor are set, as a whole; what is booked beyond a lower one stays booked."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.caps import Cap
from contracts.codes import Role
from dispatcher.domain.caps import AWAKE_MS, CAP_KIND, CapRecord
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.refusals import Stale

SETTERS = frozenset({Role.OPS, Role.CASE_MANAGER})


class PutCaps(Command, frozen=True, kw_only=True):
    """All caps of one vendor, over those of `expected_version`; 0: there are none yet."""

    vendor_id: str
    caps: tuple[Cap, ...]
    expected_version: int

    @property
    def subject(self) -> str:
        """The vendor."""
        return self.vendor_id

    @property
    def named(self) -> str:
        """Its caps."""
        return f"vendor {self.vendor_id}"


@decides(PutCaps, CAP_KIND.name, roles=SETTERS, creates=True)
def put(record: CapRecord | None, command: PutCaps, context: Context) -> Decision | None:
    """None when they stand so. Raises Stale."""
    caps = tuple(sorted(command.caps, key=lambda each: (each.payer, each.period)))
    version = record.version if record is not None else 0
    if record is not None and record.caps == caps and command.expected_version in (version, version - 1):
        return None
    if command.expected_version != version:
        raise Stale(
            f"the caps of {command.named} are at version {version}, not {command.expected_version}\n"
            "Maybe read them again and send their ETag as If-Match.",
            expected_version=command.expected_version,
        )
    before = record or CapRecord(id=command.vendor_id, version=0, caps=(), timer_ms=0)
    after = replace(
        before,
        version=version + 1,
        caps=caps,
        timer_ms=context.now_ms + AWAKE_MS,
        by=context.by,
        subject=context.subject,
    )
    return Decision(
        changes=(Change(record, after),),
        at_ms=context.now_ms,
    )
