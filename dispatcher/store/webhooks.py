"""Webhooks of one market beside their records: how far each came, what waits, the log, the dead letters.

All that one call changes is written in one commit, which names the fence of who sends and the version of the
webhook that it was sent for: nobody else writes it, and nothing of one that was changed meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from contracts.webhooks import DeliveryOutcome
from dispatcher.domain.compact import Compact
from dispatcher.domain.refusals import Unreadable
from dispatcher.domain.webhooks import WEBHOOK_KIND, WEBHOOKS, WebhookRecord, list_of, secret_subject
from dispatcher.security.vault import key_of
from dispatcher.store.aside import Item
from dispatcher.store.figures import name_left_out
from dispatcher.store.keys import (
    WEBHOOK_AT,
    WEBHOOK_DEAD,
    WEBHOOK_LOG,
    WEBHOOK_WAITING,
    Keys,
)
from dispatcher.store.lease import LeasePart
from dispatcher.store.listing import Cursor
from dispatcher.store.node import Node
from dispatcher.store.outcome import Outcome
from dispatcher.store.program import Program
from dispatcher.store.records import Records
from dispatcher.store.resp import text_of
from dispatcher.store.streams import Streams

LOG_LENGTH, DEAD_LENGTH = 500, 1_000
PARTS = (WEBHOOK_AT, WEBHOOK_WAITING, WEBHOOK_LOG, WEBHOOK_DEAD)
FIELD = "d"
SECRETS = "webhook's secret"
Form = TypeVar("Form", bound=Compact)


class Progress(Compact, frozen=True):
    """Up to `position` all is settled or waits. `replays`: of the record, the one that it counts for."""

    position: str
    replays: int
    delivered: int = 0
    delivered_ms: int = 0


class Sent(Compact, frozen=True):
    """An event on its way: where it stands, and what became of it so far. `queue`: whose order it keeps."""

    stream: str
    entry_id: str
    queue: str
    type: str
    subject: str
    event_id: str
    first_ms: int
    attempts: int = 0
    next_ms: int = 0
    code: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Which one it is."""
        return self.stream, self.entry_id


class Called(Compact, frozen=True):
    """One call, for the log."""

    at_ms: int
    sent: Sent
    outcome: DeliveryOutcome
    webhook_id: str
    took_ms: int


class Buried(Compact, frozen=True):
    """A dead letter."""

    at_ms: int
    sent: Sent


class Beside(NamedTuple):
    """What a view shows of a webhook beside its record."""

    progress: Progress | None
    waiting: int
    dead: int


