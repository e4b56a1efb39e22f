"""A timer fired: what happens when nothing happened, for a record of any kind."""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.domain.commands.table import ANY_KIND, Command, decides
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import kind_of


class FireTimer(Command, frozen=True, kw_only=True):
    """The timer of one record is due; its kind says what that means. `passed_over`: see `Context`.

    `alone`: see `Kind`.
    """

    kind: str
    id: str
    passed_over: int = 0
    alone: bool = False

    @property
    def subject(self) -> str:
        """The record."""
        return self.id

    @property
    def if_full(self) -> Command:
        """Who would have it now has no room, or has changed: the one after it."""
        return replace(self, passed_over=self.passed_over + 1)


@decides(FireTimer, ANY_KIND)
def fire(record: Record, command: FireTimer, context: Context) -> Decision | None:
    """What its kind does then; None when the timer is not due (any more)."""
    context = replace(context, passed_over=command.passed_over)
    decision: Decision | None = kind_of(record).on_timer(record, context)
    return decision
