"""A telegram's way to its effect: what it means is done by the same service functions as over HTTP.

A telegram is known by all that it says, its tripRequestId, type and timestamp among it: the same one again
has its effect once. One that is stamped anew is another; most such say what is known, and change nothing.
"""

from __future__ import annotations

import hashlib
from functools import partial

import msgspec
from msgspec.structs import replace

from contracts.codes import TrackingStatus
from contracts.offers import Offer
from contracts.proofs import ProofPart, ProofReport
from contracts.threads import About, PostedMessage
from dispatcher.domain.commands.accept import AcceptOffer, closed_already
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.offers import NO_CAPACITY, OfferRecord
from dispatcher.domain.refusals import WrongState, no_such
from dispatcher.http.parts import Parts
from dispatcher.interop.tds.meaning import TAKEN, Step, Steps
from dispatcher.interop.tds.reading import Telegram
from dispatcher.security.principal import Principal
from dispatcher.service.execute import already_applied
from dispatcher.store.idempotency import IdempotencyRecord

DIGEST_BYTES = 16
ANSWER, ARRIVAL = "tripRequestResponse", "tripPickupArrivalConfirmation"
LAST, NO_PICKUP = "last", "no pickup"


class Effects:
    """Of one vendor's telegrams in one market. Raises what commands raise, InvalidMessage and WrongState."""

    def __init__(self, parts: Parts, who: Principal, market: str, key: str = "") -> None:
        self.parts, self.service, self.who, self.market, self.key = parts, parts.service, who, market, key

    async def of(self, said: Telegram) -> Offer:
        """The offer as it stands after it. What is known to be done is not read anew: it would mean another
        thing by now, as a yes does once its vendor is asked about an amendment.
        """
        offer, last = await self._offer(said), self._known_as(said, LAST)
        stored = self.service.store.market(self.market)
        if await already_applied(stored, last):
            _refuse_full(await self._record(offer), said.offer_id)
            return offer
        if said["tripStatus"] == NO_PICKUP:
            _refuse_boarded(await self._record(offer), said.offer_id)
        steps = TAKEN[said.name].meaning(said, offer, self.service.markets.zones[self.market])
        if len(steps) > 1 and await self._is_overtaken(said, steps):
            return offer
        for number, step in enumerate(steps, 1):
            key = last if number == len(steps) else self._known_as(said, str(number))
            await self._do(said.offer_id, step, key)
        if not steps:
            return offer
        return await self.service.offers.offer(self.who, self.market, said.offer_id)

    async def _offer(self, said: Telegram) -> Offer:
        """What is answered: an amendment, where its vendor is asked about one; else the offer."""
        offers = self.service.offers
        offer = await offers.offer(self.who, self.market, said.offer_id)
        if offer.amendment and said.name == ANSWER:
            asked = await offers.proposed(self.who, self.market, said.offer_id)
            return asked.dispatch.offer
        return offer

    async def _record(self, offer: Offer) -> OfferRecord:
        """What no view of it tells. Raises NotFound: it was forgotten meanwhile."""
        record = await self.service.store.market(self.market).requests.records.get(offer.request_id)
        if record is None:
            raise no_such(f"offer {offer.id}")
        return record.offer_named(offer.id, self.who.vendor_id)

    async def _is_overtaken(self, said: Telegram, steps: Steps) -> bool:
        """Whether an arrival is known, with a place that proves it: a vehicle tells of it time and again.

        Raises what one of the steps would, before the first is done: none is where one could not be.
        """
        reports = [each for each in steps if isinstance(each, ReportStatus)]
        proofs = [each for each in steps if isinstance(each, ProofReport)]
        rehearsal = self.service.rehearsal
        if await rehearsal.is_news(self.who, self.market, reports, proofs) or said.name != ARRIVAL:
            return False
        proved = await rehearsal.proved(self.market, said.offer_id, ProofPart.PICKUP)
        return proved is not None and proved.position is not None

    def _known_as(self, said: Telegram, step: str) -> IdempotencyRecord:
        """By the caller's key, under which nothing else may be said then; else by what it says."""
        content = msgspec.msgpack.encode(said.node.content)
        digest = hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
        scope = f"tds/{said.name}/{said.offer_id}/{step}/{self.who.caller}"
        return IdempotencyRecord.of(scope, self.key or digest, content)

    async def _do(self, offer_id: str, step: Step, key: IdempotencyRecord) -> None:
        who, market, service = self.who, self.market, self.service
        if isinstance(step, ProofReport):
            await service.proofs.keep(who, market, offer_id, await self._with_earlier(offer_id, step), key)
        elif isinstance(step, PostedMessage):
            await service.threads.post(who, market, About.DISPATCH, offer_id, text=step.text, idempotency=key)
        elif isinstance(step, CounterOffer):
            prepare = partial(self.parts.quoter.countered, market)
            await service.execute(who, market, step, key, prepare=prepare)
        else:
            record = await service.execute(who, market, step, key)
            if isinstance(step, AcceptOffer):
                _refuse_full(record.offer_named(offer_id), offer_id)

    async def _with_earlier(self, offer_id: str, said: ProofReport) -> ProofReport:
        """What was proved of that part otherwise stays: a telegram has neither signature nor odometer."""
        last = await self.service.rehearsal.proved(self.market, offer_id, said.part)
        if last is None:
            return said
        return replace(last, at=said.at, position=said.position or last.position)


def _refuse_boarded(offer: OfferRecord, offer_id: str) -> None:
    """Raises WrongState: nobody was fetched, it says, and the passenger is on board."""
    if offer.status is TrackingStatus.ON_BOARD:
        raise WrongState(
            f"dispatch {offer_id} is under way with the passenger on board, and this says `{NO_PICKUP}`\n"
            "Maybe it is another trip's; that a ride broke off is reported on the phone, or over HTTP.",
            state=offer.state.value,
        )


def _refuse_full(offer: OfferRecord, offer_id: str) -> None:
    """Raises WrongState for one that was closed by its acceptance: there was no room for it any more."""
    if offer.code == NO_CAPACITY:
        raise closed_already(offer, offer_id)
