"""Sends what is due, by the way that there is: each at least once, told apart by its id, and never for ever.

An attempt is counted before it is made: nobody else makes it meanwhile, and who dies in it leaves it to be
made again after its pause, under the same id. What was taken is marked so, and not sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from contracts.notifications import Audience, Contact
from contracts.patients import Patient
from dispatcher.delivery.notify.notifier import Note, Notifier, Undelivered
from dispatcher.delivery.notify.quiet import quiet_until_ms
from dispatcher.delivery.notify.wording import worded
from dispatcher.domain.commands.notifications import (
    EndNotification,
    OnNotification,
    PutOffNotification,
    TryNotification,
)
from dispatcher.domain.notifications import (
    DUE_LIST,
    NO_NOTIFIER,
    NOTIFICATION_KIND,
    NotificationRecord,
    NotificationState,
)
from dispatcher.domain.refusals import Unavailable, Unreadable, Unwritable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.rounds import few_at_once
from dispatcher.service.service import Service

BATCH, AT_ONCE = 64, 8
LOOK_EVERY_S, LOOK_AGAIN_S = 1.0, 0.2  # real; at a scaled clock's speed, too
UNREAD_AGAIN_MS = 300_000  # what cannot be read now is somebody's task, and tried again
NOBODY = Patient(name="-")
BY = "courier"
D = NotificationState
log = structlog.get_logger()


class Courier:
    """`notifier` None: there is no way out, and the event alone tells of what is due.

    `coordinator`: where coordinators have their mail; "": only a webhook reaches them.
    """

    def __init__(self, service: Service, notifier: Notifier | None, coordinator: str = "") -> None:
        self.service, self.notifier, self.coordinator = service, notifier, coordinator
        service.executor.sends_nothing = notifier is None

    async def run(self, market: str) -> None:
        """For ever, until cancelled. Raises Unavailable."""
        await self.service.store.market(market).sending.tell(nothing=self.notifier is None)
        while not cancel_requested():
            if not await self.send_due(market):
                await asyncio.sleep(min(LOOK_EVERY_S, max(LOOK_AGAIN_S, self.service.clock.real_s(1.0))))

    async def send_due(self, market: str) -> int:
        """See to what is due to be tried, the longest waiting first; how many of them moved on."""
        records = self.service.store.market(market).records(NOTIFICATION_KIND)
        ids = await records.due_in(DUE_LIST, self.service.clock.now_ms(), BATCH)
        found = await records.get_all(ids)
        if self.notifier is None and await self._all_dropped(market, list(found.values())):
            return len(found)
        return sum(await few_at_once((partial(self._one, market, each) for each in found.values()), AT_ONCE))

    async def _all_dropped(self, market: str, notes: Sequence[NotificationRecord]) -> bool:
        """End them in one commit: each by itself would be most of what a market without a way out commits."""
        ends = [
            (EndNotification(notification_id=each.id, state=D.DROPPED, code=NO_NOTIFIER), each)
            for each in notes
        ]
        try:
            outcome = await self.service.executor.attempt_all(BY, market, ends) if ends else None
        except Unwritable:  # one's key: by themselves the others end
            return False
        if outcome is None or not outcome.ok:
            return False
        await self._count(market, D.DROPPED, len(ends))
        return True

    async def _one(self, market: str, note: NotificationRecord) -> bool:
        """One that goes wrong is named, and holds up no other."""
        try:
            return await self._see_to(market, note)
        except Unavailable:
            raise
        except Exception as error:  # its text may hold what was sent
            log.error("notification_failed", market=market, id=note.id, error=type(error).__name__)
        try:
            again_ms = self.service.clock.now_ms() + UNREAD_AGAIN_MS
            return await self._do(market, note, PutOffNotification, next_ms=again_ms)
        except Unavailable:
            raise
        except Exception as error:  # then it stays due
            log.error("notification_not_put_off", market=market, id=note.id, error=type(error).__name__)
            return False

    async def _see_to(self, market: str, note: NotificationRecord) -> bool:
        now_ms = self.service.clock.now_ms()
        if self.notifier is None:  # first: nobody missed what nobody sends here, however late it is
            return await self._end(market, note, D.DROPPED, NO_NOTIFIER)
        if now_ms >= note.until_ms:
            return await self._end(market, note, D.FAILED, "late")
        try:
            patient = await self._patient(market, note)
        except Unreadable:
            return await self._do(market, note, PutOffNotification, next_ms=now_ms + UNREAD_AGAIN_MS)
        contact, tz = patient.contact or Contact(), self._zone(market, patient)
        if contact.opt_out:
            return await self._end(market, note, D.DROPPED, "opted_out")
        made = self._note(note, patient, contact, tz)
        if not self.notifier.reaches(made):
            return await self._end(market, note, D.DROPPED, "no_address")
        quiet_ms = await self._quiet(market, note, tz)
        if quiet_ms is None:
            return await self._send(market, note, made, self.notifier)
        if quiet_ms >= note.until_ms:
            return await self._end(market, note, D.DROPPED, "quiet_hours")
        return await self._do(market, note, PutOffNotification, next_ms=quiet_ms)

    async def _send(self, market: str, note: NotificationRecord, made: Note, notifier: Notifier) -> bool:
        if not await self._do(market, note, TryNotification):
            return False  # somebody else has it, or it is not to be tried
        tried = await self.service.store.market(market).records(NOTIFICATION_KIND).get(note.id)
        if tried is None or tried.state is not D.DUE:  # it was tried often enough
            await self._count(market, D.FAILED)
            return True
        try:
            await notifier.send(made)
        except Undelivered as error:
            return await self._undelivered(market, tried, error)
        return await self._end(market, tried, D.DELIVERED, "")

    async def _undelivered(self, market: str, tried: NotificationRecord, error: Undelivered) -> bool:
        log.warning("undelivered", market=market, id=tried.id, code=error.code, attempts=tried.attempts)
        if error.final:
            return await self._end(market, tried, D.FAILED, error.code)
        if error.retry_after_s:
            asked_ms = self.service.clock.now_ms() + round(1_000 * error.retry_after_s)
            await self._do(market, tried, PutOffNotification, next_ms=asked_ms)
        return True

    async def _patient(self, market: str, note: NotificationRecord) -> Patient:
        """Whom the request names; nobody where the coordinator is told. Raises Unreadable."""
        if note.audience is not Audience.PATIENT:
            return Patient(name=NOBODY.name, contact=Contact(email=self.coordinator))
        return await self.service.store.market(market).requests.patient(note.request_id) or NOBODY

    async def _quiet(self, market: str, note: NotificationRecord, tz: ZoneInfo) -> int | None:
        if note.audience is not Audience.PATIENT:
            return None
        values = (await self.service.markets.tuning(market)).values
        return quiet_until_ms(self.service.clock.now_ms(), tz, values)

    def _zone(self, market: str, patient: Patient) -> ZoneInfo:
        """The patient's; the market's where none is named, or one that is known no more."""
        own = patient.contact.tz if patient.contact else ""
        try:
            return ZoneInfo(own) if own else self.service.markets.zones[market]
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return self.service.markets.zones[market]

    def _note(self, note: NotificationRecord, patient: Patient, contact: Contact, tz: ZoneInfo) -> Note:
        words = worded(note.template, contact.language, note.start_ms, tz)
        return Note(
            id=note.id,
            audience=note.audience,
            template=note.template,
            language=words.language,
            subject=words.subject,
            text=words.text,
            email=contact.email,
            phone=patient.phone,
            request_id=note.request_id,
            offer_id=note.offer_id,
            at_ms=note.due_ms,
        )

    async def _end(self, market: str, note: NotificationRecord, state: NotificationState, code: str) -> bool:
        done = await self._do(market, note, EndNotification, state=state, code=code)
        if done:
            await self._count(market, state)
        return done

    async def _count(self, market: str, state: NotificationState, number: int = 1) -> None:
        await self.service.store.market(market).troubles.count(f"notification:{state.value}", number)

    async def _do(
        self, market: str, note: NotificationRecord, command: type[OnNotification], **facts: object
    ) -> bool:
        """Whether it had its effect: not if the notification has moved on meanwhile."""
        made = command(notification_id=note.id, **facts)
        outcome = await self.service.executor.attempt(BY, market, made, note)
        return outcome is not None and outcome.ok
