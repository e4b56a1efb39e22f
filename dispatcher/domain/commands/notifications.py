"""What who sends does with a notification that is due: tries it, puts it off, ends it; ops, once more."""

from __future__ import annotations

from contracts.codes import Role
from contracts.instants import HOUR_MS, to_instant
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.notifications import (
    NOTIFICATION_KIND,
    NotificationRecord,
    NotificationState,
    changed,
    ended,
    made_due,
    stands,
)
from dispatcher.domain.refusals import WrongState

MOST_ATTEMPTS = 8
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 30_000, HOUR_MS


class OnNotification(Command, frozen=True, kw_only=True):
    """A command on a notification; nobody's but the service's own."""

    notification_id: str

    @property
    def subject(self) -> str:
        """The notification."""
        return self.notification_id

    @property
    def named(self) -> str:
        """The notification."""
        return f"notification {self.notification_id}"


class TryNotification(OnNotification, frozen=True, kw_only=True):
    """It is about to be sent: counted before, so that nobody sends it too, and a crash repeats it later."""


class PutOffNotification(OnNotification, frozen=True, kw_only=True):
    """It is not tried before then: the receiver asks for it, or it is night."""

    next_ms: int


class EndNotification(OnNotification, frozen=True, kw_only=True):
    """Delivered, dropped or failed, and in a word why."""

    state: NotificationState
    code: str = ""


class SendNotificationAgain(OnNotification, frozen=True, kw_only=True):
    """It failed; what stood in its way is mended."""


@decides(TryNotification, NOTIFICATION_KIND.name)
def attempt(note: NotificationRecord, command: TryNotification, context: Context) -> Decision | None:
    """None unless it is due to be tried; failed when it was tried often enough."""
    if note.state is not NotificationState.DUE or note.next_ms > context.now_ms:
        return None
    if note.attempts >= MOST_ATTEMPTS:
        return ended(note, NotificationState.FAILED, "unanswered", context)
    pause_ms = min(FIRST_PAUSE_MS * 2**note.attempts, LONGEST_PAUSE_MS)
    after = changed(note, context, attempts=note.attempts + 1, next_ms=context.now_ms + pause_ms)
    return Decision(changes=(Change(note, after),), at_ms=context.now_ms)


@decides(PutOffNotification, NOTIFICATION_KIND.name)
def put_off(note: NotificationRecord, command: PutOffNotification, context: Context) -> Decision | None:
    """None when it would be tried later anyway. Never sooner than its own pause."""
    if note.state is not NotificationState.DUE or note.next_ms >= command.next_ms:
        return None
    after = changed(note, context, next_ms=command.next_ms)
    return Decision(changes=(Change(note, after),), at_ms=context.now_ms)


@decides(EndNotification, NOTIFICATION_KIND.name)
def end(note: NotificationRecord, command: EndNotification, context: Context) -> Decision | None:
    """None when it has ended."""
    if note.state is not NotificationState.DUE:
        return None
    return ended(note, command.state, command.code, context)


@decides(SendNotificationAgain, NOTIFICATION_KIND.name, roles={Role.OPS})
def send_again(note: NotificationRecord, command: SendNotificationAgain, context: Context) -> Decision | None:
    """None while it is due anyway. Raises WrongState: it did not fail, or it says nothing new any more."""
    if note.state is NotificationState.DUE:
        return None
    if note.state is not NotificationState.FAILED:
        raise WrongState(
            f"notification {note.id} is {note.state.value}; what failed is sent again\n"
            "Maybe somebody else did before."
        )
    if context.now_ms >= note.until_ms or (note.offer_id and not stands(note, context)):
        raise WrongState(
            f"notification {note.id} says nothing new: it was useful until {to_instant(note.until_ms)}, "
            "for the time agreed then\nMaybe call whom it was for."
        )
    after = changed(made_due(note, context.now_ms), context, attempts=0, code="")
    return Decision(changes=(Change(note, after),), at_ms=context.now_ms)
