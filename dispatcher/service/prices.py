"""Prices as both sides and ops read them, and a dispute's way to where its text is sealed."""

from __future__ import annotations

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.prices import DisputeLine, DisputeView, PriceView, SettleDispute, WaitView
from dispatcher.domain.commands.dispute_line import DisputePrice, SettlePrice
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import Dispute, lines_of, lines_view, rates_view
from dispatcher.domain.refusals import no_such
from dispatcher.domain.requests import RequestRecord, request_id_of
from dispatcher.domain.rights import READERS
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor
from dispatcher.service.markets import Markets
from dispatcher.store.idempotency import IdempotencyRecord

READS_PRICE = READERS | {Role.VENDOR}


class Prices:
    """They raise NotFound for what is unknown or another's, and Unavailable."""

    def __init__(self, markets: Markets, executor: Executor) -> None:
        self.markets, self.executor = markets, executor

    async def view(
        self, who: Principal, market: str, name: str, known: RequestRecord | None = None
    ) -> PriceView:
        """The price of one offer or dispatch: a vendor's own. `known`: its record, if just read."""
        self.markets.authorize(who, market)
        record = known or await self.markets.store(market).requests.records.get(request_id_of(name))
        if record is None:
            raise no_such(f"offer {name}")
        return self._shown(market, name, record.offer_named(name, who.vendor_id))

    async def dispute(
        self,
        who: Principal,
        market: str,
        name: str,
        *,
        said: DisputeLine,
        idempotency: IdempotencyRecord | None,
    ) -> PriceView:
        """A line is wrong; the text is sealed before anything else sees it. Raises WrongState, Invalid."""
        sealed = self.markets.store(market).tasks.seal(sealed_for(name), said.text)
        command = DisputePrice(offer_id=name, line=said.line, sealed=sealed)
        record = await self.executor.execute(who, market, command, idempotency)
        return await self.view(who, market, name, record)

    async def settle(
        self,
        who: Principal,
        market: str,
        name: str,
        number: int,
        *,
        said: SettleDispute,
        idempotency: IdempotencyRecord | None,
    ) -> PriceView:
        """What ops decides about a dispute. Raises WrongState, Invalid."""
        sealed = self.markets.store(market).tasks.seal(sealed_for(name), said.reason)
        command = SettlePrice(offer_id=name, number=number, cents=said.cents, sealed=sealed)
        record = await self.executor.execute(who, market, command, idempotency)
        return await self.view(who, market, name, record)

    def _shown(self, market: str, name: str, offer: OfferRecord) -> PriceView:
        return PriceView(
            offer_id=name,
            price_cents=offer.price_cents,
            price_lines=lines_view(lines_of(offer)),
            rates=rates_view(offer.rates),
            waits=tuple(
                WaitView(
                    since=to_instant(each.since_ms),
                    until=to_instant(each.until_ms) if each.until_ms else None,
                )
                for each in offer.waits
            ),
            disputes=tuple(
                self._dispute(market, name, number, each)
                for number, each in enumerate(offer.disputes, start=1)
            ),
        )

    def _dispute(self, market: str, name: str, number: int, each: Dispute) -> DisputeView:
        """With its texts opened; one that cannot be read hides nothing else."""
        tasks = self.markets.store(market).tasks
        return DisputeView(
            number=number,
            kind=each.kind,
            line=each.place,
            cents=each.cents,
            at=to_instant(each.at_ms),
            by=each.by,
            text=tasks.open(sealed_for(name), each.sealed),
            outcome=each.outcome,
            settled_at=to_instant(each.settled_ms) if each.settled_ms else None,
            settled_cents=None if each.open else each.settled_cents,
            reason=tasks.open(sealed_for(name), each.reason) if each.reason else "",
        )


def sealed_for(name: str) -> str:
    """What texts about the price of a dispatch are sealed for."""
    return f"price.{name}"
