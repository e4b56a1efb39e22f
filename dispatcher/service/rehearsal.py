"""Whether several reports, and what proves them, could all be taken: asked before the first is committed.

Decisions are made on what stands now, without what follows from them; nothing is written. Whoever comes in
between is met by the step itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.proofs import ProofPart, ProofReport
from dispatcher.domain.commands.plausible import happened
from dispatcher.domain.commands.report import ReportStatus, report
from dispatcher.domain.context import Context
from dispatcher.domain.proofs import proof_id
from dispatcher.domain.refusals import Unreadable, no_such
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets


class Rehearsal:
    """Of the work on one dispatch."""

    def __init__(self, markets: Markets, clock: Clock) -> None:
        self.markets, self.clock = markets, clock

    async def is_news(
        self, who: Principal, market: str, reports: Sequence[ReportStatus], proofs: Sequence[ProofReport]
    ) -> bool:
        """Whether any of these reports on one dispatch, at least one, would change anything.

        Raises what they or the proofs would: NotFound, WrongState, Invalid.
        """
        self.markets.authorize(who, market)
        first = reports[0]
        record = await self.markets.store(market).requests.records.get(first.subject)
        if record is None:
            raise no_such(first.named)
        values = (await self.markets.tuning(market)).values
        context = Context(now_ms=self.clock.now_ms(), values=values, vendor_id=who.vendor_id)
        after = record
        for each in reports:
            decision = report(after, each, context)
            after = after if decision is None else decision.after
        offer = record.offer_named(first.offer_id, who.vendor_id)
        for proof in proofs:
            happened("at", proof.at, offer, context.now_ms)
        return after is not record

    async def proved(self, market: str, offer_id: str, part: ProofPart) -> ProofReport | None:
        """What counts of a part so far, for who goes on from it, and is shown to nobody; None where that is
        nothing that can be read.
        """
        stored = self.markets.store(market).proofs
        record = await stored.records.get(proof_id(offer_id))
        given = [each for each in record.given if each.part is part] if record is not None else []
        try:
            return stored.open(offer_id, given[-1].sealed) if given else None
        except Unreadable:
            return None