class WebhookPart:
    """The webhooks of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.keys = node.reader, node.committer, keys
        self.vault, self.aside = node.vault, node.aside
        self.records = Records(node, keys, WEBHOOK_KIND)
        self.streams = Streams(node.reader)
        self.lease = LeasePart(node, keys, (keys.webhooks_lease, keys.webhooks_fence))

    async def all(self) -> list[WebhookRecord]:
        """Those that can be read."""
        ids = await self.reader.ask("ZRANGE", self.keys.list(WEBHOOKS), 0, -1)
        return list((await self.records.get_all([text_of(each) for each in ids])).values()) if ids else []

    async def page(
        self, vendor_id: str | None, cursor: str, limit: int
    ) -> tuple[list[WebhookRecord], str | None]:
        """By when they were made; of one vendor, of the platform (""), of all (None). Raises Invalid."""
        name = WEBHOOKS if vendor_id is None else list_of(vendor_id)
        return await self.records.page([name], Cursor.parse(cursor or None), limit)

    async def count(self, vendor_id: str) -> int:
        """How many there are of one vendor, or of the platform."""
        return int(await self.reader.ask("ZCARD", self.keys.list(list_of(vendor_id))))

    async def now(self, vendor_id: str) -> str:
        """The position behind all that was told up to now."""
        keys = self.keys
        names = [keys.stream(vendor_id)] if vendor_id else [keys.events, keys.matches]
        return "~".join([(await self.streams.span(each)).last_full for each in names])

    def seal(self, webhook_id: str, secret: bytes) -> bytes:
        """A secret as it is stored. Raises Unavailable."""
        return self.vault.seal(self.keys.market, secret_subject(webhook_id), secret)

    def secrets(self, hook: WebhookRecord, now_ms: int) -> list[bytes]:
        """What to sign with now, the one in use first. Raises Unreadable."""
        item, subject = Item(SECRETS, hook.id), secret_subject(hook.id)
        signing = [each for each in hook.secrets if not each.until_ms or each.until_ms > now_ms]

        def opened(sealed: bytes) -> bytes:
            return self.vault.open(self.keys.market, subject, sealed)

        return [self.aside.read(self.keys.market, item, each.sealed, opened) for each in signing]

    def is_under_another_key(self, hook: WebhookRecord) -> bool:
        """Whether a secret is sealed under a patient key that is not the one in use."""
        current = self.vault.sealing(self.keys.market)
        return bool(current) and any(key_of(each.sealed) != current for each in hook.secrets)

    async def progress(self, webhook_id: str) -> Progress | None:
        """How far it came; None: it has not begun, or that cannot be read."""
        raw = await self.reader.get(self.keys.of_webhook(WEBHOOK_AT, webhook_id))
        return self._read(webhook_id, raw, Progress) if raw else None

    async def waiting(self, webhook_id: str) -> list[Sent]:
        """What is tried again, in its order."""
        raw = await self.reader.get(self.keys.of_webhook(WEBHOOK_WAITING, webhook_id))
        return self._read_all(webhook_id, raw) if raw else []

    async def flush(
        self,
        hook: WebhookRecord,
        fence: str,
        progress: Progress,
        *,
        waiting: Sequence[Sent] | None,
        called: Collection[Called] = (),
        dead: Collection[Buried] = (),
        once: str = "",
    ) -> Outcome:
        """Write what became of calls. `waiting` None: as it was. FENCED, OUTDATED: not ours to write.

        `once`: names what became of these calls, where it may be written once more.
        """
        program, name, keys = Program(), hook.id, self.keys
        if called or dead:  # the rest is as it is, however often it is written
            program.once(keys, once)
        program.fence(keys.webhooks_fence, fence)
        program.unchanged(name, keys.record(WEBHOOK_KIND, name), hook.version)
        for each in called:
            words = ("MAXLEN", "~", LOG_LENGTH, "*", FIELD, msgspec.msgpack.encode(each))
            program.write(keys.of_webhook(WEBHOOK_LOG, name), "XADD", *words)
        for letter in dead:
            words = ("MAXLEN", "=", DEAD_LENGTH, "*", FIELD, msgspec.msgpack.encode(letter))
            program.write(keys.of_webhook(WEBHOOK_DEAD, name), "XADD", *words)
        for outcome, number in Counter(each.outcome for each in called).items():
            program.figure(keys.troubles, "HINCRBY", f"webhook:{outcome.value}", number)
        program.write(keys.of_webhook(WEBHOOK_AT, name), "SET", msgspec.msgpack.encode(progress))
        if waiting:
            packed = msgspec.msgpack.encode(list(waiting))
            program.write(keys.of_webhook(WEBHOOK_WAITING, name), "SET", packed)
        elif waiting is not None:
            program.write(keys.of_webhook(WEBHOOK_WAITING, name), "DEL")
        done = await self.committer.commit(program)
        name_left_out(self.aside, keys, done.left_out)
        return done

    async def log(self, webhook_id: str, before: str, limit: int) -> tuple[list[tuple[str, Called]], str]:
        """The newest calls before an id, and where the next page starts."""
        return await self._page(webhook_id, WEBHOOK_LOG, Called, before, limit)

    async def dead(self, webhook_id: str, before: str, limit: int) -> tuple[list[tuple[str, Buried]], str]:
        """The newest dead letters before an id, and where the next page starts."""
        return await self._page(webhook_id, WEBHOOK_DEAD, Buried, before, limit)

    async def letters(self, webhook_id: str, ids: Sequence[str] | None) -> list[tuple[str, Buried]]:
        """These dead letters, as far as they are there; None: all; the oldest first."""
        key = self.keys.of_webhook(WEBHOOK_DEAD, webhook_id)
        if ids is None:
            return self._entries(webhook_id, await self.reader.ask("XRANGE", key, "-", "+"), Buried)
        answers = await self.reader.ask_all([("XRANGE", key, each, each) for each in ids])
        return [one for each in answers for one in self._entries(webhook_id, each, Buried)]

    async def count_dead(self, webhook_id: str) -> int:
        """How many dead letters there are."""
        return int(await self.reader.ask("XLEN", self.keys.of_webhook(WEBHOOK_DEAD, webhook_id)))

    async def forget_letters(self, webhook_id: str, ids: Sequence[str]) -> None:
        """They are dead letters no more."""
        if ids:
            await self.reader.ask("XDEL", self.keys.of_webhook(WEBHOOK_DEAD, webhook_id), *ids)

    async def beside(self, ids: Sequence[str]) -> list[Beside]:
        """What views show, of each."""
        if not ids:
            return []
        name = self.keys.of_webhook
        at = await self.reader.get_all([name(WEBHOOK_AT, each) for each in ids])
        waiting = await self.reader.get_all([name(WEBHOOK_WAITING, each) for each in ids])
        dead = await self.reader.ask_all([("XLEN", name(WEBHOOK_DEAD, each)) for each in ids])
        return [
            Beside(
                self._read(each, raw, Progress) if raw else None,
                len(self._read_all(each, waits)) if waits else 0,
                int(number),
            )
            for each, raw, waits, number in zip(ids, at, waiting, dead, strict=True)
        ]

    async def forget(self, webhook_id: str) -> None:
        """All that is kept beside a record that is gone."""
        await self.reader.ask("DEL", *(self.keys.of_webhook(part, webhook_id) for part in PARTS))

    async def _page(
        self, webhook_id: str, part: str, form: type[Form], before: str, limit: int
    ) -> tuple[list[tuple[str, Form]], str]:
        if before and not any(map(int, before.split("-"))):
            return [], ""
        start = f"({before}" if before else "+"
        key = self.keys.of_webhook(part, webhook_id)
        found = await self.reader.ask("XREVRANGE", key, start, "-", "COUNT", limit + 1)
        entries = self._entries(webhook_id, found[:limit], form)
        return entries, text_of(found[limit - 1][0]) if len(found) > limit else ""

    def _entries(
        self, webhook_id: str, found: Iterable[tuple[bytes, dict[bytes, bytes]]], form: type[Form]
    ) -> list[tuple[str, Form]]:
        made = []
        for name, fields in found:
            value = self._read(webhook_id, fields.get(FIELD.encode(), b""), form)
            made += [(text_of(name), value)] if value is not None else []
        return made

    def _read(self, webhook_id: str, raw: bytes, form: type[Form]) -> Form | None:
        decoder = msgspec.msgpack.Decoder(form)
        try:
            found: Form = self.aside.read(
                self.keys.market, Item(WEBHOOK_KIND.name, webhook_id), raw, decoder.decode
            )
            return found
        except Unreadable:  # it is named; what is whole goes on
            return None

    def _read_all(self, webhook_id: str, raw: bytes) -> list[Sent]:
        decoder = msgspec.msgpack.Decoder(list[Sent])
        try:
            return self.aside.read(self.keys.market, Item(WEBHOOK_KIND.name, webhook_id), raw, decoder.decode)
        except Unreadable:
            return []
