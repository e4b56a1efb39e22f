"""Threads as their parties read them, and a message's way to where it is sealed."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.instants import to_instant
from contracts.threads import About, MessageView, ReadMark, ThreadView
from dispatcher.domain.commands.threads import (
    PARTIES,
    MarkRead,
    OnThread,
    PostMessage,
    refuse_beyond,
)
from dispatcher.domain.kinds import kind_named
from dispatcher.domain.refusals import NotFound, no_such
from dispatcher.domain.threads import SUBJECTS, Mark, Party, Posted, ThreadRecord, thread_id, unread_by
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor, is_gone
from dispatcher.service.markets import Markets
from dispatcher.store.idempotency import IdempotencyRecord


class Threads:
    """They raise NotFound for what is unknown or another's, WrongState for work that is not (any more) the
    vendor's, and Unavailable.
    """

    def __init__(self, markets: Markets, executor: Executor) -> None:
        self.markets, self.executor = markets, executor

    async def view(
        self, who: Principal, market: str, about: About, subject_id: str, after: int = 0
    ) -> ThreadView:
        """What stands on a thread behind message `after`."""
        await self._party(who, market, about, subject_id, writes=False)
        name = thread_id(about, subject_id)
        thread = await self.markets.store(market).threads.records.get(name)
        if thread is None:
            return ThreadView(about=about, id=subject_id)
        return ThreadView(
            about=about,
            id=subject_id,
            messages=self._shown(who, market, thread, after),
            read=tuple(_mark(who, each) for each in thread.read),
            unread=unread_by(thread, _by(who), who.subject),
        )

    async def unread(self, who: Principal, market: str, offer_id: str) -> int:
        """How many messages of others the caller, one of its vendor's people, has not read on a dispatch."""
        return (await self.markets.store(market).threads.unread([offer_id], who.subject)).get(offer_id, 0)

    async def post(
        self,
        who: Principal,
        market: str,
        about: About,
        subject_id: str,
        *,
        text: str,
        idempotency: IdempotencyRecord,
    ) -> MessageView:
        """Add a message; it is sealed before anything else sees it. Under one key it stands once.

        Raises WrongState where that key's message is kept no longer: the thread has gone on, or lost it.
        """
        name, message_id = thread_id(about, subject_id), f"m{idempotency.digest}"
        sealed = self.markets.store(market).threads.seal(name, message_id, text)
        command = PostMessage(about=about, subject_id=subject_id, message_id=message_id, sealed=sealed)
        thread = await self._execute(who, market, command, idempotency)
        for each in self._shown(who, market, thread):
            if each.id == message_id:
                return each
        raise is_gone(f"a message on {subject_id}")

    async def mark_read(
        self, who: Principal, market: str, command: MarkRead, idempotency: IdempotencyRecord | None
    ) -> ReadMark:
        """Up to where they have read now."""
        await self._party(who, market, command.about, command.subject_id, writes=False)
        if await self.markets.store(market).threads.records.get(command.subject) is None:
            refuse_beyond(0, command)
            return self._nothing_read(who)
        thread: ThreadRecord = await self._execute(who, market, command, idempotency)
        own = _by(who), who.subject
        marks = (_mark(who, each) for each in thread.read if (each.by, each.subject) == own)
        return next(marks, self._nothing_read(who))

    def _nothing_read(self, who: Principal) -> ReadMark:
        return ReadMark(by=_by(who), subject=who.subject, at=to_instant(self.executor.clock.now_ms()))

    async def _execute(
        self, who: Principal, market: str, command: OnThread, idempotency: IdempotencyRecord | None
    ) -> Any:
        async def prepare(_: object, wanted: Any) -> OnThread:
            writes = isinstance(wanted, PostMessage)
            party = await self._party(who, market, wanted.about, wanted.subject_id, writes=writes)
            ready: OnThread = replace(wanted, party=party)
            return ready

        return await self.executor.execute(who, market, command, idempotency, prepare=prepare)

    async def _party(
        self, who: Principal, market: str, about: About, subject_id: str, *, writes: bool
    ) -> Party:
        """What the thread stands on, if the caller may take part in it."""
        self.markets.authorize(who, market)
        subject = SUBJECTS[about]
        if not who.may(subject.parties):
            raise NotFound(f"there is no {subject.noun} {subject_id}\nMaybe it is for another role.")
        owner_id = subject.owner_of(subject_id)
        record = await self.markets.store(market).records(kind_named(subject.kind)).get(owner_id)
        if record is None:
            await self.markets.refuse_if_lost()
            raise no_such(f"{subject.noun} {subject_id}")
        return subject.party(record, subject_id, who.vendor_id, writes)

    def _shown(
        self, who: Principal, market: str, thread: ThreadRecord, after: int = 0
    ) -> tuple[MessageView, ...]:
        messages = thread.messages[after:]
        texts = self.markets.store(market).threads.open(thread.id, messages)
        return tuple(
            MessageView(
                id=each.id,
                number=number,
                at=to_instant(each.at_ms),
                by=each.by,
                subject=_subject(who, each),
                text=text,
            )
            for number, (each, text) in enumerate(zip(messages, texts, strict=True), after + 1)
        )


def _by(who: Principal) -> str:
    """How a thread names the caller; as the decision's context does."""
    return who.acting_as(PARTIES)


def _mark(who: Principal, mark: Mark) -> ReadMark:
    return ReadMark(by=mark.by, subject=_subject(who, mark), up_to=mark.up_to, at=to_instant(mark.at_ms))


def _subject(who: Principal, of: Mark | Posted) -> str:
    """Which person it was: a vendor is told of its own people only."""
    return of.subject if not who.vendor_id or of.by == _by(who) else ""
