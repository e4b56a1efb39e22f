"""Offers and dispatches as their vendor sees them, and nobody else's (P6)."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.amendments import ProposedAmendment
from contracts.codes import OfferState
from contracts.dispatches import Dispatch
from contracts.instants import to_instant
from contracts.offers import Offer
from contracts.offers import Offers as Listed
from contracts.patients import Patient
from contracts.requests import Request
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.patient_reads import shown
from dispatcher.domain.refusals import NotFound, PatientKeyMissing, Unreadable, no_such
from dispatcher.domain.requests import RequestRecord, request_id_of
from dispatcher.domain.rights import SEES_PATIENT
from dispatcher.domain.views import dispatch_view, offer_view, proposed_offer
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.service.patient_reads import PatientReads
from dispatcher.store.requests import RequestPart


class Offers:
    """Views. They raise NotFound for what is unknown or another's, and Unavailable."""

    def __init__(self, markets: Markets, reads: PatientReads) -> None:
        self.markets, self.reads = markets, reads

    async def of_vendor(self, who: Principal, market: str, vendor_id: str) -> list[Offer]:
        """A vendor's open offers and dispatches, earliest start first, without door and patient."""
        self.markets.authorize(who, market)
        who.refuse_others(vendor_id)
        requests = self.markets.store(market).requests
        names = await requests.offer_ids(vendor_id)
        ids = list(dict.fromkeys(map(request_id_of, names)))
        records, bodies = await requests.records.get_all(ids), await requests.bodies(ids)
        return [
            offer_view(records[each], offer, bodies[each])
            for each in ids
            if each in records and each in bodies
            for offer in records[each].live_offers
            if offer.vendor_id == vendor_id
        ]

    async def listed(self, who: Principal, market: str, vendor_id: str) -> Listed:
        """The same, with how many messages the caller has not read on each dispatch."""
        offers = await self.of_vendor(who, market, vendor_id)
        dispatches = [each.id for each in offers if each.state is OfferState.ACCEPTED]
        unread = await self.markets.store(market).threads.unread(dispatches, who.subject)
        return Listed(offers=tuple(offers), unread=dict(unread))

    def looking(self, who: Principal, market: str, name: str, *, whole: bool = False) -> Looked:
        """For a command on an offer that is answered with it; see `Looked`."""
        return Looked(self.markets.store(market).requests, who, name, whole=whole)

    async def offer(self, who: Principal, market: str, name: str, looked: Looked | None = None) -> Offer:
        """One offer: a vendor's own; platform and ops may see any. `looked`: before a command on it."""
        return offer_view(*await self._found(who, market, name, looked))

    async def dispatch(
        self, who: Principal, market: str, name: str, looked: Looked | None = None
    ) -> Dispatch:
        """One dispatch with its door, and with the patient for who may know them, which is kept.

        Raises WrongState before acceptance and after the work was given back.
        """
        record, offer, request = await self._found(who, market, name, looked)
        dispatch_view(record, offer, request, None)  # refuses before the patient block is opened
        patient = None
        if who.may(SEES_PATIENT):
            patient = (
                looked.patient
                if looked is not None and looked.is_of(record)
                else await self._patient(market, record)
            )
        if patient is not None and (looked is None or not looked.has_noted(record)):
            await self.reads.note_dispatch(who, market, name)
        return dispatch_view(record, offer, request, patient)

    async def _patient(self, market: str, record: RequestRecord) -> Patient | None:
        return await self.markets.store(market).requests.patient(record.id)

    async def proposed(self, who: Principal, market: str, name: str) -> ProposedAmendment:
        """What the vendor of a dispatch is asked to agree to, with door and patient.

        Raises NotFound where it is asked nothing, Unreadable, PatientKeyMissing.
        """
        record, offer, _ = await self._found(who, market, name)
        asked = record.pending
        if asked is None or asked.attempt != offer.attempt:
            raise NotFound(
                f"dispatch {name} has no amendment to answer\nMaybe it was answered, or withdrawn."
            )
        requests = self.markets.store(market).requests
        request = requests.opened_whole(record.id, asked.proposed or await requests.raw_body(record.id))
        patient = request.patient if who.may(SEES_PATIENT) else None
        dispatch = dispatch_view(record, offer, request, patient)
        if patient is not None:
            await self.reads.note_dispatch(who, market, name)
        return ProposedAmendment(
            offer_id=name,
            number=len(record.amendments),
            fields=asked.shown,
            expires_at=to_instant(asked.expires_ms),
            dispatch=replace(dispatch, offer=proposed_offer(record, offer, asked, request)),
        )

    async def _found(
        self, who: Principal, market: str, name: str, looked: Looked | None = None
    ) -> tuple[RequestRecord, OfferRecord, Request]:
        self.markets.authorize(who, market)
        requests, request_id = self.markets.store(market).requests, request_id_of(name)
        record = (looked and looked.left) or await requests.records.get(request_id)
        if record is None:
            raise no_such(f"offer {name}")
        offer = record.offer_named(name, who.vendor_id)  # first: of another's nothing is told, not even this
        if looked is not None and looked.request is not None and looked.is_of(record):
            return record, offer, looked.request
        return record, offer, await requests.expected_body(request_id)


class Looked:
    """A look at what a command on an offer will be answered with: refuses what could not be given here.

    That is before the command has its effect. What was seen is kept, for the answer: it is of the record that
    was decided on, and of each after it whose body was not written anew.
    """

    def __init__(self, requests: RequestPart, who: Principal, name: str, *, whole: bool) -> None:
        """`whole`: the answer has door and patient, so it needs a body that can be read."""
        self._requests, self._who, self._name, self._whole = requests, who, name, whole
        self._revision, self._looks = -1, 0
        self._noted_with: RequestRecord | None = None
        self.left: RequestRecord | None = None  #: as the command left it
        self.request: Request | None = None
        self.patient: Patient | None = None

    def see(self, record: RequestRecord, body: bytes) -> None:
        """Raises PatientKeyMissing; where all is needed also Unreadable: it is damaged, or gone.

        Of what is another's nothing is told: NotFound, in the words of the command.
        """
        self._revision, self.request, self.patient = record.revision, None, None
        self._looks += 1
        try:
            self.request, self.patient = self._requests.parts(record.id, body)
        except Unreadable as refusal:
            if self._whole or isinstance(refusal, PatientKeyMissing):
                record.offer_named(self._name, self._who.vendor_id)
                raise

    def noted(self, decision: Decision | None, context: Context) -> Decision | None:
        """That the dispatch is shown with its patient, in the commit that makes it one.

        Not once that failed: it may have been noted already. Then whoever shows it sees to that.
        """
        after = decision.after if decision is not None else None
        if not self._whole or self._looks > 1 or after is None or self.patient is None:
            return None
        taken = after.offer_named(self._name).state is OfferState.ACCEPTED
        if not taken or not self._who.may(SEES_PATIENT):
            return None
        self._noted_with = after
        return shown(self._name, context)

    def has_noted(self, after: RequestRecord) -> bool:
        """Whether that was committed with this record."""
        return self._noted_with is after

    def is_of(self, record: RequestRecord) -> bool:
        """Whether that record's body is the one that was seen."""
        return record.revision == self._revision
