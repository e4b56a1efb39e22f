"""What becomes of one reply: its effect, or a refusal on its vendor's own stream.

On a stream of its own a vendor is known before its reply is read, so it is told of one that cannot be read,
too. What stands on the stream that all vendors share, and cannot be read or trusted, goes to the dead
letters, by name and reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from contracts.codec import convert
from contracts.codes import Role
from contracts.events import CloudEvent, OfferReply, ReplyRefused
from contracts.problems import PREFIX, Problem, Unauthenticated
from dispatcher.delivery.reply import command_of, id_of, idempotency_of, offer_of, report_of
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.proof import GiveProof
from dispatcher.domain.decision import Message
from dispatcher.domain.refusals import NotFound, Refusal, Unavailable, Unwritable
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime import traces
from dispatcher.security.principal import Principal
from dispatcher.security.reply_keys import ReplyKeys
from dispatcher.service.service import Service
from dispatcher.store.events import Entry
from dispatcher.store.streams import GROUP

LONGEST_SUBJECT = 128  # what its vendor wrote is repeated as far as every reader of events takes it

INTERNAL = "internal"  # the failure is ours

Verify = Callable[[str, int], Principal]
Countered = Callable[[str, RequestRecord, CounterOffer], Awaitable[CounterOffer]]
Refused = Problem | Refusal
log = structlog.get_logger()


class ReplyEffects:
    """Replies to commands. `verify(token, now_ms)` gives the principal or raises Problem.

    `countered`: works out a counter-offer of a market (`dispatcher.matching.counters`).
    """

    def __init__(self, service: Service, verify: Verify, countered: Countered) -> None:
        self.service, self.store, self.verify, self.countered = service, service.store, verify, countered
        self.keys = ReplyKeys(self.store.vault)
        self._with_tokens = set[str]()  # vendors that reply as they did before

    async def has_ended(self, market: str, entry: Entry, event: CloudEvent) -> bool:
        """Whether the entry had its effect or its refusal; False if it was put aside.

        Raises Unavailable, Unwritable: it waits.
        """
        with traces.span(
            "reply", kind="consumer", parent=traces.read(event.traceparent), dispatcher__market=market
        ) as span:
            ended = await self._has_ended(market, entry, event)
            span.note(dispatcher__ended=ended)
        return ended

    async def _has_ended(self, market: str, entry: Entry, event: CloudEvent) -> bool:
        owner = self._owner(market, entry)
        try:
            who = self._who(market, owner, event)
        except (Problem, Refusal) as refusal:
            return await self._told(market, owner, entry, refusal, event)
        try:
            await self._execute(who, market, event)
        except (Unavailable, Unwritable):
            raise
        except (Problem, Refusal) as refusal:
            return await self._told(market, who.vendor_id, entry, refusal, event)
        except Exception:
            log.exception("a reply failed", market=market, entry=entry.id)
            return await self._buried(market, entry, INTERNAL)
        return True

    async def _execute(self, who: Principal, market: str, event: CloudEvent) -> None:
        command, key = command_of(event), idempotency_of(event, who.vendor_id)
        if isinstance(command, GiveProof):
            report = report_of(convert(event.data, OfferReply))
            await self.service.proofs.keep(who, market, command.offer_id, report, key)
            return
        prepare = partial(self.countered, market) if isinstance(command, CounterOffer) else None
        await self.service.execute(who, market, command, key, prepare=prepare)

    async def is_unreadable(self, market: str, entry: Entry, problem: Problem) -> bool:
        """Whether its vendor was told; False if it was put aside."""
        await self.store.market(market).troubles.count("unreadable:reply")
        return await self._told(market, self._owner(market, entry), entry, problem)

    def _owner(self, market: str, entry: Entry) -> str:
        """Whose stream it stands on; "" where all vendors write."""
        return self.store.market(market).keys.writer_of(entry.stream)

    def _who(self, market: str, owner: str, event: CloudEvent) -> Principal:
        """Whose reply it is. Raises Problem or Refusal."""
        now_ms = self.service.clock.now_ms()
        if owner and event.dispatchsignature:
            self.keys.check(market, owner, event, now_ms)
            return Principal.of(Role.VENDOR, subject=owner, markets=frozenset({market}), vendor_id=owner)
        if owner and not event.dispatchtoken:
            raise Unauthenticated(
                "the reply is not signed: it has no `dispatchsignature`\n"
                "Maybe sign it with the reply key that came with your Redis user."
            )
        who = self.verify(event.dispatchtoken, now_ms)
        if not who.is_vendor:
            raise NotFound("only vendors reply")
        if owner and who.vendor_id != owner:
            raise Unauthenticated("the token is another vendor's\nMaybe two vendors share a Redis user.")
        self.service.markets.authorize(who, market)
        if who.vendor_id not in self._with_tokens:
            self._with_tokens.add(who.vendor_id)
            log.warning("a vendor sends its bearer token with replies", market=market, vendor=who.vendor_id)
        return who

    async def _told(
        self, market: str, vendor_id: str, entry: Entry, refusal: Refused, event: CloudEvent | None = None
    ) -> bool:
        """Tell the vendor, on its own stream, if it is known; else put the entry aside and say False."""
        if not vendor_id:
            return await self._buried(market, entry, refusal.type)
        log.info("a reply was refused", market=market, vendor=vendor_id, entry=entry.id, reason=refusal.type)
        news = ReplyRefused(
            reply_id=event.id if event else id_of(entry.event),
            entry_id=entry.id,
            type=PREFIX + refusal.type,
            detail=refusal.detail,
        )
        message = Message(
            type="dispatch.reply.refused",
            subject=offer_of(event)[:LONGEST_SUBJECT] if event else "",
            data=news,
            vendor_id=vendor_id,
        )
        # two vendors may write entries of the same id
        event_id, now_ms = f"refused.{vendor_id}.{entry.id}", self.service.clock.now_ms()
        await self.store.market(market).announce(message, event_id=event_id, at_ms=now_ms)
        return True

    async def _buried(self, market: str, entry: Entry, reason: str) -> bool:
        """Put the entry aside; whether it may go: what the shared stream has, and what we failed at, stays.

        Ops may send it again then. What is set aside has to be emptied before its vendor is read further.
        """
        log.warning("a reply cannot be used", market=market, entry=entry.id, reason=reason)
        stored = self.store.market(market)
        await stored.dead_letters.bury(entry, GROUP, reason)
        vendor = stored.keys.writer_of(entry.stream)
        ours = reason == INTERNAL and entry.stream == stored.keys.replies(vendor)
        return not ours and entry.stream != stored.keys.shared_replies
