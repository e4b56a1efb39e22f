"""A timer fired: what happens when nothing happened, for a record of any kind."""

from __future__ import annotations

from dispatcher.domain.commands.table import ANY_KIND, Command, decides
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import kind_of


class FireTimer(Command, frozen=True, kw_only=True):
    """The timer of one record is due; its kind says what that means."""

    kind: str
    id: str

    @property
    def subject(self) -> str:
        """The record."""
        return self.id


@decides(FireTimer, ANY_KIND)
def fire(record: Record, command: FireTimer, context: Context) -> Decision | None:
    """What its kind does then; None when the timer is not due (any more)."""
    decision: Decision | None = kind_of(record).on_timer(record, context)
    return decision
